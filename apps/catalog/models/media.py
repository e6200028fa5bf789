"""Pictures of what is sold, and the work that their files make."""

from functools import lru_cache
from typing import Final

import pgtrigger
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q

from apps.catalog.models.products import Product
from apps.kernel.ids import new_id
from apps.kernel.models import Work

# The longest side of each; a picture is never made larger than it is.
RENDITIONS: Final = {"thumbnail": 200, "medium": 600, "large": 1200}


def product_storage() -> Storage:
    """Return where product pictures are kept."""
    return storages["products"]


@lru_cache(maxsize=10_000)
def picture_url(file: str) -> str:
    """Return where the public finds a picture; lists ask that more often than anything else."""
    return product_storage().url(file)


def rendition_of(file: str, rendition: str) -> str:
    """Return the name, or the address, of a rendition of a picture of that name or address."""
    return f"{file.rpartition('.')[0]}-{rendition}.webp"


def files_are_work(name: str, *, table: str) -> pgtrigger.Trigger:
    """Return the trigger that writes down what a worker has to draw and to delete."""
    return pgtrigger.Trigger(
        name=f"{name}_files_are_work",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("file") | pgtrigger.Delete,
        func=f"""
                    IF TG_OP = 'UPDATE' AND NEW.file = OLD.file THEN
                        RETURN NULL;
                    END IF;
                    IF TG_OP <> 'DELETE' THEN
                        INSERT INTO {table}
                            (image_id, file, goes, next_action_at, tries)
                        VALUES (NEW.id, NEW.file, false, statement_timestamp(), 0);
                    END IF;
                    IF TG_OP <> 'INSERT' THEN
                        INSERT INTO {table}
                            (image_id, file, goes, next_action_at, tries)
                        VALUES (OLD.id, OLD.file, true, statement_timestamp(), 0);
                    END IF;
                    RETURN NULL;
                """,  # noqa: S608 - the table's name is a constant
    )


class Image(models.Model):
    """A picture of a product, re-encoded by the services before it is kept.

    Each file is written once: another picture is another name. Triggers write down what a worker
    has to draw and to delete, whoever changes the row.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    file = models.ImageField(
        storage=product_storage, upload_to="products", width_field="width", height_field="height"
    )
    alt = models.CharField(max_length=200, blank=True)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    position = models.PositiveIntegerField(default=0)
    has_renditions = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(width__gte=1, height__gte=1), name="image_has_a_size"
            ),
        ]
        triggers = [
            files_are_work("image", table="catalog_picturework"),
            # Whoever saves a whole row may have read it before its renditions were drawn.
            pgtrigger.Trigger(
                name="image_renditions_are_its_files",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    NEW.has_renditions := NEW.file = OLD.file
                        AND (OLD.has_renditions OR NEW.has_renditions);
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.alt or str(self.file)


class FileWork(Work):
    """A file whose renditions are to be drawn, or that goes with them unless a row shows it."""

    image_id = models.UUIDField()
    file = models.CharField(max_length=100)
    goes = models.BooleanField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.file} {'goes' if self.goes else 'is drawn'}"


class PictureWork(FileWork):
    """What is to be done with the file of a product's picture."""

    class Meta:
        verbose_name_plural = "picture work"
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="picture_work_due",
                condition=Q(next_action_at__isnull=False),
            ),
        ]
