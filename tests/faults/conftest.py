"""The seed of a run, and a store to be hurt."""

import os
import random
from collections.abc import Callable, Iterator

import pytest
from running_store import RunningStore
from trial import Trial, trial_of


@pytest.fixture(scope="session")
def seed(say: Callable[[str], None]) -> int:
    """FAULTS_SEED repeats a run that failed."""
    chosen = int(os.environ.get("FAULTS_SEED") or random.randrange(10**6))
    say(f"FAULTS_SEED={chosen}")
    return chosen


@pytest.fixture
def trial(own_store: RunningStore, seed: int, say: Callable[[str], None]) -> Iterator[Trial]:
    """A trial in the session's store, which has a provider without faults afterwards."""
    with trial_of(own_store, seed=seed, say=say) as made:
        yield made
    own_store.set_faults()
