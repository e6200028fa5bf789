"""RDS: every call and answer is validated by botocore's own model of the service; no cloud."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from ecommerce.recovery.errors import CannotRecover
from ecommerce.recovery.rds import Place, RdsInstance

NAME, REGION = "ecommerce-production", "us-east-1"
MOMENT = datetime(2026, 11, 25, 10, tzinfo=UTC)
LATEST = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)
INSTANCE = {
    "DBInstanceIdentifier": NAME,
    "DBInstanceStatus": "available",
    "DBInstanceClass": "db.r6g.xlarge",
    "MultiAZ": True,
    "StorageType": "gp3",
    "StorageEncrypted": True,
    "DeletionProtection": True,
    "PubliclyAccessible": False,
    "BackupRetentionPeriod": 30,
    "MaxAllocatedStorage": 500,
    "LatestRestorableTime": LATEST,
    "DBSubnetGroup": {"DBSubnetGroupName": "private"},
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1"}],
    "DBParameterGroups": [{"DBParameterGroupName": "tls-forced"}],
    "EnabledCloudwatchLogsExports": ["postgresql"],
    "TagList": [{"Key": "environment", "Value": "production"}],
    "CACertificateIdentifier": "rds-ca-rsa2048-g1",
    "MasterUserSecret": {"SecretArn": "arn:of:the:old:owner"},
    "Endpoint": {"Address": "old.rds.example.com", "Port": 5432},
}
RESTORED = INSTANCE | {
    "Endpoint": {"Address": "new.rds.example.com", "Port": 5432},
    "MasterUserSecret": {"SecretArn": "arn:of:the:new:owner"},
}
ASKED = {
    "SourceDBInstanceIdentifier": NAME,
    "TargetDBInstanceIdentifier": "restored",
    "DBInstanceClass": "db.r6g.xlarge",
    "DBSubnetGroupName": "private",
    "VpcSecurityGroupIds": ["sg-1"],
    "DBParameterGroupName": "tls-forced",
    "MultiAZ": True,
    "StorageType": "gp3",
    "MaxAllocatedStorage": 500,
    "EnableIAMDatabaseAuthentication": False,
    "EnableCloudwatchLogsExports": ["postgresql"],
    "Tags": INSTANCE["TagList"],
    "BackupRetentionPeriod": 30,
    "CACertificateIdentifier": "rds-ca-rsa2048-g1",
    "ManageMasterUserPassword": True,
    "PubliclyAccessible": False,
    "DeletionProtection": True,
    "CopyTagsToSnapshot": True,
}


@contextmanager
def answering(instance: RdsInstance) -> Iterator[Stubber]:
    """Let the test say what RDS answers; everything that was said must have been asked."""
    with Stubber(instance.rds) as rds:
        yield rds
        rds.assert_no_pending_responses()


def instance_named(name: str = NAME, **place) -> RdsInstance:
    return RdsInstance(region=REGION, name=name, place=Place(**place), seconds_between_looks=0)


def describes(rds: Stubber, name: str, answer: dict) -> None:
    rds.add_response(
        "describe_db_instances", {"DBInstances": [answer]}, {"DBInstanceIdentifier": name}
    )


def is_gone(rds: Stubber) -> None:
    rds.add_client_error("describe_db_instances", "DBInstanceNotFound", "not found", 404)


def test_a_restore_to_a_moment_is_like_the_instance_beside_it():
    instance = instance_named()
    with answering(instance) as rds:
        describes(rds, NAME, INSTANCE)
        rds.add_response(
            "restore_db_instance_to_point_in_time", {}, ASKED | {"RestoreTime": MOMENT}
        )
        describes(rds, "restored", RESTORED | {"DBInstanceStatus": "creating"})
        describes(rds, "restored", RESTORED)
        describes(rds, "restored", RESTORED)

        told = instance.restore(to=MOMENT, into="restored")

    assert told == "Restored as restored, reachable at new.rds.example.com:5432."


def test_without_a_moment_the_latest_one_is_restored():
    instance = instance_named()
    with answering(instance) as rds:
        describes(rds, NAME, INSTANCE)
        rds.add_response(
            "restore_db_instance_to_point_in_time", {}, ASKED | {"UseLatestRestorableTime": True}
        )
        describes(rds, "restored", RESTORED)
        describes(rds, "restored", RESTORED)

        instance.restore(to=None, into="restored")


def test_an_instance_that_is_gone_is_restored_from_the_backups_that_the_region_has():
    instance = RdsInstance(
        region="us-west-2",
        name=NAME,
        place=Place("db.r6g.xlarge", "private-west", ("sg-west",), "tls-forced-west"),
        seconds_between_looks=0,
    )
    backups = "arn:aws:rds:us-west-2:111122223333:auto-backup:ab-1"
    with answering(instance) as rds:
        is_gone(rds)
        rds.add_response(
            "describe_db_instance_automated_backups",
            {
                "DBInstanceAutomatedBackups": [
                    {"DBInstanceAutomatedBackupsArn": backups, "BackupRetentionPeriod": 30}
                ]
            },
            {"DBInstanceIdentifier": NAME},
        )
        rds.add_response(
            "restore_db_instance_to_point_in_time",
            {},
            {
                "SourceDBInstanceAutomatedBackupsArn": backups,
                "TargetDBInstanceIdentifier": NAME,
                "DBInstanceClass": "db.r6g.xlarge",
                "DBSubnetGroupName": "private-west",
                "VpcSecurityGroupIds": ["sg-west"],
                "DBParameterGroupName": "tls-forced-west",
                "MultiAZ": True,
                "BackupRetentionPeriod": 30,
                "ManageMasterUserPassword": True,
                "PubliclyAccessible": False,
                "DeletionProtection": True,
                "CopyTagsToSnapshot": True,
                "UseLatestRestorableTime": True,
            },
        )
        describes(rds, NAME, RESTORED)
        describes(rds, NAME, RESTORED)

        instance.restore(to=None, into=NAME)


def test_an_instance_that_is_gone_needs_a_place():
    instance = instance_named()
    with answering(instance) as rds:
        is_gone(rds)

        with pytest.raises(CannotRecover, match="say with --instance-class"):
            instance.restore(to=None, into=NAME)


def test_an_instance_without_backups_is_one_sentence():
    instance = instance_named(
        instance_class="db.r6g.xlarge", subnet_group="private", security_groups=("sg-1",)
    )
    with answering(instance) as rds:
        is_gone(rds)
        rds.add_response(
            "describe_db_instance_automated_backups", {"DBInstanceAutomatedBackups": []}
        )

        with pytest.raises(CannotRecover, match=f"us-east-1 has neither {NAME} nor backups"):
            instance.restore(to=None, into=NAME)


def test_what_aws_refuses_is_one_sentence():
    instance = instance_named()
    with answering(instance) as rds:
        describes(rds, NAME, INSTANCE)
        rds.add_client_error(
            "restore_db_instance_to_point_in_time", "DBInstanceAlreadyExists", "it exists", 400
        )

        with pytest.raises(CannotRecover, match=r"AWS refused: .*it exists"):
            instance.restore(to=None, into="restored")


def test_the_status_is_what_rds_says():
    instance = instance_named()
    with answering(instance) as rds:
        describes(rds, NAME, INSTANCE)
        snapshots = [
            {"SnapshotCreateTime": MOMENT, "Status": "available"},
            {"SnapshotCreateTime": LATEST, "Status": "creating"},
        ]
        rds.add_response(
            "describe_db_snapshots", {"DBSnapshots": snapshots}, {"DBInstanceIdentifier": NAME}
        )

        status = instance.status()

    assert (status.newest_backup, status.restorable_until) == (MOMENT, LATEST)


def test_the_status_of_replicated_backups_is_their_window():
    instance = instance_named()
    window = {"EarliestTime": MOMENT, "LatestTime": LATEST}
    with answering(instance) as rds:
        is_gone(rds)
        rds.add_response(
            "describe_db_instance_automated_backups",
            {"DBInstanceAutomatedBackups": [{"RestoreWindow": window}]},
        )

        assert instance.status().restorable_until == LATEST


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"BackupRetentionPeriod": 1}, "keeps backups for less than 7 days"),
        ({"StorageEncrypted": False}, "is not encrypted"),
        ({"DeletionProtection": False}, "can be deleted by one call"),
        ({"PubliclyAccessible": True}, "is reachable from the internet"),
    ],
)
def test_an_instance_that_is_not_kept_safely_is_named(change, complaint):
    instance = instance_named()
    with answering(instance) as rds:
        describes(rds, NAME, INSTANCE | change)

        with pytest.raises(CannotRecover, match=complaint):
            instance.verify()


def test_an_instance_that_is_kept_safely_passes():
    instance = instance_named()
    with answering(instance) as rds:
        describes(rds, NAME, INSTANCE)

        assert instance.verify() == f"{NAME} keeps 30 days of backups."


def test_a_switch_changes_where_the_secret_leads_and_nothing_else():
    instance = instance_named()
    secret = {
        "username": "store",
        "password": "p",
        "host": "old.rds.example.com",
        "port": 5432,
        "dbname": "store",
        "masterarn": "arn:of:the:old:owner",
    }
    switched = secret | {"host": "new.rds.example.com", "masterarn": "arn:of:the:new:owner"}
    name = "ecommerce/production/database"
    with answering(instance) as rds, Stubber(instance.secrets) as secrets:
        describes(rds, "restored", RESTORED)
        version = "11111111-1111-1111-1111-111111111111"
        secrets.add_response(
            "get_secret_value",
            {"SecretString": json.dumps(secret), "VersionId": version},
            {"SecretId": name},
        )
        secrets.add_response(
            "put_secret_value", {}, {"SecretId": name, "SecretString": json.dumps(switched)}
        )

        told = instance.switch(to="restored", secret=name)

    assert version in told


def test_a_snapshot_is_waited_for():
    instance = instance_named()
    with answering(instance) as rds:
        rds.add_response("create_db_snapshot", {})
        rds.add_response("describe_db_snapshots", {"DBSnapshots": [{"Status": "available"}]})

        assert instance.back_up().startswith(f"{NAME}-20")
