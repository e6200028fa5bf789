"""What would be made in an empty account, by the plans of Terraform's core."""

import copy
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import api_values
import pytest
import toolbox
import yaml
from api_values import planned, unknown_values
from core import Core

pytestmark = pytest.mark.slow

Plan = dict[str, Any]
K8S = toolbox.CHECKOUT / "k8s"


@pytest.fixture(scope="session")
def plan_of(terraform: Core, untouched: Path) -> Callable[[str], Plan]:
    return functools.cache(lambda root: terraform.planned(untouched / root))


@pytest.fixture(scope="session")
def production(plan_of: Callable[[str], Plan]) -> Plan:
    return plan_of("environments/production")


@pytest.fixture(scope="session")
def plans(plan_of: Callable[[str], Plan], production: Plan) -> list[Plan]:
    return [production, plan_of("environments/staging"), plan_of("account"), plan_of("bootstrap")]


def of(plan: Plan, kind: str) -> list[dict[str, Any]]:
    """Return the values of all resources of a type."""
    return [one["values"] for one in planned(plan) if one["type"] == kind]


def test_production_has_three_of_everything_that_a_zone_may_take_with_it(production: Plan):
    subnets = of(production, "aws_subnet")

    assert sorted(subnet["availability_zone"] for subnet in subnets) == [
        zone for zone in ("us-east-1a", "us-east-1b", "us-east-1c") for _ in range(3)
    ]
    assert len(of(production, "aws_nat_gateway")) == 3
    assert of(production, "aws_vpc")[0]["cidr_block"] == "10.0.0.0/16"


def test_production_has_the_documents_database(production: Plan):
    [database] = of(production, "aws_db_instance")

    assert {
        name: database[name] for name in ("instance_class", "multi_az", "storage_encrypted")
    } == {
        "instance_class": "db.r6g.xlarge",
        "multi_az": True,
        "storage_encrypted": True,
    }
    assert (database["allocated_storage"], database["max_allocated_storage"]) == (100, 500)
    assert database["backup_retention_period"] == 30
    assert database["deletion_protection"] is True
    assert [
        copy["region"] for copy in of(production, "aws_db_instance_automated_backups_replication")
    ] == ["us-west-2"]


def test_production_has_the_documents_nodes(production: Plan):
    sizes = {
        group["node_group_name"]: (
            group["capacity_type"],
            group["instance_types"],
            *(group["scaling_config"][0][which] for which in ("min_size", "max_size")),
        )
        for group in of(production, "aws_eks_node_group")
    }

    assert sizes == {
        "general": ("ON_DEMAND", ["t3.large"], 3, 10),
        "spot": ("SPOT", ["t3.large", "t3a.large"], 1, 5),
    }


def test_cache_and_broker_are_apart_and_each_has_a_second_machine(production: Plan):
    groups = {
        group["replication_group_id"]: (
            group["num_cache_clusters"],
            group["automatic_failover_enabled"],
            group["transit_encryption_enabled"],
        )
        for group in of(production, "aws_elasticache_replication_group")
    }
    full = {
        group["name"]: parameter["value"]
        for group in of(production, "aws_elasticache_parameter_group")
        for parameter in group["parameter"]
        if parameter["name"] == "maxmemory-policy"
    }

    assert groups == {
        "ecommerce-production-cache": (2, True, True),
        "ecommerce-production-broker": (2, True, True),
    }
    assert full == {
        "ecommerce-production-cache": "allkeys-lru",
        "ecommerce-production-broker": "noeviction",
    }


def test_dev_is_small_and_still_encrypted(plan_of: Callable[[str], Plan]):
    dev = plan_of("environments/dev")
    [database] = of(dev, "aws_db_instance")

    assert (database["instance_class"], database["multi_az"]) == ("db.t3.medium", False)
    assert (database["backup_retention_period"], database["storage_encrypted"]) == (7, True)
    assert len(of(dev, "aws_nat_gateway")) == 1
    assert {cache["node_type"] for cache in of(dev, "aws_elasticache_replication_group")} == {
        "cache.t3.medium"
    }


