"""Amounts of money in the back office."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings

from apps.kernel.money import EXPONENTS, format_minor


class AmountField(forms.DecimalField):
    """Minor units, shown and typed as a decimal amount of the store's currency."""

    def __init__(self, **options: Any) -> None:
        self.digits = EXPONENTS.get(settings.STORE_CURRENCY, 2)
        super().__init__(min_value=0, max_digits=12, decimal_places=self.digits, **options)

    def prepare_value(self, value: Any) -> Any:
        return format_minor(value, settings.STORE_CURRENCY) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        amount: Decimal | None = super().clean(value)
        return None if amount is None else int(amount.scaleb(self.digits))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)
