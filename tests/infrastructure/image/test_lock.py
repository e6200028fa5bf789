"""The locks: what the image installs is what requirements.txt pins, with all it needs, hashed."""

from pathlib import Path

import lock
import pytest
from lock import Locked, Requirement

NOT_IN_THE_IMAGE = {"local servers", "test", "check", "deploy"}


@pytest.fixture
def requirements(checkout: Path) -> str:
    return (checkout / "requirements.txt").read_text()


@pytest.fixture
def store_lock(checkout: Path) -> str:
    return (checkout / "requirements.lock").read_text()


def wrong_with(requirements: str, store_lock: str) -> list[str]:
    known = lock.groups(requirements)
    wanted = [each for group in known if group not in NOT_IN_THE_IMAGE for each in known[group]]
    return list(lock.disagreements(wanted, lock.locked(store_lock), {}))


def test_the_lock_says_what_requirements_txt_says(requirements, store_lock):
    """When this fails, run `make lock`."""
    assert wrong_with(requirements, store_lock) == []


def test_the_sandboxs_lock_agrees_with_it(checkout, requirements, store_lock):
    local = lock.groups(requirements)["local servers"]
    wanted = [each for each in local if each.name == "aiohttp"]
    sandbox = lock.locked((checkout / "requirements-sandbox.lock").read_text())

    assert list(lock.disagreements(wanted, sandbox, lock.locked(store_lock))) == []


def test_nothing_of_testing_or_checking_is_locked(requirements, store_lock):
    known = lock.groups(requirements)
    # Not "deploy": the store needs a YAML library, too.
    names = {each.name for group in NOT_IN_THE_IMAGE - {"deploy"} for each in known[group]}

    assert len(names) > 15
    assert not names & set(lock.locked(store_lock))


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("\ndjango==", "\ndjango==9.", "django is pinned to 9."),
        ("\ngunicorn==", "\nhttpx==0.28.1\ngunicorn==", "httpx is not locked."),
        ("\ngunicorn==", "\nhttpx==0.28.1\ngunicorn==", "httpcore is needed and not locked."),
        ("\nsegno==", "\n#", "segno is locked and not needed."),
    ],
)
def test_a_pin_that_was_changed_without_make_lock_is_found(
    requirements, store_lock, right, wrong, said
):
    assert right in requirements

    found = wrong_with(requirements.replace(right, wrong), store_lock)

    assert any(finding.startswith(said) for finding in found), found


def test_a_package_without_a_hash_and_one_of_two_versions_are_found():
    wanted = [Requirement("orjson==3.13.0")]

    found = list(
        lock.disagreements(wanted, {"orjson": Locked("3.13.0", 0)}, {"orjson": Locked("3.12.0", 1)})
    )

    assert found == [
        "orjson is locked without a hash.",
        "orjson is locked at 3.13.0 and at 3.12.0.",
    ]


def test_most_packages_have_the_wheels_of_both_processors(store_lock):
    """A lock made for one processor has one hash a package; ours has those of every file."""
    compiled = ("cryptography", "psycopg-binary", "pillow", "orjson", "cffi")
    known = lock.locked(store_lock)

    assert min(known[name].hashes for name in compiled) > 10
