"""What the documentation names is there: files, tests, make targets, management commands."""

import re
import subprocess
from pathlib import Path

import pytest

LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
MAKE = re.compile(r"\bmake ((?:[A-Z_]+=\S+ )*)([a-z][a-z-]*)")
MANAGE = re.compile(r"\bmanage\.py ([a-z][a-z_]+)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
TEST_NAME = re.compile(r"`?(test_\w+)`?")
DJANGO_COMMANDS = {"clearsessions", "collectstatic", "migrate", "shell", "showmigrations", "check"}


def documents(checkout: Path) -> list[Path]:
    """Return every Markdown file that git knows or could know."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=checkout,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [checkout / name for name in listed.splitlines() if (checkout / name).exists()]


def broken_links(document: Path) -> list[str]:
    """Return the links that lead nowhere, and the tests that are not in the file they name."""
    broken = []
    for text, target in LINK.findall(document.read_text()):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        file = document.parent / target.partition("#")[0]
        if not file.exists():
            broken.append(target)
        elif (name := TEST_NAME.fullmatch(text)) and f"def {name[1]}(" not in file.read_text():
            broken.append(f"{target}::{name[1]}")
    return broken


def named(document: Path, pattern: re.Pattern[str]) -> set[str]:
    """Return what the pattern's last group finds in the document's code."""
    code = "\n".join(CODE.findall(document.read_text()))
    return {match.groups()[-1] for match in pattern.finditer(code)}


def make_targets(checkout: Path) -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (checkout / "Makefile").read_text(), re.MULTILINE))


def management_commands(checkout: Path) -> set[str]:
    files = [
        *(checkout / "apps").glob("*/management/commands/*.py"),
        *(checkout / "ecommerce").glob("*/management/commands/*.py"),
    ]
    return {file.stem for file in files if file.stem != "__init__"}


def test_every_link_leads_somewhere_and_every_named_test_exists(checkout: Path):
    broken = {
        str(document.relative_to(checkout)): links
        for document in documents(checkout)
        if (links := broken_links(document))
    }

    assert broken == {}


def test_every_make_target_named_in_the_documentation_exists(checkout: Path):
    targets = make_targets(checkout)

    missing = {
        str(document.relative_to(checkout)): sorted(unknown)
        for document in documents(checkout)
        if (unknown := named(document, MAKE) - targets)
    }

    assert missing == {}


def test_every_management_command_named_in_the_documentation_exists(checkout: Path):
    commands = management_commands(checkout) | DJANGO_COMMANDS

    missing = {
        str(document.relative_to(checkout)): sorted(unknown)
        for document in documents(checkout)
        if (unknown := named(document, MANAGE) - commands)
    }

    assert missing == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](missing.md)", ["missing.md"]),
        ("[`test_one`](test_here.py)", []),
        ("[`test_two`](test_here.py)", ["test_here.py::test_two"]),
        ("[b](test_here.py#part) [c](https://example.com/x)", []),
    ],
)
def test_a_planted_broken_link_is_found(tmp_path: Path, text: str, found: list[str]):
    (tmp_path / "test_here.py").write_text("def test_one():\n    pass\n")
    document = tmp_path / "page.md"
    document.write_text(text)

    assert broken_links(document) == found


def test_a_planted_unknown_command_is_found(tmp_path: Path, checkout: Path):
    document = tmp_path / "page.md"
    document.write_text(
        "Run `make PORT=1 no-such-goal` and then\n```\nmanage.py no_such_one\n```\n"
    )

    assert named(document, MAKE) - make_targets(checkout) == {"no-such-goal"}
    assert named(document, MANAGE) - management_commands(checkout) == {"no_such_one"}
