"""Where things are that had another address before."""

from apps.catalog.models import Category, Product


def product_slug_now(former: str, *, published_only: bool) -> str | None:
    """Return what the product is called that once had this slug."""
    products = Product.objects.filter(former_slugs__slug=former)
    if published_only:
        products = products.filter(status=Product.Status.PUBLISHED)
    return products.values_list("slug", flat=True).first()


def category_slug_now(former: str) -> str | None:
    """Return what the category is called that once had this slug."""
    categories = Category.objects.filter(former_slugs__slug=former)
    return categories.values_list("slug", flat=True).first()
