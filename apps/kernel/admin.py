"""The kernel in the admin: to look at, never to touch."""

from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.kernel.backoffice import ReadOnly
from apps.kernel.mail import try_again
from apps.kernel.models import AuditEntry, IdempotencyRecord, InboxEntry, Mail, OutboxEvent


@admin.register(OutboxEvent)
class OutboxEvents(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """What happened, and whether everybody who wanted to know it knows."""

    list_display = ("name", "aggregate_id", "seq", "created_at", "tries", "done_at")
    list_filter = ("name", ("done_at", admin.EmptyFieldListFilter))
    search_fields = ("=aggregate_id",)
    ordering = ("-id",)


@admin.register(InboxEntry)
class InboxEntries(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Who has had its effect of which event."""

    list_display = ("event", "consumer", "consumed_at")
    list_filter = ("consumer",)
    list_select_related = ("event",)
    search_fields = ("=event__aggregate_id",)
    ordering = ("-id",)


@admin.register(IdempotencyRecord)
class IdempotencyRecords(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Which keys were used. The stored answers hold personal data and stay hidden."""

    list_display = ("key", "route", "status", "created_at")
    list_filter = ("status",)
    search_fields = ("=key",)
    ordering = ("-id",)
    fields = ("principal", "route", "key", "fingerprint", "status", "created_at")


@admin.register(AuditEntry)
class AuditLog(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Who did what."""

    list_display = ("at", "action", "about", "actor_kind", "actor_id", "ip", "seq")
    list_filter = ("action", "actor_kind")
    search_fields = ("=about", "=actor_id", "=request_id")
    ordering = ("-id",)
    exclude = ("ip_salt", "ip_digest", "hash")


@admin.register(Mail)
class Mails(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Who was written to, about what, and whether it went out; never what was said."""

    list_display = ("created_at", "template", "to", "tries", "sent_at", "failed_at", "failure")
    list_filter = (
        "template",
        ("sent_at", admin.EmptyFieldListFilter),
        ("failed_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("=to", "=request_id")
    ordering = ("-id",)
    exclude = ("context", "traceparent")
    actions = ("send_after_all",)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("kernel.resend_mail"))

    @admin.action(description="Try to send the selected mails again", permissions=["resend"])
    def send_after_all(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        chosen: list[UUID] = list(queryset.values_list("pk", flat=True))
        again = try_again(mail_ids=chosen)
        self.message_user(request, f"{again} mails will be tried again.", messages.SUCCESS)
