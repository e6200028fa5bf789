"""What the admin pages of all apps share."""

from django.http import HttpRequest


class ReadOnly:
    """A document or a ledger: nobody adds, changes or deletes its rows by hand."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
