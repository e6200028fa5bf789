"""Prints an environment's plan as JSON, made without an account: `plan.py production`."""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import toolbox
from core import copied, core, installed


def main() -> None:
    """Plan in a copy, so that nothing is left in the checkout."""
    environment = sys.argv[1]
    try:
        with (
            core(installed()) as terraform,
            tempfile.TemporaryDirectory() as folder,
        ):
            plan = terraform.planned(copied(Path(folder)) / "environments" / environment)
    except toolbox.CannotHave as reason:
        sys.exit(str(reason))
    json.dump(plan, sys.stdout)


if __name__ == "__main__":
    main()
