"""Where the paths of accounts and sessions lead."""

from django.urls import path

from apps.users.views.auth import Login, Logout, Refresh, Register
from apps.users.views.me import Me

urlpatterns = [
    path("auth/register", Register.as_view(), name="register"),
    path("auth/login", Login.as_view(), name="login"),
    path("auth/refresh", Refresh.as_view(), name="refresh"),
    path("auth/logout", Logout.as_view(), name="logout"),
    path("users/me", Me.as_view(), name="me"),
]
