"""Measuring: run the load, read the processors' clocks around it, take the median run."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low

from benchmarks.cpu import cpu_seconds
from benchmarks.load import Connection, Load, run
from benchmarks.place import Place, web
from benchmarks.scenarios import Scenario, checkouts
from benchmarks.statements import statements_of, written_down

CONNECTIONS, BUYERS = 8, 32


class Unexpected(Exception):
    """An answer that is not the one that is measured."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often each row is measured."""

    runs: int
    seconds: float
    warm_up: float
    orders: int


@dataclass(frozen=True, slots=True)
class Row:
    """A measured scenario: the median run by processor time, in milliseconds a request."""

    scenario: Scenario
    cpu_ms: Mapping[str, float]
    load: Load
    statements: int

    @property
    def total_ms(self) -> float:
        return sum(self.cpu_ms.values())

    @property
    def too_many_statements(self) -> bool:
        budget = self.scenario.budget_statements
        return budget is not None and self.statements > budget


@dataclass(frozen=True, slots=True)
class Rush:
    """Many buyers of one SKU at once: what they were answered and what the database holds."""

    units: int
    load: Load
    orders: int
    reserved: int

    @property
    def exact(self) -> bool:
        sold = min(self.units, len(self.load.latencies))
        return (self.orders, self.reserved, self.load.statuses[201]) == (sold, sold, sold)


def measure(
    place: Place, application: str, scenarios: list[Scenario], *, probe: str, effort: Effort
) -> list[Row]:
    """Measure the scenarios on one server. Raises Unexpected for an answer of another status."""
    statements = _count_statements(place, application, scenarios, probe)
    with web(place, application, probe=probe) as (port, pid):
        trees = {"web": pid, **place.trees}
        return [
            _measure_one(scenario, statements[scenario.name], port, trees, effort)
            for scenario in scenarios
        ]


def rush(place: Place, port: int, *, variant: str, carts: list[str], units: int) -> Rush:
    """Let 32 buyers order the carts, each of one unit of the same variant."""
    load = run(port, checkouts(carts), connections=BUYERS)
    [(orders, reserved)] = place.execute(
        f"""
        SELECT (SELECT count(*) FROM orders_orderline WHERE variant_id = '{variant}'),
            (SELECT sum(reserved) FROM catalog_stock WHERE variant_id = '{variant}')
        """  # noqa: S608 - the id comes from the database
    )
    return Rush(units, load, int(str(orders)), int(str(reserved)))


def _count_statements(
    place: Place, application: str, scenarios: list[Scenario], probe: str
) -> dict[str, int]:
    counts = {}
    with (
        written_down(place),
        web(place, application, probe=probe, workers=1, threads=1) as (port, _),
    ):
        for scenario in scenarios:
            requests = scenario.requests(port)
            connection = Connection(port)
            with connection.socket:
                # The first may open a connection or fill a cache.
                for _ in range(2):
                    status, found = statements_of(place, connection, next(requests))
                    _expect(scenario, {status: 1})
            counts[scenario.name] = len(found)
    return counts


def _measure_one(
    scenario: Scenario, statements: int, port: int, trees: Mapping[str, int], effort: Effort
) -> Row:
    requests = scenario.requests(port)
    run(port, requests, connections=CONNECTIONS, seconds=effort.warm_up, count=scenario.count)
    runs: list[tuple[float, dict[str, float], Load]] = []
    for _ in range(effort.runs):
        before = {name: cpu_seconds(root) for name, root in trees.items()}
        seconds = None if scenario.count else effort.seconds
        load = run(port, requests, connections=CONNECTIONS, seconds=seconds, count=scenario.count)
        _expect(scenario, load.statuses)
        answers = len(load.latencies)
        cpu = {
            name: (cpu_seconds(root) - before[name]) * 1000 / answers
            for name, root in trees.items()
        }
        runs.append((sum(cpu.values()), cpu, load))
    middle = median_low(total for total, _, _ in runs)
    _, cpu, load = next(each for each in runs if each[0] == middle)
    return Row(scenario, cpu, load, statements)


def _expect(scenario: Scenario, statuses: Mapping[int, int]) -> None:
    if set(statuses) != {scenario.status}:
        raise Unexpected(f"{scenario.name}: {scenario.status} expected, got {dict(statuses)}.")
