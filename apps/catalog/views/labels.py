"""Brands and tags over HTTP."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import Brand, Tag
from apps.catalog.models.slugs import is_a_slug
from apps.catalog.serializers.labels import LabelDocument, LabelPage
from apps.catalog.serializers.parameters import BY_NAME
from apps.catalog.services.labels import (
    Label,
    UnknownLabel,
    add_label,
    change_label,
    remove_label,
)
from apps.kernel.conditional import cacheable
from apps.kernel.converters import id_of, reference_of
from apps.kernel.openapi import problems
from apps.kernel.pagination import PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictCharField, StrictSerializer


class BrandDraft(StrictSerializer):
    """A brand's name, and its slug if it shall not be made from the name."""

    name = StrictCharField(max_length=120)
    slug = StrictCharField(max_length=160, required=False, validators=[is_a_slug])


class TagDraft(StrictSerializer):
    """A tag's name, and its slug if it shall not be made from the name."""

    name = StrictCharField(max_length=60)
    slug = StrictCharField(max_length=80, required=False, validators=[is_a_slug])


class _Labels(APIView):
    """All names of a kind."""

    admits_api_keys = True
    kind: ClassVar[Label]
    draft: ClassVar[type[StrictSerializer]]

    def get_permissions(self) -> list[BasePermission]:
        return [_permission(self, self.kind)]

    @extend_schema(parameters=[PageQuery], responses={200: LabelPage, **problems(400, 401)})
    def get(self, request: Request) -> Response:
        """List them by name."""
        query = read_query(request, PageQuery)
        page = page_of(_rows(self.kind), ordering=BY_NAME, query=query, request=request)
        return cacheable(Response(page), request)

    def post(self, request: Request) -> Response:
        """Add one. 409 `name_taken` or `slug_taken`."""
        draft = self.draft(data=request.data)
        draft.is_valid(raise_exception=True)
        label_id = add_label(kind=self.kind, **draft.validated_data)
        document = _document(self.kind, label_id)
        return Response(document, status=201, headers={"Location": f"{request.path}/{label_id}"})


class _OneLabel(APIView):
    """One name."""

    admits_api_keys = True
    kind: ClassVar[Label]
    draft: ClassVar[type[StrictSerializer]]

    def get_permissions(self) -> list[BasePermission]:
        return [_permission(self, self.kind)]

    @extend_schema(responses={200: LabelDocument, **problems(400, 401, 404)})
    def get(self, request: Request, **_: str) -> Response:
        """Show it by id or by slug."""
        read_query(request, StrictSerializer)
        return cacheable(Response(_document(self.kind, reference_of(self._key()) or "")), request)

    def patch(self, request: Request, **_: str) -> Response:
        """Give it another name or slug. 409 `name_taken` or `slug_taken`."""
        draft = self.draft(data=request.data, partial=True)
        draft.is_valid(raise_exception=True)
        change_label(kind=self.kind, label_id=id_of(self._key()), **draft.validated_data)
        return Response(_document(self.kind, id_of(self._key())))

    @extend_schema(responses={204: None, **problems(400, 401, 403, 404, 409)})
    def delete(self, request: Request, **_: str) -> Response:
        """Take it away, if no product has it. 409 `label_in_use`."""
        remove_label(kind=self.kind, label_id=id_of(self._key()))
        return Response(status=204)

    def _key(self) -> str:
        return str(self.kwargs[self.kind._meta.model_name])


ADDED = {201: LabelDocument, **problems(400, 401, 403, 409, 413, 415)}
CHANGED = {200: LabelDocument, **problems(400, 401, 403, 404, 409, 413, 415)}


@extend_schema_view(
    get=extend_schema(operation_id="brands_list"),
    post=extend_schema(operation_id="brands_create", request=BrandDraft, responses=ADDED),
)
class Brands(_Labels):
    """Who makes products."""

    kind, draft = Brand, BrandDraft


@extend_schema_view(
    get=extend_schema(operation_id="brands_read"),
    patch=extend_schema(operation_id="brands_update", request=BrandDraft, responses=CHANGED),
    delete=extend_schema(operation_id="brands_delete"),
)
class OneBrand(_OneLabel):
    """A brand."""

    kind, draft = Brand, BrandDraft


@extend_schema_view(
    get=extend_schema(operation_id="tags_list"),
    post=extend_schema(operation_id="tags_create", request=TagDraft, responses=ADDED),
)
class Tags(_Labels):
    """Words for products."""

    kind, draft = Tag, TagDraft


@extend_schema_view(
    get=extend_schema(operation_id="tags_read"),
    patch=extend_schema(operation_id="tags_update", request=TagDraft, responses=CHANGED),
    delete=extend_schema(operation_id="tags_delete"),
)
class OneTag(_OneLabel):
    """A tag."""

    kind, draft = Tag, TagDraft


def _permission(view: APIView, kind: Label) -> BasePermission:
    verb = {"POST": "add", "PATCH": "change", "DELETE": "delete"}.get(view.request.method or "")
    return staff_with(f"catalog.{verb}_{kind._meta.model_name}")() if verb else AllowAny()


def _rows(kind: Label) -> Any:
    return kind._default_manager.values("id", "slug", "name")


def _document(kind: Label, reference: UUID | str) -> dict[str, Any]:
    by = "pk" if isinstance(reference, UUID) else "slug"
    row: dict[str, Any] | None = _rows(kind).filter(**{by: reference}).first()
    if row is None:
        raise UnknownLabel("There is no such brand or tag.")
    return row
