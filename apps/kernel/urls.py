"""Where the paths of the audit log and of the countries lead."""

from django.urls import path

from apps.kernel.country_views import Countries, OneCountry
from apps.kernel.views import AuditLog, OneAuditEntry

urlpatterns = [
    path("audit-log", AuditLog.as_view(), name="audit-log"),
    path("audit-log/<id:entry_id>", OneAuditEntry.as_view(), name="audit-entry"),
    path("countries", Countries.as_view(), name="countries"),
    path("countries/<str:country>", OneCountry.as_view(), name="country"),
]
