"""Change sets in the back office: what was previewed, and what was made of it."""

from django.contrib import admin

from apps.kernel.backoffice import ReadOnly
from apps.orders.admin.numbers import ByOrderNumber
from apps.orders.models import ChangeSet


@admin.register(ChangeSet)
class ChangeSetAdmin(ReadOnly, ByOrderNumber):
    list_display = ("id", "kind", "status", "order", "created_at", "confirmed_at")
    list_filter = ("kind", "status")
    list_select_related = ("order",)
    search_fields = ("id", "order__number", "order__email")
    ordering = ("-created_at",)
