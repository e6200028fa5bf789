"""Where the paths of accounts and sessions lead."""

from django.urls import path

from apps.users.views.account import MyDeactivation, MyEmail, MyPassword
from apps.users.views.addresses import AddressBook, OneAddress
from apps.users.views.api_keys import ApiKeyRotations, ApiKeys, OneApiKey
from apps.users.views.auth import Login, Logout, LogoutEverywhere, Refresh, Register
from apps.users.views.avatar import MyAvatar
from apps.users.views.confirmations import (
    EmailChangeConfirmation,
    PasswordReset,
    PasswordResetConfirmation,
    VerifyEmail,
)
from apps.users.views.consents import Consents
from apps.users.views.customer_groups import CustomerGroupMember, CustomerGroups, OneCustomerGroup
from apps.users.views.me import Me
from apps.users.views.people import OnePerson, People, PersonRoles
from apps.users.views.roles import OneRole, Permissions, Roles
from apps.users.views.second_factor import (
    AnswerChallenge,
    MyRecoveryCodes,
    MySecondFactor,
    MySecondFactorConfirmation,
    StepUp,
)
from apps.users.views.sessions import MySession, MySessions

urlpatterns = [
    path("auth/register", Register.as_view(), name="register"),
    path("auth/verify-email", VerifyEmail.as_view(), name="verify-email"),
    path("auth/password-reset", PasswordReset.as_view(), name="password-reset"),
    path(
        "auth/password-reset/confirm",
        PasswordResetConfirmation.as_view(),
        name="password-reset-confirm",
    ),
    path(
        "auth/email-change/confirm",
        EmailChangeConfirmation.as_view(),
        name="email-change-confirm",
    ),
    path("auth/login", Login.as_view(), name="login"),
    path("auth/two-factor", AnswerChallenge.as_view(), name="two-factor"),
    path("auth/step-up", StepUp.as_view(), name="step-up"),
    path("auth/refresh", Refresh.as_view(), name="refresh"),
    path("auth/logout", Logout.as_view(), name="logout"),
    path("auth/logout-all", LogoutEverywhere.as_view(), name="logout-all"),
    path("users/me", Me.as_view(), name="me"),
    path("users/me/password", MyPassword.as_view(), name="my-password"),
    path("users/me/email", MyEmail.as_view(), name="my-email"),
    path("users/me/deactivate", MyDeactivation.as_view(), name="my-deactivation"),
    path("users/me/avatar", MyAvatar.as_view(), name="my-avatar"),
    path("users/me/consents", Consents.as_view(), name="consents"),
    path("users/me/addresses", AddressBook.as_view(), name="addresses"),
    path("users/me/addresses/<id:address_id>", OneAddress.as_view(), name="address"),
    path("users/me/two-factor", MySecondFactor.as_view(), name="my-two-factor"),
    path(
        "users/me/two-factor/confirm",
        MySecondFactorConfirmation.as_view(),
        name="my-two-factor-confirm",
    ),
    path(
        "users/me/two-factor/recovery-codes",
        MyRecoveryCodes.as_view(),
        name="my-recovery-codes",
    ),
    path("users/me/sessions", MySessions.as_view(), name="my-sessions"),
    path("users/me/sessions/<id:session_id>", MySession.as_view(), name="my-session"),
    path("users", People.as_view(), name="people"),
    path("users/<id:user_id>", OnePerson.as_view(), name="person"),
    path("users/<id:user_id>/roles", PersonRoles.as_view(), name="person-roles"),
    path("customer-groups", CustomerGroups.as_view(), name="customer-groups"),
    path("customer-groups/<id:group_id>", OneCustomerGroup.as_view(), name="customer-group"),
    path(
        "customer-groups/<id:group_id>/members/<id:user_id>",
        CustomerGroupMember.as_view(),
        name="customer-group-member",
    ),
    path("permissions", Permissions.as_view(), name="permissions"),
    path("roles", Roles.as_view(), name="roles"),
    path("roles/<id:role_id>", OneRole.as_view(), name="role"),
    path("api-keys", ApiKeys.as_view(), name="api-keys"),
    path("api-keys/<id:key_id>", OneApiKey.as_view(), name="api-key"),
    path("api-keys/<id:key_id>/rotations", ApiKeyRotations.as_view(), name="api-key-rotations"),
]
