"""What staff tell the search, in the back office, and what it tells them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.catalog.models import SearchBoost, SearchCount, SearchRedirect, SearchSynonym
from apps.catalog.services.search_rules import NoWords, normal_query, stems_of
from apps.kernel.backoffice import ReadOnly, Recorded


class SynonymForm(forms.ModelForm):
    """Terms, one after the other with commas between."""

    class Meta:
        model = SearchSynonym
        fields = ("terms", "two_way")

    def clean_terms(self) -> list[str]:
        terms: list[str] = self.cleaned_data["terms"]
        if not 2 <= len(terms) <= 20:
            raise ValidationError("Give 2 to 20 terms with commas between.")
        try:
            self.instance.stems = stems_of(terms)
        except NoWords as refusal:
            raise ValidationError(refusal.detail) from refusal
        return terms


class QueryForm(forms.ModelForm):
    """A rule for a query, which is kept as rules are found by it."""

    def clean_query(self) -> str:
        try:
            return normal_query(self.cleaned_data["query"])
        except NoWords as refusal:
            raise ValidationError(refusal.detail) from refusal


@admin.register(SearchSynonym)
class SearchSynonymAdmin(Recorded, admin.ModelAdmin):
    """Words that mean the same."""

    form = SynonymForm
    list_display = ("__str__", "two_way", "created_at")
    ordering = ("created_at", "id")


@admin.register(SearchBoost)
class SearchBoostAdmin(Recorded, admin.ModelAdmin):
    """What comes sooner or later than its words say."""

    form = QueryForm
    fields = ("query", "product", "category", "brand", "weight", "pinned")
    list_display = ("query", "product", "category", "brand", "weight", "pinned")
    list_select_related = ("product", "category", "brand")
    search_fields = ("query", "product__name")
    autocomplete_fields = ("product", "category", "brand")
    ordering = ("query", "created_at", "id")


@admin.register(SearchRedirect)
class SearchRedirectAdmin(Recorded, admin.ModelAdmin):
    """Queries that lead to a page."""

    form = QueryForm
    fields = ("query", "path")
    list_display = ("query", "path")
    search_fields = ("query", "path")
    ordering = ("query",)


class WithoutResults(admin.SimpleListFilter):
    """Those that found nothing the last time."""

    title, parameter_name = "found", "found"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("nothing", "nothing"), ("something", "something")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "nothing":
                return queryset.filter(results=0)
            case "something":
                return queryset.filter(results__gt=0)
        return queryset


@admin.register(SearchCount)
class SearchCountAdmin(ReadOnly, admin.ModelAdmin):
    """What was looked for, by day."""

    list_display = ("day", "query", "times", "results")
    list_filter = (WithoutResults, "day")
    search_fields = ("query",)
    ordering = ("-day", "-times", "query")
