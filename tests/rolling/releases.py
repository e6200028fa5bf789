"""Releases of the store as folders: this checkout, and successors with migrations of their own."""

import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import toolbox

CODE = ("apps", "ecommerce", "config/gunicorn.conf.py", "manage.py", "templates", "static")
SHORT = "CONSTRAINT gift_note_is_short CHECK (length(gift_note) <= 200)"
# What a careful release does to the schema, one after the other, beside the running store.
CHANGES = {
    2: (True, "ALTER TABLE orders_order ADD COLUMN gift_note text"),
    4: (False, "CREATE INDEX CONCURRENTLY order_by_gift_note ON orders_order (gift_note)"),
    5: (True, f"ALTER TABLE orders_order ADD {SHORT} NOT VALID"),
    6: (False, "ALTER TABLE orders_order VALIDATE CONSTRAINT gift_note_is_short"),
    8: (True, "ALTER TABLE orders_cart ADD COLUMN source text NOT NULL DEFAULT 'web'"),
    10: (True, "ALTER TABLE orders_order DROP COLUMN gift_note"),
}
MIGRATION = '''"""Planted by the rolling-update test."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("orders", "{after}")]
    operations = [migrations.RunSQL({sql!r})]
'''
LATER = "9{number:03d}_planted"


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the code. Number 1 is this checkout as it stands."""

    number: int
    folder: Path


def release(number: int, parent: Path) -> Release:
    """Make the folder of a release, with all changes of the schema up to its number."""
    folder = parent / f"release-{number}"
    folder.mkdir()
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *CODE],
        cwd=toolbox.CHECKOUT,
        check=True,
        capture_output=True,
    ).stdout
    archive = folder / "code.tar"
    with tarfile.open(archive, "w") as tar:
        for name in filter(None, tracked.decode().split("\0")):
            if (toolbox.CHECKOUT / name).exists():
                tar.add(toolbox.CHECKOUT / name, name)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()
    migrations = folder / "apps" / "orders" / "migrations"
    after = max(file.stem for file in migrations.glob("0*.py"))
    for change, (atomic, sql) in CHANGES.items():
        if change <= number:
            name = LATER.format(number=change)
            text = MIGRATION.format(atomic=atomic, after=after, sql=sql)
            (migrations / f"{name}.py").write_text(text)
            after = name
    return Release(number, folder)
