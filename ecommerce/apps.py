"""Which site the back office is."""

from django.contrib.admin.apps import AdminConfig


class BackOffice(AdminConfig):
    """Django's admin behind a second factor."""

    default_site = "apps.users.backoffice.BackOffice"
