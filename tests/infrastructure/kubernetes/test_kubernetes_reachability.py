"""Who can reach whom, asked of the policies: the needed is open, everything else is closed."""

from collections.abc import Callable, Iterator

import pytest
from reachability import Party, inside, is_allowed, open_pods, outside, parties
from rendering import Object, found, of_kind

DATABASE, OTHER_DATABASE = outside("10.0.64.17"), outside("10.0.111.4")
LOAD_BALANCER = outside("10.0.33.9")
PROVIDER = outside("54.187.174.169")
NODE_METADATA = outside("169.254.169.254")
NEIGHBOUR = outside("10.0.160.20")
API_SERVER = outside("172.20.0.1")
NAMES = inside("kube-system", **{"k8s-app": "kube-dns"})
STRANGER = inside("default", app="stranger")
ELASTIC_OPERATOR = inside("elastic-system", **{"control-plane": "elastic-operator"})

PROCESSES = (
    "web",
    "worker-payments",
    "worker-shipping",
    "worker-events",
    "worker-index",
    "beat",
    "exporter",
    "migrate",
    "check-invariants",
    "clear-sessions",
    "build-recommendations",
)
WITH_METRICS = (
    "worker-payments",
    "worker-shipping",
    "worker-events",
    "worker-index",
    "beat",
    "exporter",
)


@pytest.fixture
def store(environment: str) -> str:
    return f"ecommerce-{environment}"


@pytest.fixture
def ends(cluster: list[Object]) -> dict[str, Party]:
    return parties(cluster)


@pytest.fixture
def may(cluster: list[Object]) -> Callable[..., bool]:
    """Ask whether a connection is let through."""
    policies = of_kind(cluster, "NetworkPolicy")
    return lambda sender, receiver, port, *rest: is_allowed(policies, sender, receiver, port, *rest)


def test_nobody_is_open_in_any_direction(cluster: list[Object]):
    assert list(open_pods(cluster)) == []


def test_a_pod_that_no_policy_closes_is_named(spoilt: list[Object]):
    deny = found(spoilt, "NetworkPolicy", "deny-all", "ecommerce-production")
    deny["spec"]["policyTypes"] = ["Ingress"]

    assert sorted(open_pods(spoilt)) == sorted(
        f"ecommerce-production/{name} is open: Egress" for name in PROCESSES
    )


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_reaches_names_database_and_redis(
    name: str, store: str, ends: dict[str, Party], may: Callable[..., bool]
):
    process = ends[f"{store}/{name}"]

    assert may(process, NAMES, 53, "UDP")
    assert may(process, NAMES, 53)
    for server in (DATABASE, OTHER_DATABASE):
        assert may(process, server, 5432)
        assert may(process, server, 6379)
        assert not may(process, server, 22)


def test_only_who_has_business_outside_gets_there(
    store: str, ends: dict[str, Party], may: Callable[..., bool]
):
    outgoing = {name for name in PROCESSES if may(ends[f"{store}/{name}"], PROVIDER, 443)}

    assert outgoing == {"web", "worker-payments", "worker-shipping", "check-invariants"}
    assert not any(may(ends[f"{store}/{name}"], PROVIDER, 80) for name in PROCESSES)


def test_no_process_reaches_the_node_the_api_or_its_neighbours(
    store: str, ends: dict[str, Party], may: Callable[..., bool]
):
    for name in PROCESSES:
        for target in (NODE_METADATA, API_SERVER, NEIGHBOUR):
            for port in (80, 443, 10250):
                assert not may(ends[f"{store}/{name}"], target, port)


def test_the_load_balancer_reaches_web_and_nothing_else(
    store: str, ends: dict[str, Party], may: Callable[..., bool]
):
    reached = {name for name in PROCESSES if may(LOAD_BALANCER, ends[f"{store}/{name}"], 8000)}

    assert reached == {"web"}
    assert not may(NEIGHBOUR, ends[f"{store}/web"], 8000)
    assert not may(STRANGER, ends[f"{store}/web"], 8000)


