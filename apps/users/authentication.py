"""Who sends a request: the access token's claims, and a session that still lives."""

from django.db.models.functions import Now
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.users.models import Session, User
from apps.users.tokens import InvalidAccessToken, claims_of


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
