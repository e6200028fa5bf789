"""The image, and a store that runs in it against real servers."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import toolbox
from contained_store import ROLES, ContainedStore, answers
from engine import Engine
from running_store import eventually, free_port
from shopper import Shopper, connections

from ecommerce.local.environment import WITHOUT_RATE_LIMITS, production_like_environment
from ecommerce.local.testing import throwaway_folder, throwaway_servers


@pytest.fixture(scope="session")
def engine() -> Engine:
    try:
        return Engine()
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    return engine.build("store")


@pytest.fixture(scope="session")
def sandbox_image(engine: Engine) -> str:
    return engine.build("sandbox")


@pytest.fixture(scope="session")
def settings() -> Iterator[dict[str, str]]:
    """The environment of a store, with real and empty servers behind its addresses."""
    with throwaway_folder() as folder, throwaway_servers(Path(folder)) as servers:
        port, sandbox_port = free_port(), free_port()
        yield (
            production_like_environment()
            | WITHOUT_RATE_LIMITS
            | {
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
                "ALLOWED_HOSTS": "127.0.0.1",
                "BIND": f"127.0.0.1:{port}",
                "DATABASE_URL": servers.database.url,
                "REDIS_URL": servers.cache.url,
                "CELERY_BROKER_URL": servers.broker_url,
                "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox_port}",
                "CARRIER_SIMULATED_DELIVERY_SECONDS": "1",
                "MEDIA_ROOT": "/var/lib/store",
            }
        )


@pytest.fixture(scope="session")
def store(
    engine: Engine, image: str, sandbox_image: str, settings: dict[str, str]
) -> Iterator[ContainedStore]:
    """Migrated by the image, filled by the image, served by the image."""
    engine.forget_media()
    for command in (
        ("migrate_online",),
        ("load_sample_catalog",),
        ("create_admin", "--email=admin@example.com"),
    ):
        extra = {"ADMIN_PASSWORD": secrets.token_urlsafe(16)}
        done = engine.run(image, "python", "manage.py", *command, env=settings | extra)
        assert done.returncode == 0, done.stdout + done.stderr
    web_url, sandbox_url = settings["PUBLIC_URL"], settings["STRIPE_API_BASE"]
    with ExitStack() as stack:
        sandbox_command = (
            *("python", "-m", "ecommerce.local.payment_sandbox"),
            *(f"--port={sandbox_url.rpartition(':')[2]}", "--state=/tmp/sandbox.sqlite"),
            f"--webhook-url={web_url}/api/v1/hooks/payments/stripe",
        )
        commands = {
            "sandbox": (sandbox_image, sandbox_command, {}),
            "web": (image, (), {"PROMETHEUS_MULTIPROC_DIR": "/tmp/metrics"}),  # noqa: S108
        }
        for role, command in ROLES.items():
            commands[role] = (image, command, {"METRICS_PORT": str(free_port())})
        containers = {
            name: stack.enter_context(
                engine.running(which, *command, env=settings | more, name=name)
            )
            for name, (which, command, more) in commands.items()
        }
        eventually(
            lambda: answers(f"{web_url}/health/ready"), lambda status: status == 200, patience=60
        )
        yield ContainedStore(web_url, sandbox_url, containers, settings)


@pytest.fixture
def guest(store: ContainedStore) -> Iterator[Shopper]:
    with connections(store.url) as client:
        yield Shopper(client)
