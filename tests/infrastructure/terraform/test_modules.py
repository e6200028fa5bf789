"""Each module keeps its promises: its own tests, by Terraform's core with mocked answers of AWS."""

from pathlib import Path

import pytest
from core import TERRAFORM, Core, modules
from test_configuration import plant

LARGE = {"cluster", "store", "dev", "staging", "production"}
# A promise -> (module, what is written, what is planted, the run that notices).
BROKEN = {
    "an unencrypted disk": (
        "database",
        "storage_encrypted     = true",
        "storage_encrypted     = false",
        "data_is_encrypted_where_it_lies_and_on_its_way",
    ),
    "plain connections": (
        "database",
        '"rds.force_ssl"',
        '"log_statement"',
        "data_is_encrypted_where_it_lies_and_on_its_way",
    ),
    "a database on the internet": (
        "database",
        "publicly_accessible    = false",
        "publicly_accessible    = true",
        "only_named_groups_connect",
    ),
    "a public bucket": (
        "bucket",
        "restrict_public_buckets = true",
        "restrict_public_buckets = false",
        "the_public_has_no_way_in",
    ),
    "a broker that forgets": (
        "redis",
        "value = var.when_full",
        'value = "allkeys-lru"',
        "a_broker_evicts_nothing",
    ),
    "clients that take any certificate": (
        "redis",
        "?ssl_cert_reqs=required",
        "",
        "nobody_reads_along",
    ),
    "one way out for three zones": (
        "network",
        "var.nat_in_each_zone ? zone : local.zones[0]",
        "local.zones[0]",
        "each_zone_leaves_by_its_own_gateway",
    ),
    "a way out for databases": (
        "network",
        "route_table_id = aws_route_table.data.id",
        "route_table_id = aws_route_table.private[each.key].id",
        "databases_have_no_way_out",
    ),
    "a role for every pod": (
        "workload_role",
        ':sub" = "system:serviceaccount:${var.namespace}:${var.service_account}',
        ':sub" = "system:serviceaccount:${var.namespace}:*',
        "one_service_account_takes_the_role",
    ),
    "a pipeline that pushes anywhere": (
        "pipeline",
        "Resource = var.repository_arn",
        'Resource = "*"',
        "it_pushes_to_one_repository_and_finds_named_clusters",
    ),
    "network policies without effect": (
        "cluster",
        'enableNetworkPolicy = "true"',
        'enableNetworkPolicy = "false"',
        "the_network_enforces_policies",
    ),
    "tags that move": (
        "registry",
        'image_tag_mutability = "IMMUTABLE"',
        'image_tag_mutability = "MUTABLE"',
        "tags_never_move_and_images_are_scanned",
    ),
}


def weighed(folder: Path) -> object:
    name = str(folder.relative_to(TERRAFORM))
    marks = [pytest.mark.slow] if folder.name in LARGE else []
    return pytest.param(name, marks=marks, id=name)


@pytest.mark.parametrize("module", [weighed(folder) for folder in modules(TERRAFORM)])
def test_a_module_passes_its_own_tests(terraform: Core, untouched: Path, module: str):
    done = terraform.tested(untouched / module)

    assert done.returncode == 0, done.stdout
    assert ", 0 failed." in done.stdout
    assert "Success! 0 passed" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("promise", BROKEN)
def test_a_broken_promise_is_noticed(terraform: Core, configuration: Path, promise: str):
    module, written, planted, run = BROKEN[promise]
    folder = configuration / "modules" / module
    plant(folder, written, planted)

    done = terraform.tested(folder)

    assert done.returncode == 1
    assert f'run "{run}"... fail' in done.stdout
