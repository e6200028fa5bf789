"""The catalog in the back office. Stock changes with a reason; ledgers are only looked at."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db.models import F
from django.http import HttpRequest

from apps.catalog.models import (
    Brand,
    Category,
    Image,
    Product,
    Reservation,
    Stock,
    StockLocation,
    StockMovement,
    Variant,
)
from apps.catalog.services.categories import place_category
from apps.catalog.services.images import clean_picture
from apps.catalog.services.products import settle_product
from apps.catalog.services.stock import LARGEST_QUANTITY, adjust
from apps.kernel.backoffice import ReadOnly, Recorded, Told
from apps.kernel.money import EXPONENTS, format_minor
from apps.kernel.pictures import NotAPicture


class AmountField(forms.DecimalField):
    """Minor units, shown and typed as a decimal amount of the store's currency."""

    def __init__(self, **options: Any) -> None:
        self.digits = EXPONENTS.get(settings.STORE_CURRENCY, 2)
        super().__init__(min_value=0, max_digits=12, decimal_places=self.digits, **options)

    def prepare_value(self, value: Any) -> Any:
        return format_minor(value, settings.STORE_CURRENCY) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        amount: Decimal | None = super().clean(value)
        return None if amount is None else int(amount.scaleb(self.digits))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class VariantForm(forms.ModelForm):
    """A variant with its prices as amounts."""

    price_minor = AmountField(label="Price", required=False)
    compare_at_minor = AmountField(label="Compare at", required=False)

    class Meta:
        model = Variant
        fields = (
            "sku",
            "name",
            "options",
            "price_minor",
            "compare_at_minor",
            "weight_grams",
            "position",
            "is_active",
        )


class VariantFormSet(forms.BaseInlineFormSet):
    """The variants of a product; a published one keeps something to sell."""

    def clean(self) -> None:
        super().clean()
        for_sale = any(
            row.cleaned_data.get("is_active") and row.cleaned_data.get("price_minor") is not None
            for row in self.forms
            if hasattr(row, "cleaned_data")
        )
        if self.instance.status == Product.Status.PUBLISHED and not for_sale:
            raise ValidationError("A published product needs a variant for sale.")


class Variants(admin.TabularInline):
    """Variants are switched off, never deleted, because orders name them."""

    model = Variant
    form = VariantForm
    formset = VariantFormSet
    extra = 0
    can_delete = False


class ImageForm(forms.ModelForm):
    """A picture; what is uploaded is encoded anew."""

    class Meta:
        model = Image
        fields = ("file", "alt", "position")

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if not isinstance(upload, UploadedFile):
            return upload
        upload.seek(0)
        try:
            picture = clean_picture(content=upload.read())
        except NotAPicture as refusal:
            raise ValidationError(refusal.detail) from refusal
        return ContentFile(picture.content, name=picture.name)


class Images(admin.TabularInline):
    """The pictures of a product."""

    model = Image
    form = ImageForm
    extra = 0


