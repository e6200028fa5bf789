"""Bring database, static files, catalog and admin up to date: one Django process for all of it."""

import argparse
import time
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from ecommerce.local.environment import ADMIN_EMAIL
from ecommerce.local.state import fingerprint


def main() -> None:
    """Run the steps; the first that fails ends the process with its traceback."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requirements", type=Path, required=True)
    options = parser.parse_args()
    django.setup()
    _step("migrate_online", verbosity=0)
    _collect_static_files(options.requirements)
    _step("load_sample_catalog")
    _step("load_sample_taxes")
    _step("create_admin", email=ADMIN_EMAIL)


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
    sources = (*settings.STATICFILES_DIRS, *(settings.BASE_DIR / "apps").glob("*/static"))
    now = fingerprint(requirements, *(Path(source) for source in sources))
    if stamp.exists() and stamp.read_text() == now and Path(settings.STATIC_ROOT).exists():
        return
    _step("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(now)


if __name__ == "__main__":
    main()
