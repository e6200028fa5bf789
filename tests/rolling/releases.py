"""Releases of the store as folders: this checkout, and successors with migrations of their own."""

import shutil
import subprocess
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
    """Make the folder of a release, with all changes of the schema up to its number.

    The first is a copy of this checkout; the others are copies of the first.
    """
    folder, first = parent / f"release-{number}", parent / "release-1"
    if number > 1:
        shutil.copytree(first, folder)
    else:
        for name in _files():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(toolbox.CHECKOUT / name, folder / name)
    migrations = folder / "apps" / "orders" / "migrations"
    after = max(file.stem for file in migrations.glob("0*.py"))
    for change, (atomic, sql) in CHANGES.items():
        if change <= number:
            name = LATER.format(number=change)
            text = MIGRATION.format(atomic=atomic, after=after, sql=sql)
            (migrations / f"{name}.py").write_text(text)
            after = name
    return Release(number, folder)


def _files() -> list[str]:
    """Return what an image would be made of."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *CODE],
        cwd=toolbox.CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [name for name in listed.split("\0") if name and (toolbox.CHECKOUT / name).exists()]
