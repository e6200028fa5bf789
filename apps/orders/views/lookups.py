"""Finding a guest's order again, over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.serializers import StrictCharField, StrictSerializer
from apps.orders.services import lookups

ON_ITS_WAY = {"detail": "If there is such an order, a mail is on its way."}


class LookupNotice(serializers.Serializer[Any]):
    """The same to everybody."""

    detail = serializers.CharField()


class OrderLookups(APIView):
    """Have a link to a guest's order mailed. The answer does not tell whether there is one.

    Its token reads the order for a day, as `?token=` or `X-Order-Token`, and does nothing else.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)

    class LookupDraft(StrictSerializer):
        """The order's number, and the address that it was placed with."""

        number = StrictCharField(max_length=20)
        email = serializers.EmailField(max_length=254)

    @extend_schema(
        operation_id="order_lookups_create",
        request=LookupDraft,
        responses={202: LookupNotice, **problems(400, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        draft = self.LookupDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        lookups.look_up(**draft.validated_data, ip=request.META.get("REMOTE_ADDR") or None)
        return Response(ON_ITS_WAY, status=202)
