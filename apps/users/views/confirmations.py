"""What people do with a token that was mailed to them; and asking for one without a login."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.serializers import StrictSerializer
from apps.users.serializers import (
    EmailField,
    MailedTokenField,
    Notice,
    PasswordField,
    Profile,
    profile_of,
    require_good_password,
)
from apps.users.services import accounts, emails, passwords

ON_ITS_WAY = {"detail": "If this address may be written to, a mail is on its way."}


class VerifyEmail(APIView):
    """The second half of a registration."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class Opening(StrictSerializer):
        """The token of the mail, and the password of the registration it is about."""

        token = MailedTokenField()
        password = PasswordField()

    @extend_schema(
        operation_id="auth_verify_email",
        request=Opening,
        responses={201: Profile, **problems(400, 413, 415, 422, 429)},
    )
    def post(self, request: Request) -> Response:
        """Open the account that was registered.

        422 `invalid_confirmation`; 422 `wrong_password` when it is not the registration's.
        """
        opening = self.Opening(data=request.data)
        opening.is_valid(raise_exception=True)
        user = accounts.open_account(
            **opening.validated_data, ip=request.META.get("REMOTE_ADDR") or None
        )
        return Response(profile_of(user), status=201)


class PasswordReset(APIView):
    """A forgotten password."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class Forgotten(StrictSerializer):
        """Whose it is."""

        email = EmailField()

    @extend_schema(
        operation_id="auth_password_reset",
        request=Forgotten,
        responses={202: Notice, **problems(400, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Have a link mailed. The answer does not tell whether there is an account."""
        forgotten = self.Forgotten(data=request.data)
        forgotten.is_valid(raise_exception=True)
        passwords.request_password_reset(
            **forgotten.validated_data, ip=request.META.get("REMOTE_ADDR") or None
        )
        return Response(ON_ITS_WAY, status=202)


class PasswordResetConfirmation(APIView):
    """A new password instead of the forgotten one."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class NewPassword(StrictSerializer):
        """The token of the mail, and a password as for a registration."""

        token = MailedTokenField()
        password = PasswordField()

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            require_good_password(attrs["password"], passwords.whose_password(token=attrs["token"]))
            return attrs

    @extend_schema(
        operation_id="auth_password_reset_confirm",
        request=NewPassword,
        responses={204: None, **problems(400, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Set the password and end all sessions. It opens none. 422 `invalid_confirmation`."""
        new = self.NewPassword(data=request.data)
        new.is_valid(raise_exception=True)
        passwords.reset_password(**new.validated_data)
        return Response(status=204)


class EmailChangeConfirmation(APIView):
    """The second half of moving to another address."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class MailedToken(StrictSerializer):
        """The token of the mail."""

        token = MailedTokenField()

    @extend_schema(
        operation_id="auth_email_change_confirm",
        request=MailedToken,
        responses={204: None, **problems(400, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Move the account to the address that the token came to, and end all sessions.

        422 `invalid_confirmation`.
        """
        proof = self.MailedToken(data=request.data)
        proof.is_valid(raise_exception=True)
        emails.confirm_email_change(**proof.validated_data)
        return Response(status=204)
