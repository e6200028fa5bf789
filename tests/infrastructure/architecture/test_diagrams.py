"""The diagrams are drawn from their texts, and say what the code says."""

import re
import sys
from pathlib import Path

import pytest
import toolbox
from drawing import SOURCES, draw, source_of, sources

CHECKOUT = toolbox.CHECKOUT
EDGE = re.compile(r"(\w+) -> (\w+)")
LABELS = re.compile(r'label="([^"]*)"')
TABLE = re.compile(r"\b((?:users|orders|kernel|catalog)_[a-z]+)\b")
sys.path.insert(0, str(CHECKOUT))

from apps.orders.states import ATTEMPT_FOLLOWS  # noqa: E402 - pure, and outside of the suite


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    try:
        return draw(sources())
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))


def stages_of(jenkinsfile: str) -> list[str]:
    return re.findall(r"stage\('([^']+)'\)", jenkinsfile)


def stages_drawn(dot: str) -> list[str]:
    """Return the numbered stages in the order of their numbers."""
    numbered = re.findall(r'label="(\d+)  ([^"]+)"', dot)
    return [name for _, name in sorted(numbered, key=lambda stage: int(stage[0]))]


def tables_of(checkout: Path) -> set[str]:
    """Return the tables that the migrations make."""
    return {
        f"{file.parts[-3]}_{name.lower()}"
        for file in (checkout / "apps").glob("*/migrations/0*.py")
        for name in re.findall(r"CreateModel\(\s*name=['\"](\w+)", file.read_text())
    }


def tables_drawn(dot: str) -> set[str]:
    return {table for label in LABELS.findall(dot) for table in TABLE.findall(label)}


def test_every_picture_is_what_its_text_draws(drawn: dict[str, str]):
    kept = {name: (SOURCES / f"{name}.svg").read_text() for name in drawn}

    assert [name for name in drawn if drawn[name] != kept[name]] == []  # else: make diagrams


def test_a_changed_text_draws_another_picture(drawn: dict[str, str]):
    changed = sources()["pipeline"].replace("12  Smoke Tests", "12  Look")

    assert draw({"pipeline": changed})["pipeline"] != drawn["pipeline"]


@pytest.mark.parametrize(
    ("planted", "complaint"),
    [("digraph { a -> }", "syntax error"), ("digraph { a -> b", "syntax error")],
)
def test_a_faulty_text_is_refused_by_name(drawn: dict[str, str], planted: str, complaint: str):
    with pytest.raises(ValueError, match=f"^broken: .*{complaint}"):
        draw({"broken": planted})


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError, match="misspelt"):
        source_of("digraph { a [kind=misspelt]; }")


def test_every_diagram_is_shown_and_described():
    page = (SOURCES / "README.md").read_text()

    shown = re.findall(r"!\[[^\]]{10,}\]\((\S+)\.svg\)", page)
    assert sorted(shown) == sorted(sources())
    assert {file.stem for file in SOURCES.glob("*.svg")} == set(sources())


def test_the_lives_of_payments_are_those_of_the_code():
    allowed = {(before, after) for before in ATTEMPT_FOLLOWS for after in ATTEMPT_FOLLOWS[before]}

    assert set(EDGE.findall(sources()["payment-states"])) == allowed


def test_a_step_too_many_or_too_few_would_be_seen():
    dot = sources()["payment-states"]
    allowed = {(before, after) for before in ATTEMPT_FOLLOWS for after in ATTEMPT_FOLLOWS[before]}

    for planted in (dot + "captured -> failed;", dot.replace("created -> voided;", "")):
        assert set(EDGE.findall(planted)) != allowed


def test_the_pipeline_has_the_stages_of_the_jenkinsfile():
    stages = stages_drawn(sources()["pipeline"])

    assert stages == stages_of((CHECKOUT / "Jenkinsfile").read_text())
    assert len(stages) == 12


def test_every_table_that_a_diagram_names_exists():
    known = tables_of(CHECKOUT)

    named = {name: tables_drawn(dot) - known for name, dot in sources().items()}
    assert {name: unknown for name, unknown in named.items() if unknown} == {}
    assert tables_drawn(sources()["personal-data"])


def test_a_planted_table_is_found():
    assert tables_drawn('a [label="users_secret\\nx"]') - tables_of(CHECKOUT) == {"users_secret"}
