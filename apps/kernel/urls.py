"""Where the paths of the audit log lead."""

from django.urls import path

from apps.kernel.views import AuditLog, OneAuditEntry

urlpatterns = [
    path("audit-log", AuditLog.as_view(), name="audit-log"),
    path("audit-log/<id:entry_id>", OneAuditEntry.as_view(), name="audit-entry"),
]
