"""PostgreSQL at AWS: RDS backs it up by itself; here it is asked, restored and switched to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from ecommerce.recovery.errors import CannotRecover
from ecommerce.recovery.target import Status

SECONDS_BETWEEN_LOOKS = 30
MOST_LOOKS = 240


@dataclass(frozen=True, slots=True)
class Place:
    """What a restored instance needs when there is no other to copy it from."""

    instance_class: str = ""
    subnet_group: str = ""
    security_groups: tuple[str, ...] = ()
    parameter_group: str = ""


class RdsInstance:
    """One instance of RDS, or what its backups keep of it once it is gone."""

    def __init__(
        self,
        *,
        region: str,
        name: str,
        place: Place | None = None,
        seconds_between_looks: int = SECONDS_BETWEEN_LOOKS,
    ) -> None:
        self.region = region
        self.name = name
        self.place = place or Place()
        self.seconds_between_looks = seconds_between_looks
        self.rds = boto3.client("rds", region_name=region)
        self.secrets = boto3.client("secretsmanager", region_name=region)

    def status(self) -> Status:
        """Tell how much could be restored, by RDS's own word."""
        with _refusals():
            instance = self._instance()
            if instance is None:
                window = self._backups().get("RestoreWindow", {})
                return Status(window.get("EarliestTime"), window.get("LatestTime"))
            pages = self.rds.get_paginator("describe_db_snapshots").paginate(
                DBInstanceIdentifier=self.name
            )
            taken = [
                snapshot["SnapshotCreateTime"]
                for page in pages
                for snapshot in page["DBSnapshots"]
                if snapshot["Status"] == "available"
            ]
        return Status(max(taken, default=None), instance.get("LatestRestorableTime"))

    def back_up(self) -> str:
        """Take a snapshot that stays until somebody deletes it."""
        name = f"{self.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        with _refusals():
            self.rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=self.name)
            self._wait("db_snapshot_available", DBSnapshotIdentifier=name)
        return name

    def verify(self) -> str:
        """Check that the instance is kept as it has to be; its data is only proven by a restore."""
        with _refusals():
            instance = self._instance()
        if instance is None:
            raise CannotRecover(f"There is no instance {self.name} in {self.region}.")
        wrong = [
            text
            for text, right in {
                "keeps backups for less than 7 days": instance["BackupRetentionPeriod"] >= 7,
                "is not encrypted": instance["StorageEncrypted"],
                "can be deleted by one call": instance["DeletionProtection"],
                "is reachable from the internet": not instance["PubliclyAccessible"],
            }.items()
            if not right
        ]
        if wrong:
            raise CannotRecover(f"{self.name} {', '.join(wrong)}.")
        return f"{self.name} keeps {instance['BackupRetentionPeriod']} days of backups."

    def restore(self, *, to: datetime | None, into: str) -> str:
        """Make a new instance as it was just before `to`; a quarter of an hour or more."""
        with _refusals():
            instance = self._instance()
            where = self._like(instance) if instance else self._elsewhere()
            when = {"RestoreTime": to} if to else {"UseLatestRestorableTime": True}
            self.rds.restore_db_instance_to_point_in_time(
                TargetDBInstanceIdentifier=into,
                PubliclyAccessible=False,
                DeletionProtection=True,
                CopyTagsToSnapshot=True,
                **where,
                **when,
            )
            self._wait("db_instance_available", DBInstanceIdentifier=into)
            restored = self._described(into)
        endpoint = restored["Endpoint"]
        return f"Restored as {into}, reachable at {endpoint['Address']}:{endpoint['Port']}."

    def switch(self, *, to: str, secret: str) -> str:
        """Name another instance in the secret that the store's DATABASE_URL is made from.

        User, password and database stay: a restored instance has those of its origin at the
        moment it was restored to.
        """
        with _refusals():
            restored = self._described(to)
            endpoint = restored["Endpoint"]
            known = self.secrets.get_secret_value(SecretId=secret)
            content = json.loads(known["SecretString"]) | {
                "host": endpoint["Address"],
                "port": endpoint["Port"],
            }
            if owner := restored.get("MasterUserSecret"):  # by which the rotation changes logins
                content["masterarn"] = owner["SecretArn"]
            self.secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(content))
        return f"{secret} names {to} now; version {known['VersionId']} names the one before."

    def _instance(self) -> dict[str, Any] | None:
        try:
            return self._described(self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"DBInstanceNotFound", "DBInstanceNotFoundFault"}:
                return None
            raise

    def _described(self, name: str) -> dict[str, Any]:
        answer = self.rds.describe_db_instances(DBInstanceIdentifier=name)
        instance: dict[str, Any] = answer["DBInstances"][0]
        return instance

    def _backups(self) -> dict[str, Any]:
        """Return the backups that outlived the instance, or were replicated to this region."""
        answer = self.rds.describe_db_instance_automated_backups(DBInstanceIdentifier=self.name)
        found: list[dict[str, Any]] = answer["DBInstanceAutomatedBackups"]
        if not found:
            raise CannotRecover(f"{self.region} has neither {self.name} nor backups of it.")
        return found[0]

    def _like(self, instance: dict[str, Any]) -> dict[str, Any]:
        """Return how to restore beside an instance, in the same place and of the same kind."""
        groups = [group["VpcSecurityGroupId"] for group in instance["VpcSecurityGroups"]]
        copied = (
            *("DBInstanceClass", "MultiAZ", "StorageType", "MaxAllocatedStorage"),
            *("BackupRetentionPeriod", "CACertificateIdentifier"),
        )
        # RDS makes the owner's password anew; the old one stays with the old instance.
        owner = {"ManageMasterUserPassword": True} if "MasterUserSecret" in instance else {}
        return {
            "SourceDBInstanceIdentifier": self.name,
            "DBSubnetGroupName": instance["DBSubnetGroup"]["DBSubnetGroupName"],
            "VpcSecurityGroupIds": groups,
            "DBParameterGroupName": instance["DBParameterGroups"][0]["DBParameterGroupName"],
            "EnableIAMDatabaseAuthentication": instance.get(
                "IAMDatabaseAuthenticationEnabled", False
            ),
            "EnableCloudwatchLogsExports": instance.get("EnabledCloudwatchLogsExports", []),
            "Tags": instance.get("TagList", []),
            **{name: instance[name] for name in copied if name in instance},
            **owner,
        }

    def _elsewhere(self) -> dict[str, Any]:
        """Return how to restore where there is no instance to copy the place from."""
        place = self.place
        if not (place.instance_class and place.subnet_group and place.security_groups):
            raise CannotRecover(
                "The instance is gone; say with --instance-class, --subnet-group, "
                "--security-group and --parameter-group where it shall live."
            )
        group = {"DBParameterGroupName": place.parameter_group} if place.parameter_group else {}
        backups = self._backups()
        return {
            "SourceDBInstanceAutomatedBackupsArn": backups["DBInstanceAutomatedBackupsArn"],
            "BackupRetentionPeriod": backups["BackupRetentionPeriod"],
            "ManageMasterUserPassword": True,
            "DBInstanceClass": place.instance_class,
            "DBSubnetGroupName": place.subnet_group,
            "VpcSecurityGroupIds": list(place.security_groups),
            "MultiAZ": True,
            **group,
        }

    def _wait(self, what: str, **of: str) -> None:
        self.rds.get_waiter(what).wait(
            WaiterConfig={"Delay": self.seconds_between_looks, "MaxAttempts": MOST_LOOKS}, **of
        )


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what AWS refuses into one sentence."""
    try:
        yield
    except (ClientError, BotoCoreError, WaiterError) as error:
        raise CannotRecover(f"AWS refused: {error}") from error
