"""Accounts and sessions in the back office."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    UserChangeForm,
)
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.kernel.backoffice import ReadOnly, Recorded
from apps.users.models import Address, Consent, Session, User
from apps.users.services import accounts, addresses, sessions

admin.site.unregister(Group)

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class PersonCreation(AdminUserCreationForm):
    """A new account, by its address."""

    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("email",)
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}


class PersonChange(UserChangeForm):
    """An account, by its address."""

    class Meta(UserChangeForm.Meta):
        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}


class PasswordChange(AdminPasswordChangeForm):
    """A new password ends the sessions of whoever knew the old one."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        accounts.change_password(user_id=self.user.pk, password=self.cleaned_data["password1"])
        self.user.refresh_from_db()
        return self.user


class Addresses(admin.StackedInline):
    """The address book. Orders have copies of their own."""

    model = Address
    extra = 0
    max_num = addresses.MOST
    classes = ("collapse",)


class Consents(ReadOnly, admin.TabularInline):
    """What a person agreed to, when, and from where."""

    model = Consent
    extra = 0
    ordering = ("-id",)
    fields = ("purpose", "granted", "text_version", "at", "ip", "user_agent")
    readonly_fields = fields


@admin.register(User)
class PersonAdmin(Recorded, UserAdmin):
    """Only superusers touch staff and grant rights; people are switched off, never deleted."""

    records_values = False
    form = PersonChange
    add_form = PersonCreation
    change_password_form = PasswordChange
    ordering = ("-id",)
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email", "first_name", "last_name")
    readonly_fields = ("last_login", "date_joined", "version")
    show_full_result_count = False
    inlines = (Addresses, Consents)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "phone", "locale")}),
        ("Rights", {"fields": ("is_active", *RIGHTS)}),
        ("History", {"fields": ("date_joined", "last_login", "version")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "usable_password", "password1", "password2"),
            },
        ),
    )

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        rights = () if request.user.is_superuser else RIGHTS
        return [*super().get_readonly_fields(request, obj), *rights]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_staff and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if change:
            obj.version += 1
        super().save_model(request, obj, form, change)


@admin.register(Session)
class SessionAdmin(ReadOnly, admin.ModelAdmin):
    """Sessions are looked at, and revoked by whoever may change them."""

    list_display = ("user", "created_at", "last_used_at", "expires_at", "revoked_reason", "ip")
    list_filter = ("revoked_reason",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    ordering = ("-id",)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("users.revoke_session"))

    @admin.action(description="Revoke the selected sessions", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        chosen: list[UUID] = list(queryset.values_list("pk", flat=True))
        ended = sessions.end_these(session_ids=chosen, reason=Session.End.REVOKED_BY_STAFF)
        self.message_user(request, f"{ended} sessions ended.", messages.SUCCESS)
