"""What `manage.py check_migrations` prints, and when it fails."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.kernel.management.commands import check_migrations
from apps.kernel.migration_gate.findings import Effect, Finding, Verdict
from apps.kernel.migration_gate.previous_release import PreviousRelease

SAFE = Verdict("shop.0001_first", (), ())
DROPS = Finding(Effect.BREAKS, "drops shop_sale.note", "The column shop_sale.note is gone.")
REFUSED = Verdict("shop.0002_second", (DROPS,), ())
ACCEPTED = Verdict("shop.0003_third", (), ((DROPS, "Nothing has read it since March."),))


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> Any:
    """Have these verdicts on the migrations of this project."""

    def have(*verdicts: Verdict) -> None:
        monkeypatch.setattr(check_migrations, "judge", lambda *_: iter(verdicts))

    with django_db_blocker.unblock():
        yield have


@pytest.fixture
def previous(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have a release that still runs, whose tests end like this."""

    def have(code: int) -> None:
        monkeypatch.setattr(PreviousRelease, "named", lambda _: PreviousRelease("c0ffee"))
        monkeypatch.setattr(PreviousRelease, "describe", lambda _: "c0ffee Shelves")
        monkeypatch.setattr(PreviousRelease, "migrations", lambda _: [])
        monkeypatch.setattr(PreviousRelease, "run_tests", lambda *_: code)

    return have


def test_it_says_what_it_thinks_of_each(judged: Any, capsys: pytest.CaptureFixture[str]) -> None:
    judged(SAFE, ACCEPTED)

    call_command("check_migrations")

    assert capsys.readouterr().out.splitlines() == [
        "shop.0001_first: safe",
        "shop.0003_third: accepted: drops shop_sale.note. Nothing has read it since March.",
        "2 migrations may run beside a store that is selling.",
    ]


def test_it_fails_and_names_what_is_refused(
    judged: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    judged(SAFE, REFUSED)

    with pytest.raises(CommandError, match=r"Refused: shop\.0002_second\."):
        call_command("check_migrations")

    assert (
        "shop.0002_second: breaks: drops shop_sale.note. The column shop_sale.note is gone."
        in capsys.readouterr().out
    )


def test_it_fails_when_the_tests_of_the_running_release_do(judged: Any, previous: Any) -> None:
    judged(SAFE)
    previous(1)

    with pytest.raises(CommandError, match="The tests of c0ffee Shelves fail on the new schema"):
        call_command("check_migrations", base="c0ffee")


def test_without_a_new_migration_no_old_test_has_to_run(
    judged: Any, previous: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    judged()
    previous(1)

    call_command("check_migrations", base="c0ffee")

    assert "There is no migration that the release lacks." in capsys.readouterr().out


def test_an_unknown_release_is_one_sentence() -> None:
    with pytest.raises(CommandError, match="git knows no revision nonsense"):
        call_command("check_migrations", base="nonsense")
