"""What invoices must keep of a person who was erased."""

from django.db import models
from django.db.models.functions import Now

from apps.orders.models.order import Order


class RetainedInvoice(models.Model):
    """To whom an order was invoiced: all that is left of an erased person, until a known day."""

    class LegalBasis(models.TextChoices):
        BOOKKEEPING = "bookkeeping", "invoices have to be kept: GDPR art. 6(1)(c), 17(3)(b)"

    order = models.OneToOneField(
        Order, primary_key=True, on_delete=models.PROTECT, related_name="retained_invoice"
    )
    address = models.JSONField(help_text="Name and postal address, nothing else.")
    legal_basis = models.CharField(
        max_length=20, choices=LegalBasis, default=LegalBasis.BOOKKEEPING
    )
    keep_until = models.DateField(db_index=True, help_text="The last day; then it is deleted.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(legal_basis__in=["bookkeeping"]),
                name="retained_invoice_basis_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} until {self.keep_until}"