def test_prometheus_reaches_all_metrics(
    store: str, ends: dict[str, Party], may: Callable[..., bool]
):
    prometheus = ends["monitoring/prometheus"]

    assert may(prometheus, ends[f"{store}/web"], 8000)
    assert {name for name in PROCESSES if may(prometheus, ends[f"{store}/{name}"], 9100)} == set(
        WITH_METRICS
    )
    assert may(prometheus, ends["logging/fluent-bit"], 2020)
    assert may(prometheus, API_SERVER, 443)
    assert may(prometheus, outside("10.0.130.7"), 10250)
    assert may(prometheus, ends["monitoring/alertmanager"], 9093)
    assert not may(STRANGER, ends[f"{store}/worker-payments"], 9100)


def test_alerts_reach_people_and_grafana_reaches_prometheus(
    ends: dict[str, Party], may: Callable[..., bool]
):
    assert may(ends["monitoring/alertmanager"], PROVIDER, 443)
    assert may(ends["monitoring/alertmanager"], ends["monitoring/alertmanager"], 9094)
    assert may(ends["monitoring/grafana"], ends["monitoring/prometheus"], 9090)
    assert not may(ends["monitoring/grafana"], PROVIDER, 443)
    assert not may(STRANGER, ends["monitoring/prometheus"], 9090)


def test_logs_reach_their_elasticsearch_and_nobody_else_does(
    store: str, ends: dict[str, Party], may: Callable[..., bool]
):
    logs = ends["logging/logs"]

    assert may(ends["logging/fluent-bit"], logs, 9200)
    assert may(ends["logging/fluent-bit"], API_SERVER, 443)
    assert may(ends["logging/kibana"], logs, 9200)
    assert may(ELASTIC_OPERATOR, logs, 9200)
    assert not may(ends[f"{store}/web"], logs, 9200)
    assert not may(STRANGER, logs, 9200)


def test_the_search_index_is_apart_from_the_logs_and_from_who_does_not_need_it(
    store: str, ends: dict[str, Party], may: Callable[..., bool]
):
    search = ends["search/search"]

    assert {name for name in PROCESSES if may(ends[f"{store}/{name}"], search, 9200)} == {
        "web",
        "worker-index",
    }
    assert may(search, search, 9300)
    assert may(ELASTIC_OPERATOR, search, 9200)
    assert not may(ends["logging/fluent-bit"], search, 9200)
    assert not may(STRANGER, search, 9200)


def errors() -> Iterator[tuple[str, Callable[[list[Object]], None]]]:
    """Yield a name and an error after which web does not work, or does not work alone."""

    def policy(objects: list[Object], name: str) -> Object:
        return found(objects, "NetworkPolicy", name, "ecommerce-production")["spec"]

    yield "no names", lambda objects: policy(objects, "names").update(egress=[])
    yield (
        "other subnet",
        lambda objects: policy(objects, "data")["egress"][0].update(
            to=[{"ipBlock": {"cidr": "10.1.64.0/20"}}]
        ),
    )
    yield (
        "other port",
        lambda objects: policy(objects, "data")["egress"][0].update(
            ports=[{"protocol": "TCP", "port": 5433}]
        ),
    )
    yield (
        "udp",
        lambda objects: policy(objects, "load-balancer")["ingress"][0].update(
            ports=[{"protocol": "UDP", "port": "http"}]
        ),
    )
    yield (
        "excepted",
        lambda objects: policy(objects, "load-balancer")["ingress"][0].update(
            {"from": [{"ipBlock": {"cidr": "10.0.32.0/20", "except": ["10.0.33.0/24"]}}]}
        ),
    )
    yield "open door", lambda objects: policy(objects, "load-balancer").update(ingress=[{}])


@pytest.mark.parametrize(("name", "error"), [pytest.param(*each, id=each[0]) for each in errors()])
def test_a_policy_that_closes_or_opens_too_much_is_noticed(
    name: str, error: Callable[[list[Object]], None], spoilt: list[Object]
):
    error(spoilt)
    web = parties(spoilt)["ecommerce-production/web"]
    policies = of_kind(spoilt, "NetworkPolicy")

    works = (
        is_allowed(policies, web, NAMES, 53, "UDP")
        and is_allowed(policies, web, DATABASE, 5432)
        and is_allowed(policies, LOAD_BALANCER, web, 8000)
        and not is_allowed(policies, STRANGER, web, 8000)
    )

    assert not works
