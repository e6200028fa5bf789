"""Every object is what the API server, or the operator behind a custom resource, understands."""

from collections.abc import Callable
from pathlib import Path

import pytest
import toolbox
from elastic import elastic_findings
from rendering import Object, found, title
from schemas import builtin_findings, custom_findings, embedded

# The document's version, and the newest that the validator has.
VERSIONS = ("1.28", "1.37")


@pytest.fixture(scope="session")
def validator(tool: Callable[[str], Path]) -> Path:
    return tool("kubernetes-validate")


@pytest.fixture(scope="session")
def modules() -> Path:
    try:
        return toolbox.node_modules()
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("version", VERSIONS)
def test_all_objects_are_strictly_valid(
    validator: Path, version: str, cluster: list[Object], tmp_path: Path
):
    assert builtin_findings(validator, version, [*cluster, *embedded(cluster)], tmp_path) == []


def test_all_custom_resources_are_strictly_valid(
    modules: Path, cluster: list[Object], tmp_path: Path
):
    assert custom_findings(modules, cluster, tmp_path) == []


def test_all_resources_of_elastic_are_as_the_operator_takes_them(cluster: list[Object]):
    assert elastic_findings(cluster) == []


def misspell(each: Object) -> None:
    each["spec"]["minReadySecond"] = each["spec"].pop("minReadySeconds")


def quote_a_port(each: Object) -> None:
    each["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] = "8000"


def use_a_version_that_is_gone(each: Object) -> None:
    each["apiVersion"] = "extensions/v1beta1"


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (misspell, "'minReadySecond' was unexpected"),
        (quote_a_port, "'8000' is not of type 'integer'"),
        (use_a_version_that_is_gone, "Couldn't find schema for kind Deployment"),
    ],
)
def test_an_object_that_is_not_valid_is_named(
    validator: Path,
    error: Callable[[Object], None],
    named: str,
    spoilt: list[Object],
    tmp_path: Path,
):
    web = found(spoilt, "Deployment", "web")
    error(web)

    [finding] = builtin_findings(validator, "1.28", [web], tmp_path)

    assert finding.startswith(f"{title(web)}: ")
    assert named in finding


def test_what_a_newer_kubernetes_knows_is_refused_for_the_older(
    validator: Path, spoilt: list[Object], tmp_path: Path
):
    web = found(spoilt, "Deployment", "web")
    [container] = web["spec"]["template"]["spec"]["containers"]
    container["lifecycle"]["preStop"] = {"sleep": {"seconds": 15}}

    [finding] = builtin_findings(validator, "1.28", [web], tmp_path)

    assert "'sleep' was unexpected" in finding
    assert builtin_findings(validator, "1.37", [web], tmp_path) == []


def test_a_pod_inside_a_custom_resource_is_looked_at(
    validator: Path, spoilt: list[Object], tmp_path: Path
):
    search = found(spoilt, "Elasticsearch", "search")
    search["spec"]["nodeSets"][0]["podTemplate"]["spec"]["tolerance"] = []

    [finding] = builtin_findings(validator, "1.37", embedded([search]), tmp_path)

    assert "'tolerance' was unexpected" in finding


def forget_the_store(objects: list[Object]) -> str:
    secret = found(objects, "ExternalSecret", "ecommerce")
    secret["spec"]["dataFrom"] = "all"
    return title(secret)


def misspell_the_retention(objects: list[Object]) -> str:
    prometheus = found(objects, "Prometheus", "prometheus")
    prometheus["spec"]["retenshun"] = prometheus["spec"].pop("retention")
    return title(prometheus)


def ask_for_no_issuer(objects: list[Object]) -> str:
    certificate = found(objects, "Certificate", "web")
    del certificate["spec"]["issuerRef"]
    return title(certificate)


@pytest.mark.parametrize("error", [forget_the_store, misspell_the_retention, ask_for_no_issuer])
def test_a_custom_resource_that_is_not_valid_is_named(
    modules: Path, error: Callable[[list[Object]], str], spoilt: list[Object], tmp_path: Path
):
    name = error(spoilt)

    findings = custom_findings(modules, spoilt, tmp_path)

    assert {finding.partition(": ")[0] for finding in findings} == {name}


def test_a_resource_of_elastic_that_is_not_valid_is_named(spoilt: list[Object]):
    logs = found(spoilt, "Elasticsearch", "logs")
    logs["spec"]["nodeSet"] = logs["spec"].pop("nodeSets")
    found(spoilt, "Kibana", "kibana")["spec"]["count"] = 0

    assert [finding.partition(": ")[0] for finding in elastic_findings(spoilt)] == [
        "Elasticsearch/logs in logging",
        "Elasticsearch/logs in logging",
        "Kibana/kibana in logging",
    ]
