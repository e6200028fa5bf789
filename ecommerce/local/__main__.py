"""The commands behind the Makefile, one function each."""

import argparse
import os
import signal
import sys

from ecommerce.local.children import die_with_parent
from ecommerce.local.environment import compose_secrets
from ecommerce.local.errors import CannotStart
from ecommerce.local.manage import check_deployment, manage, renew_admin_password
from ecommerce.local.output import Log
from ecommerce.local.recovery import recover
from ecommerce.local.state import State
from ecommerce.local.supervisor import Supervisor
from ecommerce.local.testing import check_migrations, run_tests


def main() -> int:
    """Run the command that the arguments name. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ecommerce.local", description=__doc__)
    parser.add_argument(
        "--end-with-parent",
        action="store_true",
        help="stop when the process that started this one ends, however it ends",
    )
    parser.add_argument(
        "command",
        choices=(
            *("run", "test", "manage", "recovery"),
            *("check-deployment", "check-migrations", "compose-secrets"),
            *("admin-password", "clean-data"),
        ),
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.end_with_parent:
        die_with_parent(signal.SIGTERM, os.getppid())
    try:
        return _run(options.command, options.arguments)
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(command: str, arguments: list[str]) -> int:
    state = State.of_checkout()
    match command:
        case "run":
            return Supervisor(state, Log()).run()
        case "test":
            return run_tests(arguments)
        case "manage":
            return manage(state, arguments)
        case "recovery":
            return recover(state, arguments)
        case "check-deployment":
            return check_deployment()
        case "check-migrations":
            return check_migrations(arguments)
        case "compose-secrets":
            print(compose_secrets(), end="")
            return 0
        case "admin-password":
            return renew_admin_password(state)
        case _:
            state.remove()
            print(f"Removed {state.folder}.")
            return 0


if __name__ == "__main__":
    sys.exit(main())
