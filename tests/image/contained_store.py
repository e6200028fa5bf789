"""A store of which every process runs in a container."""

from dataclasses import dataclass

import httpx
import psycopg
from engine import Container

WORKER = ("celery", "-A", "ecommerce", "worker", "--without-gossip", "--without-mingle")
ROLES = {
    "worker-payments": (*WORKER, "-Q", "payments", "--concurrency=2"),
    "worker-shipping": (*WORKER, "-Q", "shipping,mail,pictures", "--concurrency=1"),
    "worker-events": (*WORKER, "-Q", "default", "--concurrency=1"),
    "worker-index": (*WORKER, "-Q", "index", "--concurrency=1"),
    "beat": ("celery", "-A", "ecommerce", "beat", "--schedule=/tmp/schedule", "--pidfile="),
    "exporter": ("python", "manage.py", "export_metrics"),
}


@dataclass(frozen=True, slots=True)
class ContainedStore:
    """A store of which every process is a container, on real servers outside of them."""

    url: str
    sandbox_url: str
    containers: dict[str, Container]
    settings: dict[str, str]

    def ledger(self) -> list[dict]:
        """Return what the payment sandbox knows of every charge."""
        return list(httpx.get(f"{self.sandbox_url}/_sandbox/ledger").json()["charges"])

    def set_faults(self, **plan: object) -> None:
        """Have the payment sandbox fail by this plan; nothing named means no faults."""
        httpx.post(f"{self.sandbox_url}/_sandbox/faults", json=plan).raise_for_status()

    def database(self) -> psycopg.Connection:
        return psycopg.connect(self.settings["DATABASE_URL"], autocommit=True)


def answers(url: str) -> int:
    """Return the status with which it answers, or 0."""
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return 0
