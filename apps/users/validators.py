"""What a password must not be, beside what Django knows."""

import re
from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError

SHORTEST_WORD = 4  # "shop" counts; "com" is part of too many words


class OwnWordsValidator:
    """Refuse a password that is too short without the store's own words (ASVS 5.0, 6.2.11)."""

    def __init__(self, *, min_length: int, words: Iterable[str]) -> None:
        self._min_length = min_length
        own = sorted({word for word in words if len(word) >= SHORTEST_WORD}, key=len, reverse=True)
        self._own = re.compile("|".join(map(re.escape, own)) or r"(?!)", re.IGNORECASE)

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Raises ValidationError `password_too_easy`."""
        left = self._own.sub("", password)
        if left != password and len(left) < self._min_length:
            raise ValidationError(self.get_help_text(), code="password_too_easy")

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return f"A password needs {self._min_length} characters beside the store's own words."
