"""Messages from payment providers: verify, store, 200. Nothing else happens here."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.orders.payments.gateway import BadSignature
from apps.orders.services import payments


class BadWebhookSignature(APIException):
    """The message is not signed by the provider."""

    status_code = 400
    default_code = "bad_signature"
    default_detail = "The signature does not fit the message."


class StripeHook(APIView):
    """Stripe's webhooks."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="hooks_payments_stripe",
        parameters=[
            OpenApiParameter(
                "Stripe-Signature", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True
            )
        ],
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **problems(400)},
    )
    def post(self, request: Request) -> Response:
        try:
            payments.store_webhook(
                provider="stripe",
                body=request.body,
                signature=request.headers.get("Stripe-Signature", ""),
            )
        except BadSignature as error:
            raise BadWebhookSignature from error
        return Response({"received": True})
