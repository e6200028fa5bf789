"""The money ledger over HTTP, for whoever keeps the books."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.money import Money
from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import MoneyField, StrictSerializer
from apps.orders.models import LedgerAccount, LedgerPosting
from apps.orders.selectors.ledger import Balance, entries_between, trial_balance

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)
FILTERS = {
    "filter[order]": "order_id",
    "filter[account]": "account",
    "filter[kind]": "posting__kind",
    "filter[source]": "posting__source_id",
}


class EntryDocument(serializers.Serializer[Any]):
    """One side of a posting: a debit if the amount is positive, a credit if it is negative."""

    id = serializers.UUIDField()
    posting_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=LedgerPosting.Kind.choices)
    source_id = serializers.UUIDField(help_text="The payment, refund or stray payment.")
    at = serializers.DateTimeField()
    account = serializers.ChoiceField(choices=LedgerAccount.choices)
    order_id = serializers.UUIDField(allow_null=True)
    amount = MoneyField()


class EntryPage(Page):
    """A page of entries."""

    results = EntryDocument(many=True)


class BalanceDocument(serializers.Serializer[Any]):
    """What an account holds in a currency: debits less credits."""

    account = serializers.ChoiceField(choices=LedgerAccount.choices)
    debits = MoneyField()
    credits = MoneyField()
    balance = MoneyField()


class TrialBalance(serializers.Serializer[Any]):
    """All accounts that were used before the moment. The balances of a currency add up to 0."""

    at = serializers.DateTimeField()
    results = BalanceDocument(many=True)


class LedgerEntries(APIView):
    """All entries, newest first."""

    permission_classes = (staff_with("orders.view_ledgerentry"),)

    class EntryQuery(PageQuery):
        """Which entries; what is left out does not narrow."""

        def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
            kinds, accounts = LedgerPosting.Kind.values, LedgerAccount.values
            return {
                **super().get_fields(),
                "filter[order]": serializers.UUIDField(required=False),
                "filter[account]": serializers.ChoiceField(choices=accounts, required=False),
                "filter[kind]": serializers.ChoiceField(choices=kinds, required=False),
                "filter[source]": serializers.UUIDField(required=False),
                "filter[at][gte]": serializers.DateTimeField(required=False),
                "filter[at][lt]": serializers.DateTimeField(required=False),
            }

    @extend_schema(
        operation_id="ledger_entries_list",
        parameters=[EntryQuery],
        responses={200: EntryPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List entries by order, account, kind, source or time."""
        query = read_query(request, self.EntryQuery)
        entries = entries_between(query.get("filter[at][gte]"), query.get("filter[at][lt]"))
        page = page_of(
            entries.filter(**{FILTERS[name]: query[name] for name in FILTERS if name in query}),
            ordering=NEWEST_FIRST,
            query=query,
            request=request,
        )
        page["results"] = [_entry(row) for row in page["results"]]
        return Response(page)


class LedgerBalances(APIView):
    """The trial balance."""

    permission_classes = (staff_with("orders.view_ledgerentry"),)

    class BalanceQuery(StrictSerializer):
        """When; now, if it is left out."""

        at = serializers.DateTimeField(required=False)

    @extend_schema(
        operation_id="ledger_balances_list",
        parameters=[BalanceQuery],
        responses={200: TrialBalance, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Show what each account held at a moment, by currency."""
        at = read_query(request, self.BalanceQuery).get("at")
        rows = [_balance(each) for each in trial_balance(at=at)]
        return Response({"at": at or timezone.now(), "results": rows})


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "posting_id": row["posting_id"],
        "kind": row["posting__kind"],
        "source_id": row["posting__source_id"],
        "at": row["posting__at"],
        "account": row["account"],
        "order_id": row["order_id"],
        "amount": Money(row["amount_minor"], row["currency"]),
    }


def _balance(balance: Balance) -> dict[str, Any]:
    return {
        "account": balance.account,
        "debits": Money(balance.debits_minor, balance.currency),
        "credits": Money(balance.credits_minor, balance.currency),
        "balance": Money(balance.balance_minor, balance.currency),
    }
