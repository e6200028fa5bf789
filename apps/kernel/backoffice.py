"""What the admin pages of all apps share."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.files import File
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from apps.kernel.audit import record
from apps.kernel.errors import DomainError
from apps.kernel.permissions import is_recently_proven


class ReadOnly:
    """A document or a ledger: nobody adds, changes or deletes its rows by hand."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class Told:
    """A refusal of a service is shown as a message; nothing has changed then."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._tell(request, super().changeform_view, *args, **kwargs)  # type: ignore[misc]  # a mixin

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._tell(request, super().changelist_view, *args, **kwargs)  # type: ignore[misc]  # a mixin

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._tell(request, super().delete_view, *args, **kwargs)  # type: ignore[misc]  # a mixin

    def _tell(
        self, request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        try:
            return view(request, *args, **kwargs)
        except DomainError as refusal:
            messages.error(request, refusal.detail)
            return HttpResponseRedirect(request.get_full_path())


class Guarded:
    """Changes on the page are dangerous: they ask for a code, if the last one was long ago."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return guarded(super().changeform_view)(request, *args, **kwargs)  # type: ignore[misc]  # a mixin

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return guarded(super().delete_view)(request, *args, **kwargs)  # type: ignore[misc]  # a mixin


def guarded(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let what a page changes ask for a code first, if the last one was long ago."""

    @wraps(view)
    def asking(*args: Any, **kwargs: Any) -> Any:
        request = next(each for each in args if isinstance(each, HttpRequest))
        if request.method != "POST" or is_recently_proven(getattr(request, "auth", None)):
            return view(*args, **kwargs)
        messages.warning(request, "This is dangerous: show a code once more, then repeat it.")
        back = urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('admin:step_up')}?{back}")

    return asking


class Recorded:
    """What is added, changed or deleted on the page goes into the audit log.

    A page about people sets `records_values = False`: then only the names of fields are kept.
    """

    records_values = True

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 - Django's signature
    ) -> Any:
        """Record the form and its rows; Django calls this in the transaction that saves them."""
        # A form that is no row's, such as a new password, calls a service, which records.
        if isinstance(form, ModelForm) and (add or form.changed_data):
            self._record(form, "added" if add else "changed")
        for formset in formsets or ():
            new = {row.pk for row in formset.new_objects}
            for each in formset.forms:
                if each.has_changed() and each not in formset.deleted_forms:
                    self._record(each, "added" if each.instance.pk in new else "changed")
            for row in formset.deleted_objects:
                record(_named(row, "deleted"), about=row.pk)
        return super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]  # a mixin

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Record what is about to be deleted."""
        for row in queryset:
            record(_named(row, "deleted"), about=row.pk)
        return super().log_deletions(request, queryset)  # type: ignore[misc]  # a mixin

    def _record(self, form: Any, verb: str) -> None:
        about, action = form.instance.pk, _named(form.instance, verb)
        if not self.records_values:
            record(action, about=about, after={"fields": form.changed_data})
            return
        record(
            action,
            about=about,
            before=None if verb == "added" else _plain(form.initial, form.changed_data),
            after=_plain(form.cleaned_data, form.changed_data),
        )


def _named(row: Model, verb: str) -> str:
    return f"{row._meta.app_label}.{row._meta.model_name}_{verb}"


def _plain(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, object]:
    return {name: _value(values.get(name)) for name in names}


def _value(value: object) -> object:
    match value:
        case Model():
            return value.pk
        case QuerySet() | list() | tuple() | set():
            return sorted(str(_value(each)) for each in value)
        case File():
            return value.name
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)
