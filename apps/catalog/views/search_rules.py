"""What staff tell the search, over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import SearchBoost, SearchRedirect, SearchSynonym
from apps.catalog.serializers.search_rules import (
    COLUMNS,
    BoostDocument,
    BoostDraft,
    BoostPage,
    RedirectDocument,
    RedirectDraft,
    RedirectPage,
    SynonymDocument,
    SynonymDraft,
    SynonymPage,
    rule_document,
)
from apps.catalog.services.search_rules import UnknownRule, add_rule, change_rule, remove_rule
from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictSerializer

OLDEST_FIRST = Ordering(column="created_at", descending=False, parse=datetime.fromisoformat)
VERBS = {"GET": "view", "POST": "add", "PATCH": "change", "DELETE": "delete"}


class _RuleView(APIView):
    """Rules of one kind: who may do what with them."""

    model: type[Any]
    draft: type[StrictSerializer]

    def get_permissions(self) -> list[BasePermission]:
        verb = VERBS.get(self.request.method or "GET", "view") if self.request else "view"
        return [staff_with(f"catalog.{verb}_{self.model._meta.model_name}")()]


class _Rules(_RuleView):
    """All rules of a kind."""

    def _list(self, request: Request) -> Response:
        query = read_query(request, PageQuery)
        rows = self.model.objects.values(*COLUMNS[self.model])
        return Response(page_of(rows, ordering=OLDEST_FIRST, query=query, request=request))

    def _add(self, request: Request) -> Response:
        draft = self.draft(data=request.data)
        draft.is_valid(raise_exception=True)
        rule = add_rule(self.model(**draft.validated_data))
        rule.refresh_from_db(fields=["created_at"])
        location = f"{request.path}/{rule.pk}"
        return Response(rule_document(rule), status=201, headers={"Location": location})


class _OneRule(_RuleView):
    """One rule."""

    def _show(self, rule_id: UUID) -> Response:
        rule = self.model.objects.filter(pk=rule_id).first()
        if rule is None:
            raise UnknownRule("There is no such rule.")
        return Response(rule_document(rule))

    def _change(self, request: Request, rule_id: UUID) -> Response:
        draft = self.draft(data=request.data, partial=True)
        draft.is_valid(raise_exception=True)
        rule = change_rule(self.model, rule_id=rule_id, fields=draft.validated_data)
        return Response(rule_document(rule))

    def _remove(self, rule_id: UUID) -> Response:
        remove_rule(self.model, rule_id=rule_id)
        return Response(status=204)


class Synonyms(_Rules):
    """Words that mean the same."""

    model, draft = SearchSynonym, SynonymDraft

    @extend_schema(
        operation_id="search_synonyms_list",
        parameters=[PageQuery],
        responses={200: SynonymPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List all, the oldest first."""
        return self._list(request)

    @extend_schema(
        operation_id="search_synonyms_create",
        request=SynonymDraft,
        responses={201: SynonymDocument, **problems(400, 401, 403, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add one; searches heed it at once. 422 `no_words`."""
        return self._add(request)


class OneSynonym(_OneRule):
    """One of them."""

    model, draft = SearchSynonym, SynonymDraft

    @extend_schema(
        operation_id="search_synonyms_read",
        responses={200: SynonymDocument, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, synonym_id: UUID) -> Response:
        """Show one."""
        return self._show(synonym_id)

    @extend_schema(
        operation_id="search_synonyms_update",
        request=SynonymDraft,
        responses={200: SynonymDocument, **problems(400, 401, 403, 404, 413, 415, 422)},
    )
    def patch(self, request: Request, synonym_id: UUID) -> Response:
        """Change what is given of one."""
        return self._change(request, synonym_id)

    @extend_schema(
        operation_id="search_synonyms_delete",
        responses={204: None, **problems(400, 401, 403, 404)},
    )
    def delete(self, request: Request, synonym_id: UUID) -> Response:
        """Remove one."""
        return self._remove(synonym_id)


class Boosts(_Rules):
    """What comes sooner or later than its words say."""

    model, draft = SearchBoost, BoostDraft

    @extend_schema(
        operation_id="search_boosts_list",
        parameters=[PageQuery],
        responses={200: BoostPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List all, the oldest first."""
        return self._list(request)

    @extend_schema(
        operation_id="search_boosts_create",
        request=BoostDraft,
        responses={201: BoostDocument, **problems(400, 401, 403, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add one; searches heed it at once. 422 `no_words`, `not_a_search_rule`."""
        return self._add(request)


class OneBoost(_OneRule):
    """One of them."""

    model, draft = SearchBoost, BoostDraft

    @extend_schema(
        operation_id="search_boosts_read",
        responses={200: BoostDocument, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, boost_id: UUID) -> Response:
        """Show one."""
        return self._show(boost_id)

    @extend_schema(
        operation_id="search_boosts_update",
        request=BoostDraft,
        responses={200: BoostDocument, **problems(400, 401, 403, 404, 413, 415, 422)},
    )
    def patch(self, request: Request, boost_id: UUID) -> Response:
        """Change what is given of one."""
        return self._change(request, boost_id)

    @extend_schema(
        operation_id="search_boosts_delete",
        responses={204: None, **problems(400, 401, 403, 404)},
    )
    def delete(self, request: Request, boost_id: UUID) -> Response:
        """Remove one."""
        return self._remove(boost_id)


class Redirects(_Rules):
    """Queries that lead to a page."""

    model, draft = SearchRedirect, RedirectDraft

    @extend_schema(
        operation_id="search_redirects_list",
        parameters=[PageQuery],
        responses={200: RedirectPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List all, the oldest first."""
        return self._list(request)

    @extend_schema(
        operation_id="search_redirects_create",
        request=RedirectDraft,
        responses={201: RedirectDocument, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add one; searches heed it at once. 409 `redirect_taken`, 422 `no_words`."""
        return self._add(request)


class OneRedirect(_OneRule):
    """One of them."""

    model, draft = SearchRedirect, RedirectDraft

    @extend_schema(
        operation_id="search_redirects_read",
        responses={200: RedirectDocument, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, redirect_id: UUID) -> Response:
        """Show one."""
        return self._show(redirect_id)

    @extend_schema(
        operation_id="search_redirects_update",
        request=RedirectDraft,
        responses={200: RedirectDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    def patch(self, request: Request, redirect_id: UUID) -> Response:
        """Change what is given of one."""
        return self._change(request, redirect_id)

    @extend_schema(
        operation_id="search_redirects_delete",
        responses={204: None, **problems(400, 401, 403, 404)},
    )
    def delete(self, request: Request, redirect_id: UUID) -> Response:
        """Remove one."""
        return self._remove(redirect_id)
