"""Who may use a view: deny unless allowed.

What authenticates a request (`request.auth`: a session, an API key) says by `second_factor` whether
more than a password stands behind it, and by `proven_at` when its person last showed one.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.kernel.errors import Forbidden, StepUpRequired

if TYPE_CHECKING:  # the framework's views import what authenticates, which asks here
    from rest_framework.views import APIView

PROOF_LASTS = timedelta(minutes=10)


class TwoFactorRequired(Forbidden):
    """Staff work with a second factor: set one up, or log in with it."""

    code = "two_factor_required"


class RecentlyProven(BasePermission):
    """Admits changes in a session whose person has shown a password or code within PROOF_LASTS.

    Stands after the permission that says who may do it at all. Reading needs no proof.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method not in SAFE_METHODS and not is_recently_proven(request.auth):
            raise StepUpRequired("Prove who you are once more: POST /api/v1/auth/step-up.")
        return True


def is_recently_proven(proof: object) -> bool:
    """Whether the person behind a session has shown a password or code within PROOF_LASTS."""
    proven_at = getattr(proof, "proven_at", None)
    return proven_at is not None and proven_at > timezone.now() - PROOF_LASTS


def is_staff_with(request: Request, permission: str) -> bool:
    """Whether the request comes from staff who hold `app.permission`, by more than a password."""
    return _holds(request, permission) and _has_second_factor(request)


def staff_with(permission: str) -> type[BasePermission]:
    """Return a permission class that admits staff who hold `app.permission`.

    Staff who have shown a password alone are told what is missing (TwoFactorRequired).
    """

    class StaffWith(BasePermission):
        admits_api_keys = True

        def has_permission(self, request: Request, view: "APIView") -> bool:
            if not _holds(request, permission):
                return False
            if not _has_second_factor(request):
                raise TwoFactorRequired("Staff need a second factor: /api/v1/users/me/two-factor.")
            return True

    return StaffWith


def _holds(request: Request, permission: str) -> bool:
    user = request.user
    return bool(user.is_authenticated and user.is_staff and user.has_perm(permission))


def _has_second_factor(request: Request) -> bool:
    return bool(getattr(request.auth, "second_factor", False))


def is_api_key(request: Request) -> bool:
    """Whether a program sends the request, with a key instead of a login."""
    return getattr(request.user, "key_id", None) is not None


class PeopleOnly(BasePermission):
    """Keeps API keys out where staff_with would admit them."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return not is_api_key(request)


def admits_api_keys(view: "APIView") -> bool:
    """Whether API keys get as far as the view's permissions.

    Only where `staff_with` asks for a permission, which a key may lack, and in views that say
    `admits_api_keys = True`.
    """
    permissions = view.get_permissions()
    if any(isinstance(each, PeopleOnly) for each in permissions):
        return False
    return any(getattr(each, "admits_api_keys", False) for each in (view, *permissions))
