"""The kernel in the admin: to look at, never to touch."""

from django.contrib import admin

from apps.kernel.backoffice import ReadOnly
from apps.kernel.models import AuditEntry, IdempotencyRecord, InboxEntry, OutboxEvent


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
