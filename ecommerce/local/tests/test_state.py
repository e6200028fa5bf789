"""The state folder: secrets, locks, and where it lies when nobody can enter the checkout."""

import os
import socket
import stat
import subprocess

import pytest

from ecommerce.local.children import unprivileged_account
from ecommerce.local.errors import CannotStart
from ecommerce.local.state import State, can_reach, fingerprint

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root starts PostgreSQL as another account"
)


def closed_state(reachable, name="checkout"):
    """A state below a folder that only its owner can enter, as /root is."""
    folder = reachable / name
    folder.mkdir(mode=0o700)
    made = State(folder / ".local", private_parent=reachable)
    made.create()
    return made


def test_secrets_are_made_once_and_readable_by_their_owner_alone(state):
    first = state.secrets()

    assert State(state.folder).secrets() == first
    assert stat.S_IMODE((state.folder / "secrets.json").stat().st_mode) == 0o600
    assert first["jwt_signing_key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert first["stripe_secret_key"].startswith("sk_test_")
    assert first["stripe_webhook_secret"].startswith("whsec_")
    assert len(set(first.values())) == len(first)


def test_a_second_store_of_the_same_checkout_is_one_sentence(state):
    state.claim(on_wait=lambda: None)

    with pytest.raises(CannotStart, match="already running; stop it with Ctrl-C first"):
        State(state.folder).claim(on_wait=lambda: None)
    with pytest.raises(CannotStart, match="The store is running"):
        State(state.folder).remove()


def test_a_start_waits_for_what_a_killed_store_left_behind(state):
    held = State(state.folder)._lock("children.lock")
    waits = []

    with pytest.raises(CannotStart, match="Processes of a previous start are still running"):
        state.claim(on_wait=lambda: waits.append("waiting"), patience=0.2)

    assert waits == ["waiting"]
    os.close(held)
    assert State(state.folder).is_running()


def test_a_port_is_remembered_until_somebody_else_has_it(state):
    port = state.remembered_port("postgres")

    assert state.remembered_port("postgres") == port
    with socket.create_server(("127.0.0.1", port)):
        assert state.remembered_port("postgres") != port


def test_a_fingerprint_tells_an_edited_a_new_and_a_lost_file(tmp_path):
    source = tmp_path / "folder" / "source.py"
    source.parent.mkdir()
    source.write_text("one")
    seen = [fingerprint(source.parent)]
    source.write_text("edited")
    seen.append(fingerprint(source.parent))
    (source.parent / "new.py").touch()
    seen.append(fingerprint(source.parent))
    source.unlink()
    seen.append(fingerprint(source.parent))

    assert len(set(seen)) == 4
    assert fingerprint(source.parent) == seen[-1]


def test_data_stays_in_the_state_folder_where_the_account_can_reach_it(state):
    assert state.place_for(unprivileged_account(), "postgres") == state.folder / "postgres"


@as_root
def test_data_of_a_closed_checkout_lies_where_nobody_can_reach_it_and_is_linked(reachable):
    state = closed_state(reachable)
    account = unprivileged_account()

    place = state.place_for(account, "postgres")

    assert place.parent.parent == reachable
    assert place.parent.name.startswith("ecommerce-")
    assert (state.folder / "postgres").readlink() == place
    assert can_reach(account, place.parent)
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o710
    assert state.place_for(account, "postgres") == place


@as_root
def test_removing_a_closed_state_removes_what_lies_elsewhere_too(reachable):
    state = closed_state(reachable)
    place = state.place_for(unprivileged_account(), "postgres")
    place.mkdir()

    state.remove()

    assert not place.parent.exists()
    assert not state.folder.exists()


@as_root
def test_a_checkout_that_was_moved_keeps_its_data_and_a_copy_does_not_share_it(reachable):
    state = closed_state(reachable, "first")
    account = unprivileged_account()
    place = state.place_for(account, "postgres")
    (reachable / "first").rename(reachable / "moved")
    moved = State(reachable / "moved" / ".local", private_parent=reachable)

    assert moved.place_for(account, "postgres") == place

    subprocess.run(["cp", "-a", reachable / "moved", reachable / "copy"], check=True)
    copy = State(reachable / "copy" / ".local", private_parent=reachable)
    assert copy.place_for(account, "postgres") != place
    copy.remove()
    assert place.parent.exists()


@as_root
def test_a_folder_somebody_else_put_in_our_place_is_not_used(reachable):
    state = closed_state(reachable)
    account = unprivileged_account()
    place = state.place_for(account, "postgres")
    state.remove()
    state.create()
    place.parent.mkdir()
    os.chown(place.parent, account.uid, account.gid)

    with pytest.raises(CannotStart, match="belongs to another user"):
        state.place_for(account, "postgres")
