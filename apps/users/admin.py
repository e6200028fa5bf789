"""Accounts and sessions in the back office."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    UserChangeForm,
)
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from apps.kernel.address_forms import PlaceForm
from apps.kernel.backoffice import Guarded, ReadOnly, Recorded, Told, guarded
from apps.kernel.mail import send
from apps.users.models import (
    ADMINISTRATOR,
    Address,
    ApiKey,
    Consent,
    CustomerGroup,
    Role,
    Session,
    User,
)
from apps.users.selectors.roles import code_of, grantable, roles_of
from apps.users.serializers import pictures_of
from apps.users.services import addresses, confirmations, passwords, sessions
from apps.users.services.api_keys import revoke_key
from apps.users.services.avatars import remove_avatar
from apps.users.services.people import set_active
from apps.users.services.roles import (
    BeyondYourRights,
    assign_roles,
    change_role,
    create_role,
    granter,
    one_administrator_stays,
    remove_role,
)

admin.site.unregister(Group)

RIGHTS = ("is_staff", "is_superuser", "user_permissions")


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


class PersonChangeWithRoles(PersonChange):
    """An account with its roles, for whoever may give them."""

    roles = forms.ModelMultipleChoiceField(
        Role.objects.order_by("name"),
        required=False,
        widget=FilteredSelectMultiple("roles", is_stacked=False),
        help_text="Who has one enters the back office. A change ends the person's sessions.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["roles"] = list(Role.objects.filter(user=self.instance.pk))


class RoleForm(forms.ModelForm):
    """A role, with what of the store can be granted."""

    class Meta:
        model = Role
        fields = ("name", "description", "permissions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "permissions" in self.fields:
            ids = [permission.pk for permission in grantable().values()]
            known = self.fields["permissions"].queryset  # type: ignore[attr-defined]  # of a choice
            self.fields["permissions"].queryset = known.filter(pk__in=ids)  # type: ignore[attr-defined]  # of a choice


class PasswordChange(AdminPasswordChangeForm):
    """A new password ends the sessions of whoever knew the old one."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        usable = self.cleaned_data["set_usable_password"]
        password = self.cleaned_data["password1"] if usable else None
        passwords.change_password(user_id=self.user.pk, password=password)
        self.user.refresh_from_db()
        return self.user


