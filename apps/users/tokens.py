"""Access tokens (RFC 9068): signed, good for minutes, and of no use for anything else."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken

from apps.users.selectors.signing_keys import Keys, first_key, keys, kid_of

MEDIA_TYPE = "at+jwt"
LONGEST = 4096
LIFETIME: timedelta = api_settings.ACCESS_TOKEN_LIFETIME
# The release before names no key: it has only this one.
FIRST_KID = kid_of(first_key().public_key())
REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub", "sid", "jti"]


class InvalidAccessToken(Exception):
    """The token is not one of ours, not for this purpose, or not for this time."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom the token names; whether the session is still alive is another question."""

    user_id: UUID
    session_id: UUID


def access_token(*, user_id: UUID, session_id: UUID) -> str:
    """Return a signed access token of this session."""
    token = StoreAccessToken()
    token["sub"], token["sid"] = str(user_id), str(session_id)
    return str(token)


def claims_of(token: str) -> Claims:
    """Return what a valid token says.

    Raises InvalidAccessToken for everything else, without saying why.
    """
    if len(token) > LONGEST:
        raise InvalidAccessToken
    try:
        claims = StoreAccessToken(token)  # type: ignore[arg-type]  # means text
        return Claims(user_id=UUID(claims["sub"]), session_id=UUID(claims["sid"]))
    except (TokenError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidAccessToken from error


class TypedTokenBackend(TokenBackend):
    """Writes and demands the header `typ: at+jwt`, so that no other JWT passes for access.

    `kid` chooses among the keys that are published now; a token without one is of the first key.
    """

    def __init__(self, *args: Any, keys: Keys, **options: Any) -> None:
        super().__init__(*args, **options)
        self.keys = keys

    def encode(self, payload: dict[str, Any]) -> str:
        ring = self.keys.ring()
        return jwt.encode(
            {**payload, "iss": self.issuer, "aud": self.audience},
            ring.signing_key,
            algorithm=self.algorithm,
            headers={"typ": MEDIA_TYPE, "kid": ring.signing_kid},
        )

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - simplejwt's signature
        """Return the claims; unlike simplejwt's backend, never of an unverified token."""
        try:
            kid = jwt.get_unverified_header(token).get("kid", FIRST_KID)
            key = self.keys.ring().public_keys.get(kid)
            if key is None:
                raise jwt.InvalidKeyError
            decoded = jwt.decode_complete(
                token,
                key,
                algorithms=[self.algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=self.get_leeway(),
                options={"require": REQUIRED_CLAIMS},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenBackendExpiredToken("Token is expired") from error
        except jwt.PyJWTError as error:
            raise TokenBackendError("Token is invalid") from error
        if decoded["header"].get("typ") != MEDIA_TYPE:
            raise TokenBackendError("Token has wrong type")
        claims: dict[str, Any] = decoded["payload"]
        return claims


class StoreAccessToken(AccessToken):
    """simplejwt's access token, signed and checked by the backend above."""

    def get_token_backend(self) -> TokenBackend:
        return backend


backend = TypedTokenBackend(
    api_settings.ALGORITHM,
    keys=keys,
    audience=api_settings.AUDIENCE,
    issuer=api_settings.ISSUER,
    leeway=api_settings.LEEWAY,
)
