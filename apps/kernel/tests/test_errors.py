"""What a refusal carries."""

from apps.kernel.errors import Conflict, DomainError, VersionMismatch


class OutOfPaper(Conflict):
    """The printer is empty."""

    code = "out_of_paper"


def test_a_refusal_has_a_code_for_programs_and_a_sentence_for_people() -> None:
    refusal = OutOfPaper("There is no paper left.", tray=2)

    assert (refusal.code, refusal.detail, refusal.facts) == (
        "out_of_paper",
        "There is no paper left.",
        {"tray": 2},
    )
    assert str(refusal) == "There is no paper left."


def test_a_version_mismatch_can_be_caught_as_a_conflict() -> None:
    assert issubclass(VersionMismatch, Conflict)
    assert issubclass(Conflict, DomainError)
