"""Bring database, static files, catalog and admin up to date: one Django process for all of it."""

import argparse
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from ecommerce.local.environment import ADMIN_EMAIL


def main() -> None:
    """Run the steps; the first that fails ends the process with its traceback."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requirements", type=Path, required=True)
    options = parser.parse_args()
    django.setup()
    _step("migrate", verbosity=1 if _is_verbose() else 0, interactive=False)
    _collect_static_files(options.requirements)
    _step("load_sample_catalog")
    _step("create_admin", email=ADMIN_EMAIL)


def _is_verbose() -> bool:
    return bool(os.environ.get("VERBOSE"))


def _step(name: str, **options: object) -> None:
    began = time.monotonic()
    try:
        call_command(name, **options)
    except BaseException:
        print(f"{name} failed", flush=True)
        raise
    print(f"{name} done in {time.monotonic() - began:.1f} s", flush=True)


def _collect_static_files(requirements: Path) -> None:
    """Collect when a source or a dependency has changed: compressing them again takes seconds."""
    stamp = Path(settings.STATIC_ROOT).with_name("static.stamp")
    fingerprint = _fingerprint(requirements)
    if stamp.exists() and stamp.read_text() == fingerprint and Path(settings.STATIC_ROOT).exists():
        return
    _step("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(fingerprint)


def _fingerprint(requirements: Path) -> str:
    digest = hashlib.sha256(requirements.read_bytes())
    for path in sorted(_sources()):
        found = path.stat()
        digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for folder in (*settings.STATICFILES_DIRS, *(settings.BASE_DIR / "apps").glob("*/static")):
        yield from (path for path in Path(folder).rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
