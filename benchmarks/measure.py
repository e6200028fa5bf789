"""Measuring: run the load, read the processors' clocks around it, take the median run."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median_low

from benchmarks.cpu import cpu_seconds
from benchmarks.load import Asked, Connection, Load, run
from benchmarks.place import Place, web
from benchmarks.scenarios import Scenario, checkouts
from benchmarks.statements import statements_of, written_down

CONNECTIONS, BUYERS = 8, 32

# Milliseconds of processors a request, in all and by server; and what was answered.
Run = tuple[float, dict[str, float], Load]


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
    [rows] = measure_beside([place], application, [scenarios], probe=probe, effort=effort)
    return rows


def measure_beside(
    places: Sequence[Place],
    application: str,
    scenarios: Sequence[Sequence[Scenario]],
    *,
    probe: str,
    effort: Effort,
) -> list[list[Row]]:
    """Measure the same scenarios in several places, each run of one beside that of the others.

    What a machine is slower at one moment than at another is then the same for all of them.
    """
    statements = [
        _count_statements(place, application, own, probe)
        for place, own in zip(places, scenarios, strict=True)
    ]
    with ExitStack() as servers:
        benches = []
        for place in places:
            port, pid = servers.enter_context(web(place, application, probe=probe))
            benches.append(_Bench(port, {"web": pid, **place.trees}, effort))
        measured = []
        for beside in zip(*scenarios, strict=True):
            asked = [
                bench.warmed_up(scenario) for bench, scenario in zip(benches, beside, strict=True)
            ]
            rounds = [
                [bench.run(*each) for bench, each in zip(benches, asked, strict=True)]
                for _ in range(effort.runs)
            ]
            measured.append(
                [
                    _middle(scenario, counts[scenario.name], runs)
                    for scenario, counts, runs in zip(
                        beside, statements, zip(*rounds, strict=True), strict=True
                    )
                ]
            )
    return [list(rows) for rows in zip(*measured, strict=True)]


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
                    statuses, found = statements_of(place, connection, next(requests))
                    _expect(scenario, statuses)
            counts[scenario.name] = len(found)
    return counts


@dataclass(frozen=True, slots=True)
class _Bench:
    """A running server, whose clocks are read around each load."""

    port: int
    trees: Mapping[str, int]
    effort: Effort

    def warmed_up(self, scenario: Scenario) -> tuple[Scenario, Iterator[Asked]]:
        """Return what is to be run, after a load that does not count."""
        requests = scenario.requests(self.port)
        seconds, count = self.effort.warm_up, scenario.count
        run(self.port, requests, connections=CONNECTIONS, seconds=seconds, count=count)
        return scenario, requests

    def run(self, scenario: Scenario, requests: Iterator[Asked]) -> Run:
        """Return what the requests cost."""
        before = {name: cpu_seconds(root) for name, root in self.trees.items()}
        load = run(
            self.port,
            requests,
            connections=CONNECTIONS,
            seconds=None if scenario.count else self.effort.seconds,
            count=scenario.count,
        )
        _expect(scenario, load.statuses)
        answers = len(load.latencies)
        cpu = {
            name: (cpu_seconds(root) - before[name]) * 1000 / answers
            for name, root in self.trees.items()
        }
        return sum(cpu.values()), cpu, load


def _middle(scenario: Scenario, statements: int, runs: Sequence[Run]) -> Row:
    middle = median_low(total for total, _, _ in runs)
    _, cpu, load = next(each for each in runs if each[0] == middle)
    return Row(scenario, cpu, load, statements)


def _expect(scenario: Scenario, statuses: Collection[int]) -> None:
    if set(statuses) != scenario.statuses:
        expected, got = sorted(scenario.statuses), sorted(statuses)
        raise Unexpected(f"{scenario.name}: {expected} expected, got {got}.")
