"""kill -9 in the middle of purchases: what was promised is kept, and nothing is charged twice."""

from collections.abc import Callable

from trial import Trial

PAYMENTS, EVENTS, BEAT = ("celery", "payments,"), ("celery", "default,"), ("celery", " beat ")
WEB = ("gunicorn",)
FAILING_PROVIDER = {
    "drop_reply_rate": 0.05,
    "webhook_duplicate": 1,
    "webhook_delay_ms": 300,
    "webhook_shuffle": True,
}


def kills(trial: Trial) -> list[Callable[[], str]]:
    """Return kills in any order, of which no process of the supervisor ends more than three times.

    A worker whose child is killed while it starts ends, too; a web process does not.
    """

    def main(name: str, *words: str) -> Callable[[], str]:
        def kill() -> str:
            trial.kill_main(*words)
            return f"kill -9 of the {name}"

        return kill

    def part(name: str, *words: str) -> Callable[[], str]:
        def kill() -> str:
            trial.kill_parts(*words)
            return f"kill -9 of a child of the {name}"

        return kill

    chosen = [
        *[main("worker of payments", *PAYMENTS)] * 2,
        part("worker of payments", *PAYMENTS),
        *[main("web process", *WEB), part("web process", *WEB)] * 3,
        main("worker of events", *EVENTS),
        main("beat", *BEAT),
    ]
    trial.chance.shuffle(chosen)
    return chosen


def test_killed_workers_and_web_processes_lose_nothing_and_charge_once(trial):
    trial.buy(200, kills(trial))

    trial.judge()


def test_a_killed_payment_provider_charges_once(trial):
    def kill() -> str:
        trial.kill_main("payment_sandbox")
        return "kill -9 of the payment sandbox"

    trial.buy(100, [kill] * 3)

    trial.judge()


def test_a_worker_killed_while_the_provider_works_charges_once(trial):
    trial.store.set_faults(delay_ms=600)
    for step in ["in_flight", "capture_in_flight"] * 10:
        trial.purchase_until(step)
        trial.kill_parts(*PAYMENTS, most=2)
        trial.hurts[f"kill -9 of the worker's children while {step}"] += 1
    trial.store.set_faults()

    trial.judge()


# Last, because the supervisor gives up when one process dies four times within a minute.
def test_kills_beside_a_failing_provider_lose_nothing_and_charge_once(trial):
    trial.store.set_faults(**FAILING_PROVIDER)

    trial.buy(100, kills(trial))

    trial.judge()
