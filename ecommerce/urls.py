"""Where every path leads."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.files.storage import FileSystemStorage, storages
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.static import serve
from drf_spectacular.views import SpectacularJSONAPIView

from ecommerce.views import ConfirmPage, Documentation, ErrorCatalogue, ErrorCode, StartPage

handler400 = "ecommerce.problems.bad_request"
handler403 = "ecommerce.problems.permission_denied"
handler404 = "ecommerce.problems.page_not_found"
handler500 = "ecommerce.problems.server_error"

for_everybody: dict[str, Any] = {"authentication_classes": [], "permission_classes": []}

# Paths are tried one after the other, so what is asked most stands first.
api: list[URLPattern | URLResolver] = [
    path("carts/", include("apps.orders.cart_urls")),
    path("", include("apps.catalog.urls")),
    path("", include("apps.kernel.urls")),
    path("", include("apps.users.urls")),
    path("", include("apps.orders.urls")),
    path("", include("ecommerce.privacy.urls")),
    path("errors", ErrorCatalogue.as_view(), name="errors"),
    path("errors/<slug:code>", ErrorCode.as_view(), name="error"),
    path("openapi.json", SpectacularJSONAPIView.as_view(**for_everybody), name="openapi"),
    path("docs", Documentation.as_view(url_name="openapi", **for_everybody), name="docs"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", StartPage.as_view(), name="start"),
    path("account/confirm", ConfirmPage.as_view(), name="confirm"),
    path(".well-known/", include("apps.users.well_known")),
    path("api/v1/", include(api)),
    path("admin/", admin.site.urls),
]

if isinstance(storages["products"], FileSystemStorage):
    # Without a bucket this machine is the file server, too; people's files are not for everybody.
    media = {"document_root": settings.MEDIA_ROOT}
    urlpatterns.append(re_path(r"^media/(?P<path>products/.+)$", serve, media))
if isinstance(storages["users"], FileSystemStorage):
    urlpatterns.append(path("", include("apps.users.private_files")))
