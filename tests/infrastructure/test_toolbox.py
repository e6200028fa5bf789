"""The toolbox fetches what is pinned, once, and says in one sentence what cannot be had."""

from pathlib import Path

import pytest
import toolbox


@pytest.fixture
def empty_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(toolbox, "TOOLS", tmp_path / "tools")
    return tmp_path / "tools"


def test_a_program_nobody_brings_is_refused_with_a_sentence():
    with pytest.raises(toolbox.CannotHave) as refusal:
        toolbox.program("no-such-program")

    assert str(refusal.value) == (
        "no-such-program is not installed on this machine, and no package here brings it."
    )


def test_pins_are_installed_once_and_again_when_they_change(
    empty_tools: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "python").mkdir()
    pins = tmp_path / "python" / "nothing.txt"
    pins.write_text("")
    monkeypatch.setattr(toolbox, "PINS", tmp_path)

    first = toolbox.python_environment("nothing")
    (first / "left-behind").touch()
    toolbox.python_environment("nothing")

    assert first == empty_tools / "python" / "nothing"
    assert (first / "left-behind").exists()

    pins.write_text("# changed\n")
    toolbox.python_environment("nothing")

    assert not (first / "left-behind").exists()


def test_what_failed_to_install_is_not_taken_for_installed(
    empty_tools: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "broken.txt").write_text("./no-such-folder\n")
    monkeypatch.setattr(toolbox, "PINS", tmp_path)

    for _ in range(2):
        with pytest.raises(toolbox.CannotHave, match="no-such-folder"):
            toolbox.python_environment("broken")
