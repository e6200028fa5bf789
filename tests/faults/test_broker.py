"""The broker forgets or dies: the database knows the work, messages only wake the workers."""

import subprocess
import time

import redis
from running_store import eventually, free_port, running_store
from trial import trial_of

from ecommerce.local.redis_server import find_program


def test_a_broker_that_forgets_everything_loses_no_work(trial):
    variables = trial.store.variables()

    def flush() -> str:
        for name in ("REDIS_URL", "CELERY_BROKER_URL"):
            with redis.Redis.from_url(variables[name]) as client:
                client.flushdb()
        return "emptied broker and cache"

    trial.buy(100, [flush] * 5)

    trial.judge()


class Broker:
    """A server of ours that keeps nothing, so that we may kill it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        command = [find_program().path, "--port", str(self.port), "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(
            [*command, "--save", "", "--loglevel", "warning"], stdout=subprocess.DEVNULL
        )
        with redis.Redis.from_url(self.url) as client:
            eventually(lambda: answers(client), bool, patience=10)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_a_broker_that_is_killed_and_comes_back_empty_loses_no_work(seed, say):
    broker = Broker()
    try:
        with (
            running_store(
                REDIS_URL=broker.url,
                CELERY_BROKER_URL=broker.url,
                CARRIER_SIMULATED_DELIVERY_SECONDS="2",
            ) as store,
            trial_of(store, seed=seed, say=say) as trial,
        ):

            def kill_for_two_seconds() -> str:
                broker.kill()
                time.sleep(2)
                broker.start()
                return "kill -9 of the broker"

            trial.buy(100, [kill_for_two_seconds] * 3)

            trial.judge()
    finally:
        broker.kill()
