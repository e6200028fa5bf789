"""The import contracts hold, and each of them bites."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
DIRECTION = "Apps depend downwards only"
PRIVACY = "Apps meet only through interface.py"
INSIDE = "Inside an app: ways in, then writes, then reads, then data"
PURITY = "Business rules know neither HTTP nor the queue"
ARITHMETIC = "Pricing is arithmetic"


def lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the program that may be spoilt."""
    for name in ("apps", "ecommerce"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_are_kept() -> None:
    code, report = lint(ROOT)

    assert code == 0, report
    assert "Contracts: 5 kept, 0 broken." in report


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("apps/catalog/services/stock.py", "from apps.orders import interface", DIRECTION),
        ("apps/users/selectors.py", "from apps.catalog import interface", DIRECTION),
        ("apps/kernel/money.py", "from apps.users import interface", DIRECTION),
        ("apps/orders/services/carts.py", "from ecommerce import problems", DIRECTION),
        ("apps/orders/services/carts.py", "from apps.catalog import models", PRIVACY),
        ("apps/orders/tests/test_new.py", "from apps.catalog import models", PRIVACY),
        ("apps/orders/views/carts.py", "from apps.users.models import User", PRIVACY),
        ("ecommerce/views.py", "from apps.orders import models", PRIVACY),
        ("apps/orders/services/carts.py", "from apps.orders import views", INSIDE),
        ("apps/catalog/models/stock.py", "from apps.catalog import services", INSIDE),
        ("apps/orders/helpers.py", "", INSIDE),
        ("apps/orders/services/carts.py", "import rest_framework", PURITY),
        ("apps/catalog/models/stock.py", "import celery", PURITY),
        ("apps/kernel/events.py", "import celery", PURITY),
        ("apps/orders/pricing/taxes.py", "import django", ARITHMETIC),
        ("apps/orders/pricing/taxes.py", "from apps.kernel import models", ARITHMETIC),
    ],
    ids=str,
)
def test_a_violation_breaks_its_contract(copy: Path, path: str, line: str, contract: str) -> None:
    with (copy / path).open("a") as module:
        module.write(f"\n{line}\n")

    code, report = lint(copy)

    assert code != 0
    assert f"{contract} BROKEN" in report


def test_a_violation_for_types_only_is_one_too(copy: Path) -> None:
    with (copy / "apps/orders/services/carts.py").open("a") as module:
        module.write("\nif TYPE_CHECKING:\n    from apps.catalog.models import Product\n")

    code, report = lint(copy)

    assert code != 0
    assert f"{PRIVACY} BROKEN" in report
