"""Who may use a view: deny unless allowed.

What authenticates a request (`request.auth`: a session, an API key) says by `second_factor` whether
more than a password stands behind it, and by `proven_at` when its person last showed one.
"""

from datetime import timedelta

from django.utils import timezone
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.kernel.errors import Forbidden, StepUpRequired

PROOF_LASTS = timedelta(minutes=10)


class TwoFactorRequired(Forbidden):
    """Staff work with a second factor: set one up, or log in with it."""

    code = "two_factor_required"


class RecentlyProven(BasePermission):
    """Admits changes in a session whose person has shown a password or code within PROOF_LASTS.

    Stands after the permission that says who may do it at all. Reading needs no proof.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
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
        def has_permission(self, request: Request, view: APIView) -> bool:
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
