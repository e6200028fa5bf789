"""Products in the back office."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from apps.catalog.admin.amounts import AmountField
from apps.catalog.admin.pictures import thumbnail
from apps.catalog.models import (
    Image,
    Product,
    Variant,
)
from apps.catalog.services.pictures import clean_picture
from apps.catalog.services.products import settle_product
from apps.kernel.backoffice import Recorded, Told
from apps.kernel.money import format_minor
from apps.kernel.pictures import NotAPicture


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
    readonly_fields = ("picture",)

    @admin.display
    def picture(self, image: Image) -> str:
        """What it looks like, small."""
        if not image.file:
            return ""
        return thumbnail(str(image.file), has_renditions=image.has_renditions, alt=image.alt)


class ProductForm(forms.ModelForm):
    """What staff write about a product."""

    class Meta:
        model = Product
        fields = (
            "name",
            "slug",
            "status",
            "publish_at",
            "unpublish_at",
            "category",
            "brand",
            "type",
            "attributes",
            "tags",
            "description",
            "seo_title",
            "seo_description",
            "package_size",
            "tax_class",
            "external_ref",
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("status") == Product.Status.PUBLISHED and not cleaned.get("category"):
            raise ValidationError({"category": "A published product needs a category."})
        return cleaned


@admin.register(Product)
class ProductAdmin(Told, Recorded, admin.ModelAdmin):
    """Products are archived, never deleted."""

    form = ProductForm
    inlines = (Variants, Images)
    list_display = ("name", "status", "category", "brand", "price", "version", "updated_at")
    list_filter = ("status", "type")
    list_select_related = ("category", "brand")
    search_fields = ("name", "slug", "external_ref", "variants__sku")
    readonly_fields = ("version", "published_at", "created_at", "updated_at")
    autocomplete_fields = ("category", "brand", "type", "tags")
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
        was = form.initial.get("status") if change and obj.category_id else None
        obj.status = was if was and was != Product.Status.SCHEDULED else Product.Status.DRAFT
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        for row in formset.forms:
            if isinstance(row.instance, Variant):
                row.instance.currency = row.instance.currency or settings.STORE_CURRENCY
        super().save_formset(request, form, formset, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_related(request, form, formsets, change)
        settle_product(product_id=form.instance.pk, status=form.cleaned_data["status"])
