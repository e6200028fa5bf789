"""The few resources that belong to no app."""

from typing import Any

from django.conf import settings
from django.views.generic import TemplateView
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.errors import NotFound
from apps.kernel.openapi import problems
from ecommerce.problems import catalogue


class StartPage(TemplateView):
    """The page for a newcomer: a shop window, and the doors to everything else."""

    template_name = "start.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(sandbox_url=settings.STRIPE_API_BASE, **context)


class ConfirmPage(TemplateView):
    """Where the links in mails lead. Its script hands the token on to the API."""

    template_name = "confirm.html"


class Documentation(SpectacularSwaggerSplitView):
    """The API, to read and to try. Its program styles what it draws, as no other page does."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)
        policy = settings.CONTENT_POLICY_OF_PAGES
        response["Content-Security-Policy"] = policy.replace(
            "style-src 'self'", "style-src 'self' 'unsafe-inline'"
        )
        return response


class ErrorEntry(serializers.Serializer[object]):
    """What a code means."""

    code = serializers.CharField()
    status = serializers.IntegerField()
    title = serializers.CharField()
    detail = serializers.CharField()


class ErrorCatalogue(APIView):
    """Every code that a problem may carry."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class Codes(serializers.Serializer[object]):
        """All of them; there are few."""

        results = ErrorEntry(many=True)

    @extend_schema(operation_id="errors_list", responses=Codes)
    def get(self, request: Request) -> Response:
        return Response({"results": catalogue()})


class ErrorCode(APIView):
    """One code."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="errors_retrieve", responses={200: ErrorEntry, **problems(404)})
    def get(self, request: Request, code: str) -> Response:
        for entry in catalogue():
            if entry["code"] == code:
                return Response(entry)
        raise NotFound("There is no such code.")
