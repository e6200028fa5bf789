"""What is bought together, in the back office: counted from orders, only looked at."""

from django.contrib import admin

from apps.catalog.models import BoughtTogether
from apps.kernel.backoffice import ReadOnly


@admin.register(BoughtTogether)
class BoughtTogetherAdmin(ReadOnly, admin.ModelAdmin):
    """Pairs of products, those that most orders held first."""

    list_display = ("product", "other", "orders", "score")
    list_select_related = ("product", "other")
    search_fields = ("product__name", "product__variants__sku")
    ordering = ("-orders", "id")
