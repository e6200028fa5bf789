"""Backup and restore of the database, and of objects in a bucket.

A target is a folder of ours (`/srv/backups`), or an instance of RDS (`rds:us-east-1:name`).
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ecommerce.recovery.archive import stream
from ecommerce.recovery.errors import CannotRecover
from ecommerce.recovery.programs import Tools, tools_for
from ecommerce.recovery.rds import Place, RdsInstance
from ecommerce.recovery.repository import KEPT, Repository
from ecommerce.recovery.s3 import restore_objects
from ecommerce.recovery.target import Target

RPO_MINUTES = 15  # what the store promises; the store's own drill keeps 60 seconds


def main(arguments: Sequence[str], *, tools: Tools | None = None) -> int:
    """Run the command that the arguments name. Returns the exit code.

    Without `tools` the programs are those of this machine.
    """
    options = parser().parse_args(arguments)
    try:
        return _run(options, tools)
    except CannotRecover as refusal:
        print(refusal, file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, tools: Tools | None) -> int:
    if options.command == "restore-objects":
        to, apply = options.to, options.apply
        restore_objects(options.bucket, prefix=options.prefix, to=to, apply=apply, tell=_tell)
        return 0
    if not options.target:
        raise CannotRecover("Say with --target, or BACKUP_TARGET, where the backups are.")
    if options.command == "archive":
        stream(_repository(options, tools), tell=_tell)
        return 0
    if options.command == "switch":
        _tell(_instance(options).switch(to=options.to_instance, secret=options.secret))
        return 0
    remote = options.target.startswith("rds:")
    target: Target = _instance(options) if remote else _repository(options, tools)
    match options.command:
        case "backup":
            _tell(f"Backup {target.back_up()} is complete and checked.")
        case "verify":
            _tell(target.verify())
        case "restore":
            _tell(target.restore(to=options.to, into=options.into))
        case _:
            return _status(target, at_most=options.at_most)
    return 0


def _status(target: Target, *, at_most: int) -> int:
    """Print how much could be restored; 1 when more than `at_most` minutes would be lost."""
    status = target.status()
    now = datetime.now(UTC)
    lost = (now - status.restorable_until).total_seconds() if status.restorable_until else None
    backup, until = status.newest_backup, status.restorable_until
    _tell(
        json.dumps(
            {
                "newest_backup": backup and backup.isoformat(timespec="seconds"),
                "restorable_until": until and until.isoformat(timespec="seconds"),
                "seconds_that_would_be_lost": lost and round(lost, 1),
            }
        )
    )
    return 0 if lost is not None and lost <= at_most * 60 else 1


def _repository(options: argparse.Namespace, tools: Tools | None) -> Repository:
    folder = Path(options.target).absolute()
    tools = tools or tools_for(folder)
    return Repository(folder, tools=tools, server=options.server, keep=options.keep)


def _instance(options: argparse.Namespace) -> RdsInstance:
    try:
        kind, region, name = options.target.split(":")
    except ValueError:
        kind = ""
    if kind != "rds":
        raise CannotRecover("This needs a target like rds:us-east-1:ecommerce-production.")
    place = Place(
        instance_class=options.instance_class,
        subnet_group=options.subnet_group,
        security_groups=tuple(options.security_group),
        parameter_group=options.parameter_group,
    )
    return RdsInstance(region=region, name=name, place=place)


def parser() -> argparse.ArgumentParser:
    """Return the grammar of the commands."""
    parser = argparse.ArgumentParser(prog="python -m ecommerce.recovery", description=__doc__)
    parser.add_argument("--target", default=os.environ.get("BACKUP_TARGET", ""))
    parser.add_argument(
        "--server",
        default=os.environ.get("BACKUP_SERVER", ""),
        help="postgresql://… of a role with REPLICATION and pg_monitor (a folder's backups only)",
    )
    parser.add_argument("--keep", type=int, default=KEPT, help="full backups to keep")
    # Where a database is restored to whose instance is gone, with its region or without.
    parser.add_argument("--instance-class", default="")
    parser.add_argument("--subnet-group", default="")
    parser.add_argument("--security-group", action="append", default=[])
    parser.add_argument("--parameter-group", default="")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("archive", help="stream the log until stopped")
    commands.add_parser("backup", help="take a full backup")
    commands.add_parser("verify", help="check the newest backup and the log after it")
    status = commands.add_parser("status", help="how much could be restored now")
    status.add_argument("--at-most", type=int, default=RPO_MINUTES, metavar="MINUTES")
    restore = commands.add_parser("restore", help="make a new database from the backups")
    restore.add_argument("--into", required=True, help="an empty folder; a new instance's name")
    restore.add_argument("--to", type=moment, help="just before this moment (ISO 8601 with offset)")
    switch = commands.add_parser("switch", help="let the store use a restored instance")
    switch.add_argument("--to-instance", required=True)
    switch.add_argument("--secret", required=True, help="ecommerce/<environment>/database")
    objects = commands.add_parser("restore-objects", help="bring back former versions in a bucket")
    objects.add_argument("--bucket", required=True)
    objects.add_argument("--prefix", default="")
    objects.add_argument("--to", type=moment, required=True)
    objects.add_argument("--apply", action="store_true", help="do it; else only list")
    return parser


def moment(text: str) -> datetime:
    """Return the moment that the text names. Raises ValueError, also without an offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at


def _tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
