"""Whether a connection would be let through: the NetworkPolicies, evaluated.

The rules are those of the API's documentation: a pod that no policy of a direction selects is open
in it; else a connection needs one rule that allows it, on the side of the sender and on that of the
receiver. What a node says to its own pods (probes) is always let through.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Literal

from pods import Pod, pods_of
from rendering import Object, matches, namespace_of, of_kind

Direction = Literal["Ingress", "Egress"]


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a connection: a pod with its namespace, or an address outside of the cluster."""

    name: str
    address: str = ""
    namespace: str = ""
    namespace_labels: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)


def outside(address: str) -> Party:
    """Return an address that belongs to no pod."""
    return Party(name=address, address=address)


def inside(namespace: str, **labels: str) -> Party:
    """Return a pod that is not made here, such as an operator's."""
    named = {"kubernetes.io/metadata.name": namespace}
    return Party(
        name=f"{namespace}/{next(iter(labels.values()), 'any')}",
        namespace=namespace,
        namespace_labels=named,
        labels=labels,
    )


def party(pod: Pod, objects: Iterable[Object]) -> Party:
    """Return the pod as one end of a connection."""
    [labels] = [
        each["metadata"].get("labels") or {}
        for each in of_kind(objects, "Namespace")
        if each["metadata"]["name"] == pod.namespace
    ]
    return Party(
        name=f"{pod.namespace}/{pod.owner['metadata']['name']}",
        namespace=pod.namespace,
        namespace_labels={"kubernetes.io/metadata.name": pod.namespace, **labels},
        labels=pod.labels,
        ports=pod.ports,
    )


def parties(objects: list[Object]) -> dict[str, Party]:
    """Return every pod of namespaces that are made here, by `namespace/name`."""
    namespaces = {each["metadata"]["name"] for each in of_kind(objects, "Namespace")}
    ends = (party(pod, objects) for pod in pods_of(objects) if pod.namespace in namespaces)
    return {end.name: end for end in ends}


def is_allowed(
    policies: Sequence[Object], sender: Party, receiver: Party, port: int, protocol: str = "TCP"
) -> bool:
    """Tell whether sender may open a connection to that port of receiver."""
    return _lets("Egress", policies, sender, receiver, (port, protocol)) and _lets(
        "Ingress", policies, receiver, sender, (port, protocol)
    )


def _lets(
    direction: Direction,
    policies: Sequence[Object],
    subject: Party,
    peer: Party,
    port: tuple[int, str],
) -> bool:
    selecting = [
        each
        for each in policies
        if subject.namespace == namespace_of(each)
        and direction in _directions(each["spec"])
        and matches(each["spec"]["podSelector"], subject.labels)
    ]
    if not subject.namespace or not selecting:
        return True
    target = peer if direction == "Egress" else subject
    return any(
        _has_peer(rule, direction, peer, subject.namespace) and _has_port(rule, target, port)
        for each in selecting
        for rule in each["spec"].get(direction.lower()) or []
    )


def _directions(spec: Object) -> list[str]:
    return spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]


def _has_peer(rule: Object, direction: Direction, peer: Party, here: str) -> bool:
    wanted = rule.get("to" if direction == "Egress" else "from")
    return not wanted or any(_is_peer(each, peer, here) for each in wanted)


def _is_peer(wanted: Object, peer: Party, here: str) -> bool:
    if block := wanted.get("ipBlock"):
        return bool(peer.address) and _in_block(peer.address, block)
    if peer.address:
        return False
    if "namespaceSelector" in wanted:
        if not matches(wanted["namespaceSelector"], peer.namespace_labels):
            return False
    elif peer.namespace != here:
        return False
    return matches(wanted.get("podSelector"), peer.labels)


def _in_block(address: str, block: Object) -> bool:
    place = ip_address(address)
    return place in ip_network(block["cidr"]) and not any(
        place in ip_network(each) for each in block.get("except") or []
    )


def _has_port(rule: Object, target: Party, port: tuple[int, str]) -> bool:
    wanted = rule.get("ports")
    return not wanted or any(_is_port(each, target, *port) for each in wanted)


def _is_port(wanted: dict[str, Any], target: Party, number: int, protocol: str) -> bool:
    if wanted.get("protocol", "TCP") != protocol:
        return False
    if "port" not in wanted:
        return True
    first = wanted["port"]
    if isinstance(first, str):
        return target.ports.get(first) == number
    return first <= number <= wanted.get("endPort", first)


def open_pods(objects: list[Object]) -> Iterator[str]:
    """Yield each pod and direction that no policy denies by default."""
    policies = of_kind(objects, "NetworkPolicy")
    for end in parties(objects).values():
        for direction in ("Ingress", "Egress"):
            if not any(_denies_all(each, direction, end) for each in policies):
                yield f"{end.name} is open: {direction}"


def _denies_all(policy: Object, direction: str, end: Party) -> bool:
    spec = policy["spec"]
    return (
        namespace_of(policy) == end.namespace
        and direction in _directions(spec)
        and matches(spec["podSelector"], end.labels)
        and not spec.get(direction.lower())
    )
