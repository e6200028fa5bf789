"""Exports and erasures in the back office: how far they are, and asking in a person's name."""

from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.kernel.backoffice import Guarded, ReadOnly
from apps.kernel.errors import DomainError
from apps.kernel.privacy import Person
from ecommerce.privacy.models import DataExport, ErasureRequest
from ecommerce.privacy.services import erasures, exports
from ecommerce.privacy.services.people import account_of

LAWFUL_TIME = timedelta(days=30)  # GDPR, article 12(3): one month


class AccountForm(forms.ModelForm):
    """The address of an account. Asking is the check: a service writes the row, or refuses."""

    asked_by: ClassVar[UUID]
    email = forms.EmailField(max_length=254, label="e-mail address of the account")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        try:
            self.instance = self.ask(account_of(email))
        except DomainError as refusal:
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        return email

    def ask(self, person: Person) -> Model:
        """Return the row that the service has written."""
        raise NotImplementedError

    def _post_clean(self) -> None:
        """Nothing is left to be filled in or checked."""

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        return self.instance


class ExportForm(AccountForm):
    """Whose data. The archive is for that person: nobody else can download it."""

    class Meta:
        model = DataExport
        fields = ()

    def ask(self, person: Person) -> DataExport:
        if person.user_id is None:
            raise NotImplementedError
        return exports.ask(user_id=person.user_id, asked_by=self.asked_by)


class ErasureForm(AccountForm):
    """Who is to be erased. It begins at once; `manage.py privacy erase` erases guests."""

    class Meta:
        model = ErasureRequest
        fields = ()

    def ask(self, person: Person) -> ErasureRequest:
        return erasures.promise(person, asked_by=self.asked_by)


class Asked(Guarded, ReadOnly, admin.ModelAdmin):
    """Rows are added through a service, after a fresh code, and looked at."""

    ordering = ("-requested_at",)
    date_hierarchy = "requested_at"
    asking: type[AccountForm]

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        meta = self.model._meta
        return request.user.has_perm(f"{meta.app_label}.add_{meta.model_name}")

    def get_form(  # type: ignore[override]  # `change` is Django's to pass
        self, request: HttpRequest, obj: Any = None, **kwargs: Any
    ) -> Any:
        if obj is None:
            return type("Asking", (self.asking,), {"asked_by": request.user.pk})
        return super().get_form(request, obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """The service has written it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Nothing hangs on it."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj else ("email",)


@admin.register(DataExport)
class DataExportAdmin(Asked):
    """Archives; what is in them only their person sees."""

    asking = ExportForm
    exclude = ("archive",)
    list_display = ("user_id", "status", "asked_by", "requested_at", "ready_at", "expires_at")
    list_filter = ("status",)
    search_fields = ("=user_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataExport]:
        return super().get_queryset(request).defer("archive")


@admin.register(ErasureRequest)
class ErasureRequestAdmin(Asked):
    """Wishes to be forgotten, what they wait for, and until when the law wants them done."""

    asking = ErasureForm
    list_display = ("user_id", "status", "waits_for", "requested_at", "answer_by", "finished_at")
    list_filter = ("status", "waits_for")
    search_fields = ("=user_id", "=email")
    actions = ("take_back",)

    @admin.display(description="law's limit", ordering="requested_at")
    def answer_by(self, row: ErasureRequest) -> datetime:
        return row.requested_at + LAWFUL_TIME

    def has_take_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("privacy.take_back_erasurerequest")

    @admin.action(description="Take back, at the person's wish", permissions=["take_back"])
    def take_back(self, request: HttpRequest, rows: QuerySet[ErasureRequest]) -> None:
        for row in rows:
            try:
                erasures.take_back(user_id=row.user_id, request_id=row.pk)
            except DomainError as refusal:
                self.message_user(request, f"{row}: {refusal.detail}", messages.ERROR)
