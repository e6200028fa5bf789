"""What people agree to: the newest decision counts, and every one is kept."""

import pytest
from django.db import ProgrammingError, transaction

from apps.users.models import Consent

pytestmark = pytest.mark.django_db
CONSENTS = "/api/v1/users/me/consents"
YES = {"granted": True, "text_version": "2026-11"}
NO = {"granted": False, "text_version": "2026-11"}


def test_nobody_agrees_to_anything_before_being_asked(client_me):
    unasked = {"granted": False, "text_version": None, "at": None}

    assert client_me.get(CONSENTS).json() == {"marketing": unasked, "analytics": unasked}


def test_the_newest_decision_counts_and_all_are_kept(client_me, me):
    client_me.put(CONSENTS, {"marketing": YES, "analytics": YES}, HTTP_USER_AGENT="Browser")
    answer = client_me.put(CONSENTS, {"marketing": NO})

    assert answer.status_code == 200
    assert answer.json()["marketing"]["granted"] is False
    assert answer.json()["analytics"]["granted"] is True
    assert client_me.get(CONSENTS).json() == answer.json()
    kept = Consent.objects.filter(user=me).order_by("id")
    assert [(c.purpose, c.granted) for c in kept] == [
        ("marketing", True),
        ("analytics", True),
        ("marketing", False),
    ]
    assert {kept[0].ip, kept[0].user_agent} == {"127.0.0.1", "Browser"}
    assert kept[0].text_version == "2026-11"


def test_the_same_decision_is_written_once_a_new_text_anew(client_me):
    client_me.put(CONSENTS, {"marketing": YES})
    client_me.put(CONSENTS, {"marketing": YES})
    client_me.put(CONSENTS, {"marketing": {**YES, "text_version": "2026-12"}})

    assert list(Consent.objects.order_by("id").values_list("text_version", flat=True)) == [
        "2026-11",
        "2026-12",
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"marketing": {"granted": "yes", "text_version": "1"}},
        {"marketing": {"granted": True}},
        {"marketing": {"granted": True, "text_version": "one two"}},
        {"marketing": True},
        {"profiling": YES},
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(client_me, document):
    assert client_me.put(CONSENTS, document).status_code == 400
    assert not Consent.objects.exists()


def test_no_decision_can_be_changed_or_deleted(client_me):
    client_me.put(CONSENTS, {"marketing": YES})

    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        Consent.objects.update(granted=False)
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        Consent.objects.all().delete()
