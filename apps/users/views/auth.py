"""Ways in and out: accounts opened, sessions begun, prolonged and ended."""

from typing import Any, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.serializers import StrictSerializer
from apps.users.models import Session, User
from apps.users.serializers import (
    ChallengeDocument,
    EmailField,
    NameField,
    Notice,
    PasswordField,
    RefreshTokenField,
    Tokens,
    challenge_of,
    require_good_password,
    tokens_of,
)
from apps.users.services import accounts, challenges, sessions
from apps.users.views.confirmations import ON_ITS_WAY


class BearerScheme(OpenApiAuthenticationExtension):
    """How the schema describes access tokens."""

    target_class = "apps.users.authentication.AccessTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


LOGIN_ANSWER = PolymorphicProxySerializer(
    component_name="LoginAnswer",
    serializers=[Tokens, ChallengeDocument],
    resource_type_field_name=None,
)


class Register(APIView):
    """New accounts."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class Registration(StrictSerializer):
        """Who wants an account. The password has 10 to 128 characters and is no common one."""

        email = EmailField()
        password = PasswordField()
        first_name = NameField(default="")
        last_name = NameField(default="")

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            person = User(**{name: attrs[name] for name in ("email", "first_name", "last_name")})
            require_good_password(attrs["password"], person)
            return attrs

    @extend_schema(
        operation_id="auth_register",
        request=Registration,
        responses={202: Notice, **problems(400, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Have a mail sent that opens the account, or says that there is one already.

        The answer does not tell which. Registering again sends another one.
        """
        registration = self.Registration(data=request.data)
        registration.is_valid(raise_exception=True)
        accounts.register(**registration.validated_data, ip=request.META.get("REMOTE_ADDR") or None)
        return Response(ON_ITS_WAY, status=202)


class Login(APIView):
    """The way in."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class Credentials(StrictSerializer):
        """What proves who somebody is."""

        email = EmailField()
        password = PasswordField()

    @extend_schema(
        operation_id="auth_login",
        request=Credentials,
        responses={200: LOGIN_ANSWER, **problems(400, 401, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Open a session, or give the challenge that `/auth/two-factor` answers with a code.

        401 `invalid_credentials`, 429 `too_many_attempts` with Retry-After.
        """
        credentials = self.Credentials(data=request.data)
        credentials.is_valid(raise_exception=True)
        opened = sessions.log_in(
            **credentials.validated_data,
            ip=request.META.get("REMOTE_ADDR") or None,
            user_agent=request.headers.get("User-Agent", ""),
        )
        if isinstance(opened, challenges.Challenge):
            return Response(challenge_of(opened))
        return Response(tokens_of(opened))


class Refresh(APIView):
    """More time."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class Renewal(StrictSerializer):
        """The newest refresh token of a session."""

        refresh = RefreshTokenField()

    @extend_schema(
        operation_id="auth_refresh",
        request=Renewal,
        responses={200: Tokens, **problems(400, 401, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Trade a refresh token for the next one; it can be used once.

        401 `invalid_refresh_token`. A used token that comes again after 10 seconds ends the
        session, because somebody else may hold it.
        """
        renewal = self.Renewal(data=request.data)
        renewal.is_valid(raise_exception=True)
        opened = sessions.rotate(refresh_token=renewal.validated_data["refresh"])
        return Response(tokens_of(opened))


class Logout(APIView):
    """The way out."""

    class Farewell(StrictSerializer):
        """Nothing, or a refresh token whose session ends as well."""

        refresh = RefreshTokenField(required=False)

    @extend_schema(
        operation_id="auth_logout",
        request=Farewell,
        responses={204: None, **problems(400, 401, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """End this session: its access and refresh tokens are worth nothing from now on."""
        farewell = self.Farewell(data=request.data)
        farewell.is_valid(raise_exception=True)
        sessions.log_out(
            session=cast("Session", request.auth),
            refresh_token=farewell.validated_data.get("refresh"),
        )
        return Response(status=204)


class LogoutEverywhere(APIView):
    """The way out, on every device."""

    @extend_schema(
        operation_id="auth_logout_all",
        request=None,
        responses={204: None, **problems(400, 401)},
    )
    def post(self, request: Request) -> Response:
        """End all my sessions, this one too."""
        sessions.end_all(user_id=cast("User", request.user).pk, reason=Session.End.LOGGED_OUT)
        return Response(status=204)
