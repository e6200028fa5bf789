"""Categories over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.categories import category_tree
from apps.catalog.serializers.categories import CategoryTree
from apps.kernel.conditional import cacheable
from apps.kernel.openapi import problems
from apps.kernel.pagination import read_query
from apps.kernel.serializers import (
    StrictSerializer,
)


class Categories(APIView):
    """The category tree."""

    admits_api_keys = True

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="categories_list", responses={200: CategoryTree, **problems(400, 401)}
    )
    def get(self, request: Request) -> Response:
        """Show all categories as a tree."""
        read_query(request, StrictSerializer)
        return cacheable(Response({"results": category_tree()}), request)
