"""Who sends a request: the access token's claims, and a session that still lives."""

from dataclasses import dataclass

from django.db.models.functions import Now
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from apps.kernel.permissions import admits_api_keys
from apps.users.models import KeyHolder, Session, User
from apps.users.services.api_keys import PREFIX, InvalidApiKey, holder_of
from apps.users.tokens import InvalidAccessToken, claims_of


class NotForApiKeys(APIException):
    """People go here, programs do not."""

    status_code = 403
    default_code = "not_for_api_keys"
    default_detail = "API keys do not open this."


@dataclass(frozen=True, slots=True)
class KeyProof:
    """A key stands for a second factor, which its maker has shown; it never proves anew."""

    second_factor: bool = True


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key eck_…`, or `Bearer eck_…`. Costs one statement.

    Any fault of the key is 401; where keys open nothing it is 403, whatever the key may do.
    """

    def authenticate(self, request: Request) -> tuple[KeyHolder, KeyProof] | None:
        scheme, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        is_bearer = scheme.lower() == "bearer" and secret.startswith(PREFIX)
        if scheme.lower() != "api-key" and not is_bearer:
            return None
        try:
            holder = holder_of(secret=secret, ip=request.META.get("REMOTE_ADDR") or None)
        except InvalidApiKey as refusal:
            raise AuthenticationFailed(refusal.detail, refusal.code) from refusal
        if not admits_api_keys(request.parser_context["view"]):
            raise NotForApiKeys
        return holder, KeyProof()

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class AccessTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`. Costs one statement, so that a logout counts at once.

    A request without the header is anonymous; any fault of the token is 401.
    """

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        header = get_authorization_header(request)
        if not header:
            return None
        scheme, _, token = header.partition(b" ")
        try:
            if scheme.lower() != b"bearer":
                raise InvalidAccessToken
            claims = claims_of(token.decode("ascii"))
            session = Session.objects.select_related("user").get(
                pk=claims.session_id,
                user=claims.user_id,
                user__is_active=True,
                revoked_at=None,
                expires_at__gt=Now(),
            )
        except (InvalidAccessToken, UnicodeDecodeError, Session.DoesNotExist) as error:
            raise AuthenticationFailed("The access token is not valid.") from error
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