class ProductForm(forms.ModelForm):
    """What staff write about a product."""

    class Meta:
        model = Product
        fields = (
            "name",
            "slug",
            "status",
            "category",
            "brand",
            "description",
            "package_size",
            "external_ref",
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("status") == Product.Status.PUBLISHED and not cleaned.get("category"):
            raise ValidationError({"category": "A published product needs a category."})
        return cleaned


@admin.register(Product)
class ProductAdmin(Recorded, admin.ModelAdmin):
    """Products are archived, never deleted."""

    form = ProductForm
    inlines = (Variants, Images)
    list_display = ("name", "status", "category", "brand", "price", "version", "updated_at")
    list_filter = ("status", "brand")
    list_select_related = ("category", "brand")
    search_fields = ("name", "slug", "external_ref", "variants__sku")
    readonly_fields = ("version", "published_at", "created_at", "updated_at")
    autocomplete_fields = ("category", "brand")
    prepopulated_fields = {"slug": ("name",)}
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(ordering="price_from_minor")
    def price(self, product: Product) -> str:
        """The lowest price, as an amount."""
        if product.price_from_minor is None:
            return ""
        return format_minor(product.price_from_minor, product.currency)

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        obj.currency = obj.currency or settings.STORE_CURRENCY
        # The status follows in save_related, when the variants that it needs are there.
        obj.status = form.initial.get("status", Product.Status.DRAFT) if change else "draft"
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        for row in formset.forms:
            if isinstance(row.instance, Variant):
                row.instance.currency = row.instance.currency or settings.STORE_CURRENCY
        super().save_formset(request, form, formset, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_related(request, form, formsets, change)
        settle_product(product_id=form.instance.pk, status=form.cleaned_data["status"])


class CategoryForm(forms.ModelForm):
    """A category and its place in the tree."""

    class Meta:
        model = Category
        fields = ("name", "slug", "parent", "position")

    def clean_parent(self) -> Category | None:
        parent: Category | None = self.cleaned_data["parent"]
        if parent is not None and f"/{self.instance.pk}/" in parent.path:
            raise ValidationError("A category cannot stand below itself.")
        return parent


@admin.register(Category)
class CategoryAdmin(Recorded, admin.ModelAdmin):
    """The tree, in the order of its paths."""

    form = CategoryForm
    list_display = ("name", "slug", "parent", "position")
    list_select_related = ("parent",)
    search_fields = ("name", "slug")
    autocomplete_fields = ("parent",)
    prepopulated_fields = {"slug": ("name",)}
    ordering = ("path",)

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        place_category(category=obj, parent=form.cleaned_data["parent"])


@admin.register(Brand)
class BrandAdmin(Recorded, admin.ModelAdmin):
    """Brands by name."""

    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    ordering = ("name",)


@admin.register(StockLocation)
class StockLocationAdmin(Recorded, admin.ModelAdmin):
    """Places where goods lie."""

    list_display = ("code", "name")
    ordering = ("code",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CountForm(forms.ModelForm):
    """A count of what lies in the main location, and why it differs."""

    counted = forms.IntegerField(min_value=0, max_value=LARGEST_QUANTITY)
    reason = forms.CharField(max_length=200)

    class Meta:
        model = Stock
        fields: tuple[str, ...] = ()


@admin.register(Stock)
class StockAdmin(Told, Recorded, ReadOnly, admin.ModelAdmin):
    """Balances. They change by a count with a reason, through the ledger."""

    form = CountForm
    list_display = ("sku", "location", "on_hand", "reserved", "available")
    list_select_related = ("variant", "location")
    list_filter = ("location",)
    search_fields = ("variant__sku", "variant__product__name")
    readonly_fields = ("variant", "location", "on_hand", "reserved")
    ordering = ("variant__sku", "location__code")

    @admin.display(ordering="variant__sku")
    def sku(self, stock: Stock) -> str:
        """What it is a balance of."""
        return stock.variant.sku

    @admin.display(ordering=F("on_hand") - F("reserved"))
    def available(self, stock: Stock) -> int:
        """What can still be sold."""
        return stock.on_hand - stock.reserved

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        if isinstance(obj, Stock) and obj.location.code != StockLocation.MAIN:
            return False
        return bool(request.user.has_perm("catalog.change_stock"))

    def save_model(self, request: HttpRequest, obj: Stock, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        actor_id: Any = request.user.pk
        adjust(
            counts={obj.variant_id: form.cleaned_data["counted"]},
            reason=form.cleaned_data["reason"],
            actor_id=actor_id,
        )


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnly, admin.ModelAdmin):
    """The ledger, newest first."""

    list_display = (
        "created_at",
        "sku",
        "kind",
        "on_hand_delta",
        "reserved_delta",
        "order_id",
        "reason",
    )
    list_filter = ("kind",)
    list_select_related = ("stock__variant",)
    search_fields = ("stock__variant__sku", "=order_id", "reason")
    ordering = ("-id",)

    @admin.display(ordering="stock__variant__sku")
    def sku(self, movement: StockMovement) -> str:
        """What moved."""
        return movement.stock.variant.sku


@admin.register(Reservation)
class ReservationAdmin(ReadOnly, admin.ModelAdmin):
    """What orders hold back."""

    list_display = ("created_at", "sku", "quantity", "state", "order_id")
    list_filter = ("state",)
    list_select_related = ("stock__variant",)
    search_fields = ("stock__variant__sku", "=order_id")
    ordering = ("-id",)

    @admin.display(ordering="stock__variant__sku")
    def sku(self, reservation: Reservation) -> str:
        """What is held back."""
        return reservation.stock.variant.sku
