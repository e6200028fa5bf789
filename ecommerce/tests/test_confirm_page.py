"""Where the links in mails lead."""

import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse


def test_the_page_needs_nothing_but_its_own_script(client: Client) -> None:
    answer = client.get("/account/confirm")

    scripts = re.findall(r"<script([^>]*)>", answer.content.decode())
    assert answer.status_code == 200
    assert not answer.cookies
    assert len(scripts) == 1
    assert "confirm.js" in scripts[0]
    assert answer["Content-Security-Policy"] == settings.CONTENT_POLICY_OF_PAGES


def test_the_script_knows_every_purpose_and_where_to_send_the_token() -> None:
    script = Path(str(finders.find("store/confirm.js"))).read_text()

    ways = dict(re.findall(r'^  (\w+): \{\n    path: "([\w/-]+)"', script, re.MULTILINE))

    assert set(ways) == {"register", "reset_password", "change_email"}
    names = ("verify-email", "password-reset-confirm", "email-change-confirm")
    assert {f"/api/v1/{path}" for path in ways.values()} == {reverse(name) for name in names}
    assert 'history.replaceState(null, "", location.pathname)' in script
