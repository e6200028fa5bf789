"""What a plan costs in a month: `terraform show -json plan | python terraform/cost/estimate.py`.

Sizes and counts come from the plan, unit prices from `prices.json`, and what no plan can know, how
much is used, from `usage.json`. A resource type that is neither priced nor known to be free ends
the calculation: an estimate that leaves something out in silence is worse than none.
"""

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BENCHMARK = HERE.parents[1] / "benchmarks" / "results.md"
HOURS = 730
BEGIN, END = "<!-- calculated: begin -->", "<!-- calculated: end -->"
# The bands of the architecture document, dollars a month in production.
BANDS = {
    "EKS": (500, 1000),
    "EC2 (nodes)": (1000, 2000),
    "RDS": (500, 1000),
    "ElastiCache": (200, 400),
    "S3": (100, 200),
    "Data transfer": (200, 500),
    "Other services": (200, 400),
}
# What a visitor's hundred requests are, by the names of the benchmark's rows.
MIX = {
    "product list, 25": 45,
    "product by slug": 40,
    "categories": 5,
    "add to cart": 7,
    "log in": 1,
    "place an order of 2 lines": 2,
}
PROFILES = ("quiet", "expected", "full")
FREE = re.compile(
    r"aws_(vpc|subnet|route.*|internet_gateway|default_.*|network_acl.*|security_group.*"
    r"|vpc_security_group_.*|vpc_dhcp_.*|iam_.*|eks_(addon|access_.*|pod_identity.*)"
    r"|db_(subnet_group|parameter_group|event_subscription|instance_automated_backups.*)"
    r"|elasticache_(subnet_group|parameter_group|user.*)|s3_bucket_.*|s3_account_.*|s3_object"
    r"|ecr_(lifecycle_policy|repository_policy|registry_.*|replication_.*)"
    r"|secretsmanager_secret_.*|kms_alias|kms_key_policy|wafv2_web_acl_(association|logging.*)"
    r"|wafv2_ip_set|cloudwatch_event_.*|cloudwatch_log_(resource_policy|metric_filter)"
    r"|sns_.*|launch_template|placement_group|lambda_permission|acm_certificate.*"
    r"|cloudfront_(origin_access_.*|.*_policy|function|public_key|key_group)|ebs_encryption.*"
    r"|backup_(plan|selection|vault.*)|ce_.*|guardduty_.*|accessanalyzer_.*|ssm_.*"
    r"|serverlessapplicationrepository_.*|cloudtrail|flow_log|ec2_.*)"
    r"|(random|time|tls|null|terraform)_.*"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One position of the bill, for one month in dollars."""

    group: str
    what: str
    dollars: float


class NotPriced(Exception):
    """The plan holds something whose price is not known here."""


def estimate(plan: dict[str, Any], prices: dict[str, Any], usage: dict[str, Any]) -> list[Line]:
    """Return the positions of one month's bill. Raises NotPriced."""
    counted: dict[tuple[str, str], float] = defaultdict(float)
    for resource in resources(plan["planned_values"]["root_module"]):
        for line in _of_resource(resource, prices, usage):
            counted[line.group, line.what] += line.dollars
    for line in _of_usage(prices, usage):
        counted[line.group, line.what] += line.dollars
    return [Line(group, what, dollars) for (group, what), dollars in counted.items() if dollars]


def resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the managed resources of a planned module and of those in it."""
    for resource in module.get("resources", ()):
        if resource["mode"] == "managed":
            yield resource
    for child in module.get("child_modules", ()):
        yield from resources(child)


def _of_resource(
    resource: dict[str, Any], prices: dict[str, Any], usage: dict[str, Any]
) -> Iterator[Line]:
    values = resource["values"]
    match resource["type"]:
        case "aws_eks_cluster":
            yield Line("EKS", "control plane", prices["eks_cluster_hour"] * HOURS)
        case "aws_eks_node_group":
            yield from _nodes(values, prices, usage)
        case "aws_db_instance":
            yield from _database(values, prices, usage)
        case "aws_elasticache_replication_group":
            hour = prices["cache_hour"][values["node_type"]]
            nodes = values.get("num_cache_clusters") or 1
            yield Line("ElastiCache", f"{values['node_type']} nodes", hour * nodes * HOURS)
        case "aws_nat_gateway":
            yield Line("Data transfer", "NAT gateways", prices["nat_hour"] * HOURS)
        case "aws_eip":
            yield Line("Data transfer", "public addresses", prices["public_address_hour"] * HOURS)
        case "aws_vpc_endpoint":
            if values.get("vpc_endpoint_type") == "Interface":
                zones = 3 if values.get("subnet_ids") is None else len(values["subnet_ids"])
                hours = prices["endpoint_zone_hour"] * zones * HOURS
                yield Line("Other services", "interface endpoints", hours)
        case "aws_s3_bucket" | "aws_ecr_repository" | "aws_cloudfront_distribution":
            pass  # paid by use
        case "aws_cloudwatch_log_group" | "aws_lambda_function":
            pass  # paid by use
        case "aws_kms_key" | "aws_kms_replica_key":
            yield Line("Other services", "KMS keys", prices["key"])
        case "aws_secretsmanager_secret":
            replicas = len(values.get("replica") or ())
            yield Line("Other services", "secrets", prices["secret"] * (1 + replicas))
        case "aws_wafv2_web_acl":
            rules = len(values.get("rule") or ())
            price = prices["firewall"] + rules * prices["firewall_rule"]
            yield Line("Other services", "web application firewall", price)
        case "aws_cloudwatch_metric_alarm":
            yield Line("Other services", "alarms", prices["alarm"])
        case "aws_cloudwatch_dashboard":
            yield Line("Other services", "dashboards", prices["dashboard"])
        case "aws_route53_zone":
            yield Line("Other services", "DNS zones", prices["zone"])
        case "aws_budgets_budget":
            pass  # the first two are free
        case kind if not FREE.fullmatch(kind):
            raise NotPriced(f"{resource['address']}: {kind} has no price in terraform/cost.")


def _nodes(values: dict[str, Any], prices: dict[str, Any], usage: dict[str, Any]) -> Iterator[Line]:
    scaling = values["scaling_config"][0]
    least, most = scaling["min_size"], scaling["max_size"]
    count = {"min": least, "middle": (least + most) / 2, "max": most}[usage["node_groups"]]
    kind = values["instance_types"][0]
    hour = prices["instance_hour"][kind]
    if values.get("capacity_type") == "SPOT":
        hour *= prices["spot_share_of_on_demand"]
        kind += " spot"
    yield Line("EC2 (nodes)", f"{kind} nodes", hour * count * HOURS)
    disk = values.get("disk_size") or 50
    yield Line("EC2 (nodes)", "node volumes", disk * count * prices["volume_gb"])


def _database(
    values: dict[str, Any], prices: dict[str, Any], usage: dict[str, Any]
) -> Iterator[Line]:
    copies = 2 if values.get("multi_az") else 1
    kind = values["instance_class"] + (" in two zones" if copies == 2 else "")
    hour = prices["database_hour"][values["instance_class"]]
    yield Line("RDS", kind, hour * copies * HOURS)
    largest = values.get("max_allocated_storage") or values["allocated_storage"]
    storage = values["allocated_storage"] if usage["database_storage"] == "allocated" else largest
    yield Line("RDS", "storage", storage * copies * prices["database_storage_gb"])


def _of_usage(prices: dict[str, Any], usage: dict[str, Any]) -> Iterator[Line]:
    def used(group: str, what: str, amount: str, price: str) -> Line:
        return Line(group, what, usage[amount] * prices[price])

    yield used(
        "RDS", "backups beyond the free share, second region", "backup_gb", "database_backup_gb"
    )
    yield used("EC2 (nodes)", "volumes of search, logs, metrics", "cluster_volume_gb", "volume_gb")
    yield used("S3", "objects", "object_gb", "object_gb")
    yield used("S3", "pictures delivered", "cdn_gb", "cdn_gb")
    yield used("Data transfer", "out to shoppers", "transfer_out_gb", "transfer_out_gb")
    yield used("Data transfer", "through NAT", "nat_gb", "nat_gb")
    yield used("Data transfer", "between zones", "between_zones_gb", "transfer_between_zones_gb")
    hour = prices["load_balancer_hour"]
    hour += prices["load_balancer_unit_hour"] * usage["load_balancer_units"]
    yield Line("Other services", "load balancer", hour * HOURS)
    yield used("Other services", "images", "image_gb", "image_gb")
    yield used("Other services", "CloudWatch and trail logs", "log_gb", "log_gb")
    yield used(
        "Other services", "firewall requests", "million_requests", "firewall_million_requests"
    )


def bill(plan: dict[str, Any], prices: dict[str, Any], usages: dict[str, Any]) -> str:
    """Return the tables of docs/cost.md: by group against the document's bands, and by line."""
    columns = [estimate(plan, prices, usages[profile]) for profile in PROFILES]
    text = ["| group | document | quiet | expected | full |", "|---|--:|--:|--:|--:|"]
    for group, (low, high) in BANDS.items():
        text.append(_row(group, f"{low:,}-{high:,}", [_sum(lines, group) for lines in columns]))
    low, high = (sum(band[end] for band in BANDS.values()) for end in (0, 1))
    text.append(_row("**total**", f"{low:,}-{high:,}", [_sum(lines) for lines in columns]))
    text += ["", "| group | line | quiet | expected | full |", "|---|---|--:|--:|--:|"]
    amounts = [{(line.group, line.what): line.dollars for line in lines} for lines in columns]
    for group in BANDS:
        for what in sorted({what for column in amounts for name, what in column if name == group}):
            text.append(_row(group, what, [column.get((group, what), 0) for column in amounts]))
    return "\n".join(text)


def _sum(lines: list[Line], group: str | None = None) -> float:
    return sum(line.dollars for line in lines if group in {None, line.group})


def _row(first: str, second: str, amounts: list[float]) -> str:
    return f"| {first} | {second} | " + " | ".join(f"{amount:,.0f}" for amount in amounts) + " |"


def cpu_ms_a_request(benchmark: str) -> float:
    """Return the CPU of web process, PostgreSQL and Redis for one average request of MIX."""
    measured = dict(re.findall(r"^\| ([^|]+) \| \*\*([0-9.]+)\*\* \|", benchmark, re.MULTILINE))
    return sum(float(measured[name]) * share for name, share in MIX.items()) / sum(MIX.values())


def capacity(benchmark: str) -> str:
    """Return in words what the measured cost of a request means for cores and nodes."""
    cpu = cpu_ms_a_request(benchmark)
    return (
        f"One request costs {cpu:.1f} ms of CPU in web process, PostgreSQL and Redis together, so "
        f"one core carries {1000 / cpu:.0f} a second, and 10,000 a second take {10 * cpu:.0f} busy "
        "cores."
    )


def main() -> None:
    """Read a plan from standard input; print the bill, or write it into the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, help="a Markdown file with the two marks")
    document = parser.parse_args().into
    prices, usages = (
        json.loads((HERE / f"{name}.json").read_text()) for name in ("prices", "usage")
    )
    try:
        tables = bill(json.load(sys.stdin), prices, usages)
    except NotPriced as refusal:
        sys.exit(str(refusal))
    text = f"{tables}\n\n{capacity(BENCHMARK.read_text())}"
    if document is None:
        print(text)
        return
    before, _, rest = document.read_text().partition(BEGIN)
    document.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
