"""Make `.venv` and install the pinned packages, when either is missing or out of date.

Run as a file by whatever Python 3 there is, to say clearly when that one is too old: so it uses
only the standard library, and no syntax that an old version does not know.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = CHECKOUT / "requirements.txt"
STAMP = VENV / "installed.stamp"
OLDEST = (3, 11)


def main() -> None:
    """Leave a `.venv` that has what requirements.txt says, or exit with one sentence."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    works = runs(PYTHON, f"import pip, sys; assert sys.version_info >= {OLDEST}")
    if works and STAMP.exists() and STAMP.read_text() == wanted:
        return
    if not works:
        make_environment()
    print("Installing the packages of requirements.txt into .venv (about a minute) ...", flush=True)
    failed = subprocess.call(
        [
            *(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("-r", str(REQUIREMENTS)),
        ],
        env=dict(os.environ, PIP_ROOT_USER_ACTION="ignore"),
        cwd=str(CHECKOUT),
    )
    if failed:
        sys.exit(
            "The packages could not be installed; the lines above say why. "
            "If none was found, check that the package registry can be reached."
        )
    STAMP.write_text(wanted)


def make_environment() -> None:
    """Make `.venv` anew with this interpreter."""
    version = sys.version.split()[0]
    if sys.version_info < OLDEST:
        sys.exit(
            f"Python 3.11 or newer is needed, and {sys.executable} is {version}; "
            "name another one, for example `make PYTHON=python3.11`."
        )
    if not runs(sys.executable, "import ensurepip, venv"):
        sys.exit(
            f"{sys.executable} cannot make virtual environments; install them first "
            "(on Debian and Ubuntu: apt-get install python3-venv)."
        )
    print(f"Making .venv with Python {version} ...", flush=True)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        sys.exit("The virtual environment could not be made; the lines above say why.")


def runs(python: "str | Path", code: str) -> bool:
    """Tell whether the interpreter is there and runs the code."""
    try:
        return subprocess.call([str(python), "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
