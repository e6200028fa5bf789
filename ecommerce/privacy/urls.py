"""Where the paths of people's rights lead."""

from django.urls import path

from ecommerce.privacy.views import (
    DataExportArchive,
    MyDataExport,
    MyDataExports,
    MyErasureRequest,
    MyErasureRequests,
)

urlpatterns = [
    path("users/me/data-exports", MyDataExports.as_view(), name="data-exports"),
    path("users/me/data-exports/<id:export_id>", MyDataExport.as_view(), name="data-export"),
    path(
        "users/me/data-exports/<id:export_id>/archive",
        DataExportArchive.as_view(),
        name="data-export-archive",
    ),
    path("users/me/erasure-requests", MyErasureRequests.as_view(), name="erasure-requests"),
    path(
        "users/me/erasure-requests/<id:request_id>",
        MyErasureRequest.as_view(),
        name="erasure-request",
    ),
]
