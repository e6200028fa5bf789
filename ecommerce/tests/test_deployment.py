"""The process starts whole or not at all, and a deployment is safe and complete."""

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.management import call_command

from ecommerce.local.environment import production_like_environment

pytestmark = pytest.mark.long
ROOT = settings.BASE_DIR
START = "import django; django.setup()"
READERS = ("env", "env_counts", "env_int", "env_list", "env_share", "flag")


def calls_in(path: Path) -> list[ast.Call]:
    """Return where a module of the project reads the environment."""
    return [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in READERS
        and isinstance(node.args[0], ast.Constant)
    ]


def name_of(call: ast.Call) -> str:
    assert isinstance(call.args[0], ast.Constant)
    return str(call.args[0].value)


SETTINGS = sorted((ROOT / "ecommerce" / "settings").glob("*.py"))
CALLS = [call for path in [*SETTINGS, ROOT / "ecommerce" / "env.py"] for call in calls_in(path)]
REQUIRED = sorted(
    {
        name_of(call)
        for call in CALLS
        if ast.unparse(call.func) in {"env", "env_list"}
        and "default" not in {keyword.arg for keyword in call.keywords}
    }
)
NUMBERS = sorted({name_of(call) for call in CALLS if ast.unparse(call.func) == "env_int"})


def run(*arguments: str, without: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
    environment = production_like_environment() | changes
    environment.pop(without, None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refusal(*, without: str = "", **changes: str) -> str:
    """Start with the environment changed and return why the process does not."""
    done = run("-c", "import ecommerce.settings", without=without, **changes)
    assert done.returncode != 0
    kind, _, sentence = done.stderr.strip().splitlines()[-1].partition(": ")
    assert kind == "django.core.exceptions.ImproperlyConfigured"
    return sentence


def test_the_variables_that_a_deployment_has_to_set_are_these() -> None:
    assert REQUIRED == [
        "ALLOWED_HOSTS",
        "CELERY_BROKER_URL",
        "DATABASE_URL",
        "EMAIL_FROM",
        "EMAIL_URL",
        "JWT_SIGNING_KEY",
        "PUBLIC_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
    ]


def test_a_setting_is_made_in_one_module() -> None:
    """Else the last of the star imports would win, and nobody would see it."""
    made = Counter(
        name
        for path in SETTINGS
        for name in {
            node.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id.isupper()
        }
    )

    assert {"SECRET_KEY", "DATABASES", "LOGGING"} <= set(made)
    assert set(made.values()) == {1}


def test_with_all_of_them_the_process_starts() -> None:
    done = run("-c", START)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", REQUIRED)
def test_without_a_required_variable_the_process_names_it_and_does_not_start(name: str) -> None:
    assert refusal(without=name) == f"Set the environment variable {name}."


def test_an_empty_variable_is_a_missing_one() -> None:
    assert refusal(DATABASE_URL="") == "Set the environment variable DATABASE_URL."


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_none_is_named(name: str) -> None:
    assert refusal(**{name: "ten"}) == f"{name} must be a whole number, not 'ten'."


def test_debug_is_yes_or_no_and_nothing_else() -> None:
    assert refusal(DEBUG="maybe") == "DEBUG must be 1 or 0, not 'maybe'."


@pytest.mark.parametrize("url", ["http://shop.example.com", "http://10.0.0.1:8000"])
def test_plain_http_is_for_this_machine_only(url: str) -> None:
    sentence = refusal(PUBLIC_URL=url)

    assert sentence == "PUBLIC_URL must be https:// for any host but this machine."


def test_mails_of_a_public_store_travel_over_tls() -> None:
    sentence = "EMAIL_URL must be smtps:// or smtp+tls:// for a public store."

    assert refusal(EMAIL_URL="smtp://mail.example.com") == sentence
    assert refusal(EMAIL_URL="file:///var/mail") == sentence


@pytest.mark.parametrize("url", ["mail.example.com", "smtps://", "http://mail.example.com"])
def test_an_address_that_is_no_mail_server_is_named(url: str) -> None:
    assert refusal(EMAIL_URL=url).startswith("EMAIL_URL must be")


def test_the_mail_server_is_read_from_one_address() -> None:
    url = "smtp+tls://AKIA:a%2Fb%40c@email-smtp.us-east-1.amazonaws.com"
    ask = (
        "from ecommerce import settings as s; print(s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_HOST_USER,"
        "s.EMAIL_HOST_PASSWORD, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL, s.EMAIL_TIMEOUT)"
    )

    done = run("-c", ask, EMAIL_URL=url)

    assert done.stdout == "email-smtp.us-east-1.amazonaws.com 587 AKIA a/b@c True False 5\n"


def test_a_signing_key_that_cannot_sign_is_named() -> None:
    rsa = generate_private_key(public_exponent=65537, key_size=2048)
    pem = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    assert refusal(JWT_SIGNING_KEY="secret").startswith("JWT_SIGNING_KEY must be")
    assert refusal(JWT_SIGNING_KEY=pem).startswith("JWT_SIGNING_KEY must be")


def test_no_refusal_shows_a_secret() -> None:
    done = run(
        "-c", START, without="REDIS_URL", SECRET_KEY="canary-1", STRIPE_SECRET_KEY="canary-2"
    )

    assert done.returncode != 0
    assert "canary" not in done.stdout + done.stderr


def test_pictures_in_a_bucket_are_linked_at_the_host_that_delivers_them() -> None:
    link = (
        "import django; django.setup();"
        "from django.core.files.storage import storages; print(storages['products'].url('a.webp'))"
    )

    done = run("-c", link, AWS_PRODUCTS_BUCKET="bucket", AWS_PRODUCTS_DOMAIN="pictures.example.com")

    assert done.stdout.strip() == "https://pictures.example.com/a.webp"


def test_django_finds_nothing_unsafe_in_a_deployment() -> None:
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_example_environment_names_the_variables_that_the_settings_read() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = [
        line.removeprefix("#").partition("=")[0].strip()
        for line in lines
        if line.removeprefix("#").partition("=")[0].strip().isupper()
    ]

    assert len(named) == len(set(named))
    assert set(named) == {name_of(call) for call in CALLS}
