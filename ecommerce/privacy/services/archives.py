"""The archive of all that the store keeps of one person: a zip with a manifest."""

import hashlib
import zipfile
from datetime import datetime
from io import BytesIO

from apps.catalog import interface as catalog
from apps.kernel import personal_data as kernel
from apps.kernel.json import dumps
from apps.kernel.privacy import Kind, Person, Records, records_of
from apps.orders import interface as orders
from apps.users import interface as users
from ecommerce.privacy import personal_data as own
from ecommerce.privacy.inventory import columns
from ecommerce.privacy.services.people import known

FORMAT = "1"
WHY_WITHHELD = "It proves who you are; whoever reads it could act in your name."


def archive_of(person: Person, *, at: datetime) -> bytes:
    """Return the archive: one JSON list of rows for each table, pictures, and `manifest.json`.

    The manifest names every file with its SHA-256, and of lists the number of rows, and every
    column that was withheld, with the reason.
    """
    person = known(person)
    found = everything_of(person)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        files: list[dict[str, object]] = []
        for records in found:
            name = f"{records.model.replace('.', '/').lower()}.json"
            content = dumps(records.rows)
            archive.writestr(name, content)
            files.append(
                {
                    "name": name,
                    "rows": len(records.rows),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
            )
        for app, documents in (
            ("users", users.documents_of(person=person)),
            ("catalog", catalog.documents_of(person=person)),
            ("orders", orders.documents_of(person=person)),
        ):
            for document in documents:
                name = f"{app}/{document.name}"
                archive.writestr(name, document.content)
                files.append({"name": name, "sha256": hashlib.sha256(document.content).hexdigest()})
        there = {records.model for records in found}
        manifest = {
            "format": FORMAT,
            "person": person.user_id,
            "made_at": at,
            "files": files,
            "withheld": [
                {"table": column.model, "column": column.name, "reason": WHY_WITHHELD}
                for column in columns()
                if column.kind is Kind.SECRET and column.model in there
            ],
        }
        archive.writestr("manifest.json", dumps(manifest))
    return packed.getvalue()


def everything_of(person: Person) -> tuple[Records, ...]:
    """Return the person's rows of all apps; the person's traces have to be known."""
    return (
        *users.personal_data_of(person=person),
        *orders.personal_data_of(person=person),
        *catalog.personal_data_of(person=person),
        *records_of(kernel.TABLES, person=person),
        *records_of(own.TABLES, person=person),
    )
