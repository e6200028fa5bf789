"""Carts in the back office."""

from django.contrib import admin

from apps.kernel.backoffice import ReadOnly
from apps.orders.models import Cart, CartItem, SavedItem


class CartItems(ReadOnly, admin.TabularInline):
    model = CartItem
    fields = ("variant_id", "quantity", "seen_price_minor")


class SavedItems(ReadOnly, admin.TabularInline):
    model = SavedItem
    fields = ("variant_id", "quantity", "created_at")


@admin.register(Cart)
class CartAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "status", "email", "customer_id", "updated_at")
    list_filter = ("status",)
    search_fields = ("id", "email", "customer_id")
    exclude = ("token_hash",)
    inlines = (CartItems, SavedItems)
