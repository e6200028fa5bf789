"""Who may use a view: deny unless allowed."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


def is_staff_with(request: Request, permission: str) -> bool:
    """Whether the request comes from staff who hold `app.permission`."""
    user = request.user
    return bool(user.is_authenticated and user.is_staff and user.has_perm(permission))


def staff_with(permission: str) -> type[BasePermission]:
    """Return a permission class that admits staff who hold `app.permission`."""

    class StaffWith(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            return is_staff_with(request, permission)

    return StaffWith
