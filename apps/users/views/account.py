"""What people change about their own account with their password in hand."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.serializers import StrictSerializer
from apps.users.models import Session, User
from apps.users.serializers import EmailField, Notice, PasswordField, require_good_password
from apps.users.services import accounts, emails, passwords
from apps.users.views.confirmations import ON_ITS_WAY


class MyPassword(APIView):
    """My password."""

    class PasswordChange(StrictSerializer):
        """The present password, and a new one as for a registration."""

        current_password = PasswordField()
        password = PasswordField()

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            require_good_password(attrs["password"], self.context["user"])
            return attrs

    @extend_schema(
        operation_id="users_me_password",
        request=PasswordChange,
        responses={204: None, **problems(400, 401, 413, 415, 422, 429)},
    )
    def post(self, request: Request) -> Response:
        """Change my password. My other sessions end, this one goes on. 422 `wrong_password`."""
        user = cast("User", request.user)
        change = self.PasswordChange(data=request.data, context={"user": user})
        change.is_valid(raise_exception=True)
        passwords.change_own_password(
            user=user,
            session=cast("Session", request.auth),
            ip=request.META.get("REMOTE_ADDR") or None,
            **change.validated_data,
        )
        return Response(status=204)


class MyEmail(APIView):
    """My address."""

    class EmailChange(StrictSerializer):
        """Where I want to be written to, and my password."""

        email = EmailField()
        current_password = PasswordField()

    @extend_schema(
        operation_id="users_me_email",
        request=EmailChange,
        responses={202: Notice, **problems(400, 401, 413, 415, 422, 429)},
    )
    def post(self, request: Request) -> Response:
        """Have a link mailed to another address, which becomes mine when I follow it.

        The answer does not tell whether the address is somebody's. 422 `wrong_password`.
        """
        change = self.EmailChange(data=request.data)
        change.is_valid(raise_exception=True)
        emails.request_email_change(
            user=cast("User", request.user),
            ip=request.META.get("REMOTE_ADDR") or None,
            **change.validated_data,
        )
        return Response(ON_ITS_WAY, status=202)


class MyDeactivation(APIView):
    """The end of my account."""

    class Deactivation(StrictSerializer):
        """My password."""

        current_password = PasswordField()

    @extend_schema(
        operation_id="users_me_deactivate",
        request=Deactivation,
        responses={204: None, **problems(400, 401, 409, 413, 415, 422, 429)},
    )
    def post(self, request: Request) -> Response:
        """Switch my account off; my sessions end. Staff can switch it on again.

        409 `staff_account`: staff close theirs in the back office. 422 `wrong_password`.
        """
        farewell = self.Deactivation(data=request.data)
        farewell.is_valid(raise_exception=True)
        accounts.deactivate(
            user=cast("User", request.user),
            ip=request.META.get("REMOTE_ADDR") or None,
            **farewell.validated_data,
        )
        return Response(status=204)
