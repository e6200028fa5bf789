"""What people agree to, over HTTP."""

from collections.abc import Mapping
from typing import Any, cast

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from apps.users.models import Consent, User
from apps.users.selectors.consents import consents_of
from apps.users.services import consents

a_version = RegexValidator(r"\A[A-Za-z0-9._-]+\Z", "Letters, digits, dots and dashes.")


class ConsentDraft(StrictSerializer):
    """Yes or no, and the version of the text that the person saw."""

    granted = StrictBooleanField()
    text_version = StrictCharField(max_length=40, validators=[a_version])


class ConsentDrafts(StrictSerializer):
    """Decisions by purpose. What is not given stays as it is."""

    marketing = ConsentDraft(required=False)
    analytics = ConsentDraft(required=False)


class ConsentDocument(serializers.Serializer[Any]):
    """What counts now. Nobody has agreed to anything before being asked."""

    granted = serializers.BooleanField()
    text_version = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)


class ConsentDocuments(serializers.Serializer[Any]):
    """What counts now, by purpose."""

    marketing = ConsentDocument()
    analytics = ConsentDocument()


class Consents(APIView):
    """What the person who asks agrees to."""

    @extend_schema(
        operation_id="consents_retrieve", responses={200: ConsentDocuments, **problems(401)}
    )
    def get(self, request: Request) -> Response:
        """Show what I agree to."""
        return Response(_documents(consents_of(user_id=cast("User", request.user).pk)))

    @extend_schema(
        operation_id="consents_replace",
        request=ConsentDrafts,
        responses={200: ConsentDocuments, **problems(400, 401, 413, 415)},
    )
    def put(self, request: Request) -> Response:
        """Say yes or no. Each change is kept with its time and the version of the text."""
        drafts = ConsentDrafts(data=request.data)
        drafts.is_valid(raise_exception=True)
        decisions = {
            purpose: consents.Decision(**draft) for purpose, draft in drafts.validated_data.items()
        }
        counting = consents.decide(
            user_id=cast("User", request.user).pk,
            decisions=decisions,
            ip=request.META.get("REMOTE_ADDR") or None,
            user_agent=request.headers.get("User-Agent", ""),
        )
        return Response(_documents(counting))


def _documents(counting: Mapping[str, Consent]) -> dict[str, object]:
    return {purpose: _document(counting.get(purpose)) for purpose in Consent.Purpose.values}


def _document(consent: Consent | None) -> dict[str, object]:
    if consent is None:
        return {"granted": False, "text_version": None, "at": None}
    return {"granted": consent.granted, "text_version": consent.text_version, "at": consent.at}
