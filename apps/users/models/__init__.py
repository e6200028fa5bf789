"""Accounts, their sessions, the keys of access tokens, and the counters that slow guessing down."""

from apps.users.models.address import Address
from apps.users.models.attempts import LoginAttempts
from apps.users.models.consent import Consent
from apps.users.models.person import User, is_ascii, normalised
from apps.users.models.role import ADMINISTRATOR, CUSTOMER, Membership, Role
from apps.users.models.session import RefreshToken, Session
from apps.users.models.signing_key import SigningKey

__all__ = [
    "ADMINISTRATOR",
    "CUSTOMER",
    "Address",
    "Consent",
    "LoginAttempts",
    "Membership",
    "RefreshToken",
    "Role",
    "Session",
    "SigningKey",
    "User",
    "is_ascii",
    "normalised",
]
