"""At full scale everything still fits into what its namespace may use."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from capacity import amount, needs, quantity_findings, quota_findings
from rendering import Object, found


def test_all_quantities_can_be_read(cluster: list[Object]):
    assert quantity_findings(cluster) == []


def test_every_quota_holds_what_runs_at_full_scale(
    cluster: list[Object], environment: str, say: Callable[[str], None]
):
    assert quota_findings(cluster) == []

    for name in (f"ecommerce-{environment}", "monitoring", "logging", "search"):
        total = needs(cluster, name)
        gib = total["requests.memory"] / 1024**3
        say(f"{name}: {total['pods']} pods, {total['requests.cpu']} cores, {gib:.1f} GiB at most")


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("250m", Decimal("0.250")), ("2", Decimal(2)), ("1Gi", Decimal(1024**3)), ("1G", 10**9)],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(quantity: str, value: Decimal):
    assert amount(quantity) == value


def test_what_is_no_quantity_or_contradicts_itself_is_named(spoilt: list[Object]):
    for name, requests in (("web", {"memory": "512MB"}), ("beat", {"cpu": "2"})):
        template = found(spoilt, "Deployment", name)["spec"]["template"]
        template["spec"]["containers"][0]["resources"]["requests"].update(requests)

    assert sorted(quantity_findings(spoilt)) == [
        "Deployment/beat in ecommerce-production: cpu is limited to 500m and asks for 2",
        "Deployment/web in ecommerce-production: 512MB is no quantity (requests.memory)",
    ]


def test_a_quota_that_would_stop_the_autoscaler_is_named(spoilt: list[Object]):
    found(spoilt, "HorizontalPodAutoscaler", "web")["spec"]["maxReplicas"] = 40

    findings = quota_findings(spoilt)

    assert findings
    assert all(each.startswith("ResourceQuota/quota in ecommerce-production") for each in findings)


def test_a_namespace_without_a_quota_is_named(spoilt: list[Object]):
    spoilt.remove(found(spoilt, "ResourceQuota", "quota", "search"))

    assert quota_findings(spoilt) == ["Namespace/search has no quota"]
