"""What other programs look for under /.well-known/ (RFC 8615)."""

from django.urls import path

from apps.users.views.signing_keys import PublicKeys

urlpatterns = [path("jwks.json", PublicKeys.as_view(), name="jwks")]
