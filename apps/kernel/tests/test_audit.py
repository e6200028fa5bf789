"""The audit log: written with the change, sealed afterwards, and every forgery is seen."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.utils import timezone

from apps.kernel.anchors import anchor, anchors
from apps.kernel.audit import (
    RESTORED,
    Actor,
    Anchor,
    findings,
    head_of_chain,
    on_behalf_of,
    record,
    seal,
)
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.kernel.personal_data import TABLES
from apps.kernel.privacy import Person, erase_from
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db

UNKNOWN = "01990000-0000-7000-8000-000000000000"
AS_OWNER = """
    GRANT ALL ON kernel_auditentry TO CURRENT_USER;
    ALTER TABLE kernel_auditentry DISABLE TRIGGER USER;
"""


@pytest.fixture(autouse=True)
def safe_place(settings: Any, tmp_path: Any) -> Any:
    """Anchors of one test do not reach the next one."""
    settings.STORAGES = settings.STORAGES | {
        "audit": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        }
    }
    return tmp_path


def acts(count: Any) -> None:
    for number in range(count):
        record("test.happened", about=number, before={"n": number}, after={"n": number + 1})


def execute(sql: Any, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def test_an_entry_says_who_did_what_to_what_and_from_where() -> None:
    person, session = new_id(), new_id()
    actor = Actor(kind="person", id=person, session_id=session, ip="2001:DB8::1")

    with on_behalf_of(lambda: actor):
        record("test.happened", about=7, before={"price": 5}, after={"price": 6})

    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.actor_id, entry.session_id) == ("person", person, session)
    assert (entry.action, entry.about, entry.ip) == ("test.happened", "7", "2001:db8::1")
    assert (entry.before, entry.after) == ({"price": 5}, {"price": 6})
    assert abs(entry.at - timezone.now()) < timedelta(minutes=1)


def test_what_nobody_asked_for_was_done_by_the_store() -> None:
    record("test.happened", about=1)

    assert AuditEntry.objects.values_list("actor_kind", "actor_id", "ip").get() == (
        "system",
        None,
        None,
    )


def test_an_entry_costs_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        record("test.happened", about=1, after={"a": 1})


@pytest.mark.parametrize("action", ["", "happened", "Test.happened", "test.happened!", "a.b.c"])
def test_an_action_without_a_proper_name_is_refused(action: Any) -> None:
    with pytest.raises(ValueError, match="no name of an action"):
        record(action, about=1)


def fail_after_recording() -> None:
    record("test.happened", about=1)
    raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
def test_an_entry_shares_the_fate_of_the_change_it_describes() -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        record("test.happened", about=1)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        fail_after_recording()

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE kernel_auditentry SET action = 'test.other'",
        "UPDATE kernel_auditentry SET ip = '10.0.0.1'",
        "UPDATE kernel_auditentry SET seq = 99",
        "DELETE FROM kernel_auditentry",
        "TRUNCATE kernel_auditentry",
    ],
)
@pytest.mark.parametrize("rights", ["", "GRANT ALL ON kernel_auditentry TO CURRENT_USER"])
def test_the_store_itself_can_neither_change_nor_delete_entries(forgery: Any, rights: Any) -> None:
    acts(1)
    seal()
    execute("ALTER TABLE kernel_auditentry ENABLE TRIGGER USER")
    execute("REVOKE TRUNCATE ON kernel_auditentry FROM CURRENT_USER")
    if rights:
        execute(rights)

    with (
        pytest.raises(Error, match=r"append-only|permission denied|Cannot delete"),
        transaction.atomic(),
    ):
        execute(forgery)

    assert list(findings([])) == []


def test_entries_are_numbered_without_a_gap_and_chained() -> None:
    acts(3)

    assert (seal(limit=2), seal(limit=2), seal()) == (2, 1, 0)
    acts(1)
    seal()

    assert list(AuditEntry.objects.order_by("seq").values_list("seq", "about")) == [
        (1, "0"),
        (2, "1"),
        (3, "2"),
        (4, "0"),
    ]
    assert list(findings([])) == []


@pytest.mark.django_db(transaction=True)
def test_sealers_and_writers_at_once_leave_one_whole_chain() -> None:
    def write() -> int:
        for number in range(10):
            with transaction.atomic():
                record("test.happened", about=number)
        return 0

    at_once(write, write, write, *[lambda: sum(seal(limit=3) for _ in range(10))] * 3)
    while seal():
        pass

    assert list(AuditEntry.objects.order_by("seq").values_list("seq", flat=True)) == list(
        range(1, 31)
    )
    assert list(findings([])) == []


def forge(kind: str, chance: random.Random, length: int) -> None:
    """Do to the log what only whoever owns the database can do."""
    one, other = chance.sample(range(1, length + 1), 2)
    match kind:
        case "edit":
            column, value = chance.choice(
                [
                    ("action", "'test.other'"),
                    ("about", "'999'"),
                    ("actor_id", f"'{new_id()}'"),
                    ("actor_kind", "'api_key'"),
                    ("session_id", f"'{new_id()}'"),
                    ("at", "at + interval '1 microsecond'"),
                    ("before", """'{"n": -1}'"""),
                    ("after", "NULL"),
                    ("request_id", "'forged'"),
                    ("ip", "'192.0.2.9'"),
                    ("ip_digest", "sha256('x')"),
                    ("hash", "sha256('x')"),
                ]
            )
            execute(f"UPDATE kernel_auditentry SET {column} = {value} WHERE seq = %s", one)  # noqa: S608 - of our own list
        case "delete":
            execute("DELETE FROM kernel_auditentry WHERE seq = %s", one)
        case "insert":
            execute("UPDATE kernel_auditentry SET seq = seq + 1000 WHERE seq >= %s", one)
            execute(
                "INSERT INTO kernel_auditentry"
                " (id, actor_kind, action, about, request_id, seq, hash)"
                " VALUES (%s, 'system', 'test.invented', '1', '', %s, sha256('x'))",
                new_id(),
                one,
            )
            execute("UPDATE kernel_auditentry SET seq = seq - 999 WHERE seq > 1000")
        case "reorder":
            execute("UPDATE kernel_auditentry SET seq = 5000 WHERE seq = %s", one)
            execute("UPDATE kernel_auditentry SET seq = %s WHERE seq = %s", one, other)
            execute("UPDATE kernel_auditentry SET seq = %s WHERE seq = 5000", other)
        case "truncate":
            execute("DELETE FROM kernel_auditentry WHERE seq > %s", chance.randrange(length))
        case "rechain":
            # Cut the end off, invent another one, and compute every hash anew.
            execute("DELETE FROM kernel_auditentry WHERE seq >= %s", one)
            acts(length - one + 1)
            seal()


@pytest.mark.parametrize("kind", ["edit", "delete", "insert", "reorder", "truncate", "rechain"])
def test_sixty_forgeries_of_each_kind_are_all_seen(kind: Any) -> None:
    length, chance = 12, random.Random(kind)
    with on_behalf_of(lambda: Actor(kind="person", id=new_id(), ip="192.0.2.1")):
        acts(length)
    seal()
    anchor(at=timezone.now())
    execute(AS_OWNER)
    known = list(anchors())
    assert list(findings(known)) == []

    seen = 0
    for _ in range(60):
        mark = transaction.savepoint()
        forge(kind, chance, length)
        seen += bool(list(findings(known)))
        transaction.savepoint_rollback(mark)

    assert seen == 60


def test_an_entry_that_stays_unsealed_is_a_finding() -> None:
    execute(
        "INSERT INTO kernel_auditentry (id, at, actor_kind, action, about, request_id)"
        " VALUES (%s, now() - interval '2 minutes', 'system', 'test.happened', '1', '')",
        new_id(),
    )

    assert list(findings([])) == ["1 entries are not sealed after 60 s."]


def test_the_address_can_be_erased_and_the_chain_stays_whole() -> None:
    person = new_id()
    with on_behalf_of(lambda: Actor(kind="person", id=person, ip="192.0.2.1")):
        acts(2)
    seal()

    assert erase_from(TABLES, person=Person(person)) == 2

    assert set(AuditEntry.objects.values_list("ip", "ip_salt")) == {(None, None)}
    assert list(findings([])) == []


def test_what_a_restore_has_cut_off_is_explained_by_the_log_itself() -> None:
    acts(3)
    seal()
    before = timezone.now()
    lost = [Anchor(seq=seq, hash=bytes([seq] * 32), at=before) for seq in (4, 5)]
    assert len(list(findings(lost))) == 2
    record(RESTORED, about="store")
    acts(2)
    seal()
    number, head = head_of_chain()

    assert list(findings([*lost, Anchor(seq=number, hash=head, at=timezone.now())])) == []
    later = Anchor(seq=number, hash=bytes(32), at=timezone.now() + timedelta(minutes=1))
    assert len(list(findings([*lost, later]))) == 1
    earlier = Anchor(seq=2, hash=bytes(32), at=before)
    assert len(list(findings([*lost, earlier]))) == 1


def test_an_anchor_is_written_once_for_each_head(safe_place: Any) -> None:
    at = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    assert anchor(at=at) is False
    acts(1)
    seal()

    assert (anchor(at=at), anchor(at=at + timedelta(minutes=1))) == (True, False)

    number, head = head_of_chain()
    assert list(anchors()) == [Anchor(seq=number, hash=head, at=at)]
    _, [name] = storages["audit"].listdir("")
    assert name == f"000000000000001-20260504T030201Z-{head.hex()}"


def test_anchors_that_cannot_be_read_are_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="The anchors cannot be read"):
        call_command("audit", "verify", "--anchors", str(tmp_path / "none"))


def test_the_command_verifies_and_says_what_is_wrong(capsys: Any) -> None:
    acts(2)
    call_command("audit", "seal")

    call_command("audit", "verify")
    assert "2 entries are whole, 1 anchors fit." in capsys.readouterr().out

    execute(AS_OWNER)
    execute("DELETE FROM kernel_auditentry WHERE seq = 2")
    with pytest.raises(CommandError, match="1 findings"):
        call_command("audit", "verify")
    assert "Entry 2 is not the one that was anchored" in capsys.readouterr().err


def test_the_command_exports_json_lines(capsys: Any) -> None:
    acts(2)
    seal()

    call_command("audit", "export")

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert '"action":"test.happened"' in lines[0]
    assert "salt" not in lines[0]