class Addresses(admin.StackedInline):
    """The address book. Orders have copies of their own."""

    model = Address
    form = PlaceForm
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
class PersonAdmin(Guarded, Told, Recorded, UserAdmin):
    """Nobody changes who may do more than themselves; people are switched off, never deleted."""

    records_values = False
    form = PersonChange
    add_form = PersonCreation
    change_password_form = PasswordChange
    ordering = ("-id",)
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email", "first_name", "last_name")
    readonly_fields = ("picture", "assigned_roles", "last_login", "date_joined", "version")
    show_full_result_count = False
    inlines = (Addresses, Consents)
    actions = ("remove_avatars",)
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "usable_password", "password1", "password2"),
            },
        ),
    )

    @admin.display(description="avatar")
    def picture(self, person: User) -> str:
        """Their avatar."""
        shown = pictures_of(person.avatar_id)
        return format_html('<img src="{}" alt="" width="128">', shown["small"]) if shown else "none"

    @admin.action(description="Remove the avatars of the selected people", permissions=["change"])
    def remove_avatars(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        removed = sum(
            remove_avatar(user_id=person.pk)
            for person in queryset
            if self.has_change_permission(request, person)
        )
        self.message_user(
            request, f"{removed} avatar{'s' * (removed != 1)} removed.", messages.SUCCESS
        )

    @admin.display(description="roles")
    def assigned_roles(self, person: User) -> str:
        """Their names."""
        return ", ".join(role.name for role in roles_of(user_id=person.pk)) or "none"

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        roles = "roles" if self._gives_roles(request, obj) else "assigned_roles"
        return (
            (None, {"fields": ("email", "password")}),
            (
                "Person",
                {
                    "fields": (
                        "first_name",
                        "last_name",
                        "phone",
                        "locale",
                        "picture",
                        "customer_group",
                    )
                },
            ),
            ("Rights", {"fields": ("is_active", roles, *RIGHTS)}),
            ("History", {"fields": ("date_joined", "last_login", "version")}),
        )

    def get_form(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:  # type: ignore[override]  # as in UserAdmin
        if obj is not None and self._gives_roles(request, obj):
            kwargs["form"] = PersonChangeWithRoles
        return super().get_form(request, obj, **kwargs)

    def _gives_roles(self, request: HttpRequest, obj: User) -> bool:
        may = request.user.has_perm("users.assign_role")
        return may and self.has_change_permission(request, obj)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        fixed = [*super().get_readonly_fields(request, obj)]
        if not request.user.is_superuser:
            fixed += RIGHTS
        if not request.user.has_perm("users.deactivate_user"):
            fixed.append("is_active")
        if not request.user.has_perm("users.change_customergroup"):
            fixed.append("customer_group")
        return fixed

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        try:
            if obj is not None:
                granter(request.user).must_outrank(obj)
        except BeyondYourRights:
            return False
        return True

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @guarded
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002 - Django's name
        if not request.user.has_perm("users.set_password"):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if not change:
            super().save_model(request, obj, form, change)
            return
        # Nothing else: what is not on the page, such as a password, may have changed meanwhile.
        columns = {column.name for column in User._meta.concrete_fields}
        changed = columns.intersection(form.changed_data)
        obj.version = F("version") + 1
        with one_administrator_stays():
            obj.save(update_fields=[*(changed - {"is_active"}), "version"])
        if obj.email != form.initial["email"]:
            confirmations.void(user_id=obj.pk)
            sessions.end_all(user_id=obj.pk, reason=Session.End.EMAIL_CHANGED)
            send("email_changed", to=form.initial["email"])
        if set(RIGHTS) & set(form.changed_data):
            sessions.end_all(user_id=obj.pk, reason=Session.End.RIGHTS_CHANGED)
        if "is_active" in changed:  # by the service, which ends the sessions
            set_active(
                by=granter(request.user), user_id=obj.pk, active=form.cleaned_data["is_active"]
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_related(request, form, formsets, change)
        if "roles" in form.changed_data:
            assign_roles(
                by=granter(request.user),
                user_id=form.instance.pk,
                keys=[role.key for role in form.cleaned_data["roles"]],
            )


@admin.register(Role)
class RoleAdmin(Guarded, Told, admin.ModelAdmin):
    """Roles, through the services, which record what changes. Nobody grants what they lack."""

    form = RoleForm
    list_display = ("name", "code", "description", "version")
    search_fields = ("name", "description")
    readonly_fields = ("code", "version")
    filter_horizontal = ("permissions",)
    ordering = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        if obj is not None and obj.code == ADMINISTRATOR:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        if obj is not None and obj.code:
            return False
        return super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        wish = {
            "name": form.cleaned_data["name"],
            "description": form.cleaned_data["description"],
            "permissions": [code_of(each) for each in form.cleaned_data["permissions"]],
        }
        if change:
            change_role(by=granter(request.user), key=obj.key, **wish)
        else:
            vars(obj).update(vars(create_role(by=granter(request.user), **wish)))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Nothing: the service has set the permissions."""

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        remove_role(by=granter(request.user), key=obj.key)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Role]) -> None:
        for role in queryset:
            remove_role(by=granter(request.user), key=role.key)


@admin.register(CustomerGroup)
class CustomerGroupAdmin(Recorded, admin.ModelAdmin):
    """Groups by code. Who is in one is said on the person's page."""

    list_display = ("code", "name")
    search_fields = ("code", "name")
    ordering = ("code",)

    def save_model(self, request: HttpRequest, obj: CustomerGroup, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        obj.version += change
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


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly, admin.ModelAdmin):
    """Keys of programs: to look at and revoke. They are made where their secret can be shown."""

    list_display = ("name", "owner", "hint", "expires_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("owner",)
    search_fields = ("name", "hint", "owner__email")
    ordering = ("-id",)
    exclude = ("hash", "previous_hash")
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("users.revoke_apikey"))

    @admin.action(description="Revoke the selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        for key_id in chosen:
            revoke_key(key_id=key_id)
        self.message_user(request, f"Revoked: {len(chosen)}.", messages.SUCCESS)
