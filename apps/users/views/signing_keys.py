"""The public halves of the keys of access tokens, for whoever verifies tokens elsewhere."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users.selectors.signing_keys import jwk_of, read_keyring
from apps.users.services.signing_keys import JWKS_MAX_AGE


class JsonWebKey(serializers.Serializer[Any]):
    """A public key on the curve P-256 (RFC 7517)."""

    kty = serializers.ChoiceField(choices=["EC"])
    crv = serializers.ChoiceField(choices=["P-256"])
    x = serializers.CharField()
    y = serializers.CharField()
    kid = serializers.CharField()
    use = serializers.ChoiceField(choices=["sig"])
    alg = serializers.ChoiceField(choices=["ES256"])


class JsonWebKeySet(serializers.Serializer[Any]):
    """Every key whose tokens are valid now, or will be shortly."""

    keys = JsonWebKey(many=True)


class PublicKeys(APIView):
    """The JWKS."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="jwks_retrieve", responses={200: JsonWebKeySet})
    def get(self, request: Request) -> Response:
        """Show the keys. A new one is here long enough before it signs to be found in a cache."""
        public_keys = read_keyring().public_keys.items()
        documents = [
            {**jwk_of(key), "kid": kid, "use": "sig", "alg": "ES256"} for kid, key in public_keys
        ]
        max_age = int(JWKS_MAX_AGE.total_seconds())
        headers = {"Cache-Control": f"public, max-age={max_age}"}
        return Response({"keys": documents}, headers=headers)
