"""The books in the back office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path

from apps.kernel.backoffice import ReadOnly
from apps.kernel.money import format_minor
from apps.orders.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerPosting,
)
from apps.orders.selectors.ledger import trial_balance


class Entries(ReadOnly, admin.TabularInline):
    model = LedgerEntry
    fields = ("account", "amount_minor", "currency", "order")


class Moment(forms.Form):
    """Until when the trial balance counts."""

    at = forms.DateTimeField(required=False, label="before", help_text="2026-12-31 00:00, or empty")


@admin.register(LedgerPosting)
class LedgerPostingAdmin(ReadOnly, admin.ModelAdmin):
    """The money ledger, and its trial balance."""

    list_display = ("at", "kind", "source_id")
    list_filter = ("kind",)
    search_fields = ("=source_id", "=entries__order__number")
    ordering = ("-id",)
    inlines = (Entries,)

    def get_urls(self) -> Any:
        balances = self.admin_site.admin_view(self.balances)
        return [
            path("balances/", balances, name="orders_ledgerposting_balances"),
            *super().get_urls(),
        ]

    def balances(self, request: HttpRequest) -> TemplateResponse:
        """Show what each account holds, now or at a moment."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = Moment(request.GET)
        at = form.cleaned_data["at"] if form.is_valid() else None
        rows = [
            {
                "account": LedgerAccount(row.account).label,
                "currency": row.currency,
                "debits": format_minor(row.debits_minor, row.currency),
                "credits": format_minor(row.credits_minor, row.currency),
                "balance": format_minor(row.balance_minor, row.currency),
            }
            for row in trial_balance(at=at)
        ]
        page = {
            **self.admin_site.each_context(request),
            "title": "Trial balance",
            "opts": self.opts,
            "form": form,
            "rows": rows,
        }
        return TemplateResponse(request, "admin/trial_balance.html", page)