def test_every_bucket_is_closed_versioned_and_encrypted(plans: list[Plan]):
    for plan in plans:
        made = len(of(plan, "aws_s3_bucket"))
        for kind in (
            "aws_s3_bucket_policy",
            "aws_s3_bucket_versioning",
            "aws_s3_bucket_server_side_encryption_configuration",
            "aws_s3_bucket_lifecycle_configuration",
        ):
            assert len(of(plan, kind)) == made
        blocks = of(plan, "aws_s3_bucket_public_access_block")
        assert len(blocks) == made
        assert all(
            block[name]
            for block in blocks
            for name in block
            if name.startswith(("block_", "ignore_", "restrict_"))
        )


def test_everything_that_can_be_is_tagged(plans: list[Plan]):
    untagged = [
        one["address"]
        for plan in plans
        for one in planned(plan)
        if "tags_all" in one["values"]
        and {"Project", "Environment"} - set(one["values"]["tags_all"] or {})
    ]

    assert untagged == []


def test_values_are_those_that_aws_knows(plans: list[Plan]):
    found = [unknown_values(plan) for plan in plans]

    assert set().union(*(wrong for wrong, _ in found)) == set()
    assert set().union(*(seen for _, seen in found)) == {
        (kind, attribute)
        for kind, attributes in api_values.ENUMERATIONS.items()
        for attribute in attributes
    }


def test_a_value_that_aws_does_not_know_is_found(production: Plan):
    hurt = copy.deepcopy(production)
    [group] = [one for one in planned(hurt) if one["address"].endswith("aws_eks_node_group.spot")]
    group["values"]["capacity_type"] = "SPOTTY"

    assert unknown_values(hurt)[0] == {
        "module.store.module.cluster.aws_eks_node_group.spot: capacity_type = SPOTTY"
    }


def manifests(folder: Path) -> list[dict[str, Any]]:
    return [
        document
        for file in sorted(folder.rglob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text())
        if isinstance(document, dict)
    ]


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_cluster_names_the_roles_that_are_made(
    plan_of: Callable[[str], Plan], environment: str
):
    plan = plan_of(f"environments/{environment}")
    made = {role["name"] for role in of(plan, "aws_iam_role")}
    named = {
        annotation.rpartition("/")[2]
        for folder in ("overlays", "clusters")
        for document in manifests(K8S / folder / environment)
        if document.get("kind") == "ServiceAccount"
        if (
            annotation := document["metadata"]
            .get("annotations", {})
            .get("eks.amazonaws.com/role-arn")
        )
    }

    assert named
    assert named <= made


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_cluster_asks_for_secrets_that_are_made(
    plan_of: Callable[[str], Plan], environment: str
):
    plan = plan_of(f"environments/{environment}")
    made = {secret["name"] for secret in of(plan, "aws_secretsmanager_secret")}
    texts = [
        file.read_text()
        for folder in ("overlays", "clusters")
        for file in (K8S / folder / environment).rglob("*.yaml")
    ]
    named = {name for text in texts for name in re.findall(rf"ecommerce/{environment}/\w+", text)}

    assert named == made


def test_network_policies_name_the_subnets_that_are_made(production: Plan):
    networks = {
        subnet["tags"]["Name"].split("-")[2]: set() for subnet in of(production, "aws_subnet")
    }
    for subnet in of(production, "aws_subnet"):
        networks[subnet["tags"]["Name"].split("-")[2]].add(subnet["cidr_block"])
    policies = {
        document["metadata"]["name"]: set(re.findall(r"10\.0\.\d+\.0/\d\d", str(document)))
        for folder in ("base", "components/alb")
        for document in manifests(K8S / folder)
        if document.get("kind") == "NetworkPolicy"
    }

    assert policies["data"] == networks["data"]
    assert policies["load-balancer"] == networks["public"]
