"""What is still to be told of products."""

from django.db import models


class ChangedProduct(models.Model):
    """A product whose document shows something that has changed elsewhere, such as its brand.

    Such a change may concern all products of the store: the row is all that it costs at once. A
    foreign key would wait for whoever writes the product, who may be waiting for the change.
    """

    product_id = models.UUIDField(primary_key=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.product_id)
