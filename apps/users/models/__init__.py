"""Accounts, what proves them, their sessions, and the counters that slow guessing down."""

from apps.users.models.address import Address
from apps.users.models.api_key import ApiKey, KeyHolder
from apps.users.models.attempts import LoginAttempts
from apps.users.models.avatar import Avatar, picture_name
from apps.users.models.confirmation import Confirmation
from apps.users.models.consent import Consent
from apps.users.models.customer_group import CustomerGroup, is_a_code
from apps.users.models.person import User, is_ascii, normalised
from apps.users.models.role import ADMINISTRATOR, CUSTOMER, Membership, Role
from apps.users.models.second_factor import (
    MOST_TRIES,
    LoginChallenge,
    RecoveryCode,
    SecondFactor,
)
from apps.users.models.session import RefreshToken, Session
from apps.users.models.signing_key import SigningKey

__all__ = [
    "ADMINISTRATOR",
    "CUSTOMER",
    "MOST_TRIES",
    "Address",
    "ApiKey",
    "Avatar",
    "Confirmation",
    "Consent",
    "CustomerGroup",
    "KeyHolder",
    "LoginAttempts",
    "LoginChallenge",
    "Membership",
    "RecoveryCode",
    "RefreshToken",
    "Role",
    "SecondFactor",
    "Session",
    "SigningKey",
    "User",
    "is_a_code",
    "is_ascii",
    "normalised",
    "picture_name",
]
