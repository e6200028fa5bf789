"""The declared roles fit the program, and a deployment installs them."""

import ast

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from apps.kernel.roles import EVERYTHING

pytestmark = pytest.mark.django_db

ASKS = {"staff_with", "is_staff_with", "has_perm"}
DECLARED = {
    name
    for role in settings.ROLES.values()
    if role.permissions != EVERYTHING
    for name in role.permissions
}


def asked_for() -> set[str]:
    """Return every permission that the program asks for by its full name."""
    return {
        constant.value
        for path in (settings.BASE_DIR / "apps").rglob("*.py")
        if not {"tests", "migrations"} & set(path.parts)
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", getattr(call.func, "attr", "")) in ASKS
        for constant in call.args
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }


def test_every_permission_that_is_asked_for_or_declared_exists() -> None:
    existing = {
        f"{app}.{codename}"
        for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }

    assert asked_for()
    assert asked_for() | DECLARED <= existing


def test_what_a_deployment_runs_installs_the_roles() -> None:
    call_command("migrate_online", verbosity=0)

    assert set(Group.objects.values_list("name", flat=True)) == {
        role.name for role in settings.ROLES.values()
    }
