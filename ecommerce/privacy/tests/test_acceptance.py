"""A person with a word in every field and document is erased; then the word is looked for."""

import os
import re
import subprocess
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from apps.kernel.privacy import Fate
from apps.orders.tests.factories import completed_order
from ecommerce.local.postgres import find_programs
from ecommerce.privacy.models import ErasureRequest
from ecommerce.privacy.services.scan import hits
from ecommerce.privacy.tests.seeding import EMAIL, IP, KEPT, MODELS, WORD, seed, seeded_person

pytestmark = pytest.mark.django_db(transaction=True)


def dump() -> str:
    database = connection.settings_dict
    command = [
        str(find_programs(None).folder / "pg_dump"),
        *("--host", database["HOST"], "--port", str(database["PORT"])),
        *("--username", database["USER"], database["NAME"]),
    ]
    environment = os.environ | {"PGPASSWORD": database["PASSWORD"], "PGSSLMODE": "prefer"}
    return subprocess.run(
        command, env=environment, capture_output=True, check=True, text=True
    ).stdout


def tables_with(word: str, dumped: str) -> set[str]:
    """Return the tables whose rows hold a word, in whatever case, in plain or as hexadecimal."""
    found, table = set(), ""
    for line in dumped.lower().splitlines():
        if begun := re.match(r"copy public\.(\w+) ", line):
            table = begun[1]
        if word in line or word.encode().hex() in line:
            found.add(table)
    return found


def test_nothing_of_an_erased_person_is_found_but_what_invoices_keep(later) -> None:
    person = seeded_person()
    stranger, _ = completed_order(email="stranger@example.com")
    amounts = list(
        MODELS["orders.Order"].objects.order_by("pk").values_list("pk", "grand_total_minor")
    )
    seeded = seed(person)
    before = {hit.place for hit in hits([WORD])}

    later()

    assert ErasureRequest.objects.get().status == "done"
    assert seeded[Fate.DELETED] | seeded[Fate.EMPTIED] <= before
    assert len(before) > 50
    assert {hit.place for hit in hits([WORD, IP])} == set()
    assert {hit.place for hit in hits([KEPT])} == seeded[Fate.KEPT]
    dumped = dump()
    assert tables_with(WORD, dumped) == set()
    assert tables_with(IP, dumped) == set()
    assert "orders_billingdocument.content" in seeded[Fate.KEPT]
    for document in MODELS["orders.BillingDocument"].objects.all():
        assert document.keep_until.year == document.issued_at.year + 10
    assert not MODELS["orders.RetainedInvoice"].objects.exists()
    assert amounts == list(
        MODELS["orders.Order"].objects.order_by("pk").values_list("pk", "grand_total_minor")
    )
    call_command("check_invariants", stdout=StringIO(), without_provider=True)
    stranger.refresh_from_db()
    assert stranger.email == "stranger@example.com"
    assert stranger.shipping_address["first_name"] == "Robin"


def test_the_command_tells_where_it_found_something_and_fails() -> None:
    seeded_person()
    out = StringIO()

    with pytest.raises(CommandError, match=r"Found \d+ times"):
        call_command("privacy", "scan", EMAIL, stdout=out)

    assert "users_user.email: 1" in out.getvalue()
    assert "django_session.session_data" not in out.getvalue()
    assert "privacy_dataexport.archive, unpacked: 1" in out.getvalue()
    assert settings.REDIS_URL not in out.getvalue()
