"""Customers who get prices of their own."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from apps.kernel.ids import new_id

CODE = r"^[a-z0-9]+(-[a-z0-9]+)*\Z"
is_a_code = RegexValidator(CODE, "Use small letters, digits and single hyphens.", code="code")


class CustomerGroup(models.Model):
    """Customers who buy on the same terms, such as resellers. A person is in at most one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40, validators=[is_a_code])
    name = models.CharField(max_length=120)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="customer_group_code_is_unique",
                violation_error_message="There is a group with this code.",
            ),
            models.CheckConstraint(
                condition=Q(code__regex=CODE), name="customer_group_code_is_a_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name
