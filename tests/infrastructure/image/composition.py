"""What the services of compose.yaml must have in common. Findings are sentences."""

import re
from collections.abc import Iterator
from typing import Any

Service = dict[str, Any]

OURS = "ecommerce"
SHELLS = {"sh", "bash", "ash", "/bin/sh", "/bin/bash", "CMD-SHELL"}
NAMES_A_SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|_KEY$")
MUST_BE_GIVEN = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")
MAY_BE_GIVEN = re.compile(r"\$\{[A-Z_]+(:-)?\}")
FORBIDDEN = ("privileged", "network_mode", "pid", "ipc", "cap_add", "devices", "userns_mode")
# These have the health check of their image; the migration ends.
HEALTHY_BY_IMAGE = {"web", "sandbox"}
ENDS = {"migrate"}
# Elasticsearch writes into its own folder of settings.
WRITES = {"search"}


def findings(compose: dict[str, Any]) -> list[str]:
    """Return what is wrong in a parsed compose file whose variables are not filled in."""
    services: dict[str, Service] = compose["services"]
    return [
        *(
            f"{name} {finding}."
            for name, service in services.items()
            for finding in (
                *_image(service),
                *_confinement(name, service),
                *_limits(service),
                *_words(name, service),
                *_secrets(service),
                *_ways_in(name, service),
            )
        ),
        *_networks(compose["networks"], services),
        *_order(services),
    ]


def _image(service: Service) -> Iterator[str]:
    image = service["image"]
    if image.startswith(OURS):
        if "${COMMIT" not in image:
            yield f"runs {image}, not the image of a commit"
    elif not re.search(r"(:v?\d+\.\d+[\w.-]*|@sha256:[0-9a-f]{64})$", image):
        yield f"has an image without an exact version: {image}"


def _confinement(name: str, service: Service) -> Iterator[str]:
    if service.get("cap_drop") != ["ALL"]:
        yield "keeps capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "may gain privileges"
    if service.get("read_only") is not True and name not in WRITES:
        yield "can write to its root"
    if str(service.get("user", "")).partition(":")[0] in {"0", "root"}:
        yield "runs as root"
    yield from (f"has {word}" for word in FORBIDDEN if word in service)
    for volume in service.get("volumes", ()):
        source = volume.partition(":")[0]
        if source.startswith((".", "/")) and not volume.endswith(":ro"):
            yield f"may write to the machine's {source}"


def _limits(service: Service) -> Iterator[str]:
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    yield from (
        f"has no limit of {kind}" for kind in ("cpus", "memory", "pids") if kind not in limits
    )
    if not service.get("logging", {}).get("options", {}).get("max-size"):
        yield "may fill the disk with its log"


def _words(name: str, service: Service) -> Iterator[str]:
    command = service.get("command", [])
    if not isinstance(command, list) or SHELLS & {str(word) for word in command}:
        yield "needs a shell to start"
    check = service.get("healthcheck", {}).get("test", [])
    if name in ENDS:
        return
    if not check and name not in HEALTHY_BY_IMAGE:
        yield "has no health check"
    if check and (not isinstance(check, list) or check[0] != "CMD" or SHELLS & set(check)):
        yield "has a health check that needs a shell"


def _secrets(service: Service) -> Iterator[str]:
    for name, value in service.get("environment", {}).items():
        given = MUST_BE_GIVEN.fullmatch(value) or MAY_BE_GIVEN.fullmatch(value)
        if NAMES_A_SECRET.search(name) and not given:
            yield f"has a secret in the file: {name}"
        if re.search(r"://[^/@:]*:(?!\$\{)[^/@]+@", value):
            yield f"has a password in the file: {name}"


def _ways_in(name: str, service: Service) -> Iterator[str]:
    for port in service.get("ports", ()):
        if name != "gateway":
            yield f"is reached from outside: {port}"
        elif not str(port).startswith("127.0.0.1:"):
            yield f"is reached from other machines: {port}"


def _networks(networks: dict[str, Any], services: dict[str, Service]) -> Iterator[str]:
    if not networks["data"].get("internal"):
        yield "The network of the data has a way out."
    for name, service in services.items():
        joined = set(service.get("networks", ()))
        if name in {"database", "cache", "broker", "search"} and joined != {"data"}:
            yield f"{name} is on more than the network of the data: {', '.join(sorted(joined))}."
        if name == "gateway" and joined != {"edge"}:
            yield f"gateway is on more than the edge: {', '.join(sorted(joined))}."


def _order(services: dict[str, Service]) -> Iterator[str]:
    for name, service in services.items():
        if not service["image"].startswith(f"{OURS}:") or name in ENDS:
            continue
        waits_for = service.get("depends_on", {}).get("migrate", {})
        if waits_for.get("condition") != "service_completed_successfully":
            yield f"{name} does not wait for the migrations."
    for name in ("beat", "exporter"):
        if services[name].get("deploy", {}).get("replicas", 1) != 1:
            yield f"{name} is there more than once."
