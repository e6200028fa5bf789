"""Where the paths of the catalog lead."""

from django.urls import path

from apps.catalog.views.alerts import Alerts, OneAlert
from apps.catalog.views.categories import Categories
from apps.catalog.views.inventory import Inventory
from apps.catalog.views.products import OneProduct, Products

urlpatterns = [
    path("products", Products.as_view(), name="products"),
    path("products/<str:key>", OneProduct.as_view(), name="product"),
    path("categories", Categories.as_view(), name="categories"),
    path("inventory/<id:product_id>", Inventory.as_view(), name="inventory"),
    path("users/me/alerts", Alerts.as_view(), name="alerts"),
    path("users/me/alerts/<id:alert_id>", OneAlert.as_view(), name="alert"),
]
