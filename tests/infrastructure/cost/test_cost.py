"""The cost model adds up what a plan holds, and refuses what it cannot price."""

import importlib.util
import io
import json
from types import ModuleType
from typing import Any

import pytest
import toolbox

COST = toolbox.CHECKOUT / "terraform" / "cost"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("estimate", COST / "estimate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


model = load()
PRICES = json.loads((COST / "prices.json").read_text())
USAGES = json.loads((COST / "usage.json").read_text())


def planned(*resources: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a plan whose one module holds the resources."""
    rows = [
        {"address": f"{kind}.it", "mode": "managed", "type": kind, "values": values}
        for kind, values in resources
    ]
    return {"planned_values": {"root_module": {"child_modules": [{"resources": rows}]}}}


def dollars(group: str, *resources: tuple[str, dict[str, Any]], profile: str = "quiet") -> float:
    """Return what the resources add to their group beside what is paid by use."""
    lines = model.estimate(planned(*resources), PRICES, USAGES[profile])
    nothing = model.estimate(planned(), PRICES, USAGES[profile])
    with_them, without = (
        sum(line.dollars for line in bill if line.group == group) for bill in (lines, nothing)
    )
    return with_them - without


def test_a_database_in_two_zones_costs_twice():
    alone = {"instance_class": "db.r6g.xlarge", "allocated_storage": 100, "multi_az": False}

    assert dollars("RDS", ("aws_db_instance", alone)) == pytest.approx(0.45 * 730 + 11.5)
    assert dollars("RDS", ("aws_db_instance", alone | {"multi_az": True})) == pytest.approx(
        2 * (0.45 * 730 + 11.5)
    )


def test_nodes_are_counted_as_the_scaler_may_have_them():
    group = {
        "instance_types": ["t3.large"],
        "capacity_type": "ON_DEMAND",
        "scaling_config": [{"min_size": 3, "max_size": 10}],
        "disk_size": 50,
    }

    costs = [
        dollars("EC2 (nodes)", ("aws_eks_node_group", group), profile=profile)
        for profile in model.PROFILES
    ]

    one = 0.0832 * 730 + 50 * 0.08
    assert costs == pytest.approx([3 * one, 6.5 * one, 10 * one])


def test_a_spot_node_costs_its_share():
    group = {
        "instance_types": ["t3.large", "t3a.large"],
        "capacity_type": "SPOT",
        "scaling_config": [{"min_size": 1, "max_size": 5}],
        "disk_size": 50,
    }

    assert dollars("EC2 (nodes)", ("aws_eks_node_group", group)) == pytest.approx(
        0.4 * 0.0832 * 730 + 50 * 0.08
    )


def test_each_cache_node_and_nat_gateway_is_paid():
    cache = {"node_type": "cache.r6g.large", "num_cache_clusters": 2}
    nat: tuple[str, dict[str, Any]] = ("aws_nat_gateway", {})

    assert dollars("ElastiCache", ("aws_elasticache_replication_group", cache)) == pytest.approx(
        2 * 0.206 * 730
    )
    assert dollars("Data transfer", nat, nat, nat) == pytest.approx(3 * 0.045 * 730)


def test_what_has_no_price_ends_the_calculation():
    with pytest.raises(model.NotPriced, match=r"aws_quantum_computer.it: aws_quantum_computer has"):
        model.estimate(planned(("aws_quantum_computer", {})), PRICES, USAGES["quiet"])


def test_what_is_free_costs_nothing():
    free = [("aws_vpc", {}), ("aws_iam_role", {}), ("aws_vpc_security_group_ingress_rule", {})]

    assert model.estimate(planned(*free), PRICES, USAGES["quiet"]) == model.estimate(
        planned(), PRICES, USAGES["quiet"]
    )


def test_the_tables_of_the_document_are_written_between_their_marks(tmp_path, monkeypatch):
    document = tmp_path / "cost.md"
    document.write_text(f"before\n{model.BEGIN}\nold\n{model.END}\nafter\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(planned())))
    monkeypatch.setattr("sys.argv", ["estimate.py", "--into", str(document)])

    model.main()

    text = document.read_text()
    assert text.startswith(f"before\n{model.BEGIN}\n\n| group | document | quiet |")
    assert text.endswith(f" busy cores.\n\n{model.END}\nafter\n")
    assert "old" not in text


def test_the_cpu_of_a_request_is_the_mix_of_the_benchmark():
    rows = "\n".join(f"| {name} | **{10.0}** | x |" for name in model.MIX)

    assert model.cpu_ms_a_request(rows) == pytest.approx(10.0)


def test_the_committed_benchmark_has_every_row_of_the_mix():
    assert model.cpu_ms_a_request(model.BENCHMARK.read_text()) > 0


def test_the_total_is_the_sum_of_its_groups():
    table = model.bill(planned(), PRICES, USAGES).splitlines()

    cells = [
        [float(cell.replace(",", "")) for cell in row.split("|")[3:6]]
        for row in table[2 : 2 + len(model.BANDS) + 1]
    ]
    for column in range(3):
        assert sum(row[column] for row in cells[:-1]) == pytest.approx(cells[-1][column], abs=4)


def test_the_bands_are_the_documents():
    assert sum(low for low, _ in model.BANDS.values()) == 2700
    assert sum(high for _, high in model.BANDS.values()) == 5500
