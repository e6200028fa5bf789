"""Make `.venv` and install the pinned packages, when either is missing or out of date.

Run as a file by any Python 3, so it uses nothing but the standard library, in its oldest syntax.
"""

import hashlib
import os
import subprocess
import sys

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(CHECKOUT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
REQUIREMENTS = os.path.join(CHECKOUT, "requirements.txt")
STAMP = os.path.join(VENV, "installed.stamp")
OLDEST = (3, 11)


def main():
    """Leave a `.venv` that has what requirements.txt says, or exit with one sentence."""
    wanted = fingerprint()
    works = runs(PYTHON, "import sys; assert sys.version_info >= %r" % (OLDEST,))
    if works and read(STAMP) == wanted:
        return
    if not works:
        make_environment()
    print("Installing the packages of requirements.txt into .venv (about a minute) ...", flush=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    environment = dict(os.environ, PIP_ROOT_USER_ACTION="ignore")
    if subprocess.call(pip + ["-r", REQUIREMENTS], env=environment, cwd=CHECKOUT):
        sys.exit(
            "The packages could not be installed; the lines above say why. "
            "If none was found, check that the package registry can be reached."
        )
    with open(STAMP, "w") as stamp:
        stamp.write(wanted)


def make_environment():
    """Make `.venv` anew with this interpreter."""
    if sys.version_info < OLDEST:
        sys.exit(
            "Python %d.%d or newer is needed, and %s is %s; name another one, "
            "for example `make PYTHON=python3.11`."
            % (OLDEST + (sys.executable, sys.version.split()[0]))
        )
    if not runs(sys.executable, "import ensurepip, venv"):
        sys.exit(
            "%s cannot make virtual environments; install them first "
            "(on Debian and Ubuntu: apt-get install python3-venv)." % sys.executable
        )
    print("Making .venv with Python %s ..." % sys.version.split()[0], flush=True)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", VENV]):
        sys.exit("The virtual environment could not be made; the lines above say why.")


def fingerprint():
    """Return what tells one state of requirements.txt from another."""
    with open(REQUIREMENTS, "rb") as requirements:
        return hashlib.sha256(requirements.read()).hexdigest()


def runs(python, code):
    """Tell whether the interpreter is there and runs the code."""
    try:
        return subprocess.call([python, "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def read(path):
    """Return the text of the file, or None without one."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


if __name__ == "__main__":
    main()
