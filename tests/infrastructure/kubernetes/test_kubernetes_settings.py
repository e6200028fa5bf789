"""Each process gets the variables it asks for, and none that nobody reads."""

import re
import string
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dj_database_url
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pod_environment import container_of, environment_of, secret_names, synced
from rendering import Object, found

PROCESSES = (
    ("Deployment", "web"),
    ("Deployment", "worker-payments"),
    ("Deployment", "worker-shipping"),
    ("Deployment", "worker-events"),
    ("Deployment", "worker-index"),
    ("Deployment", "beat"),
    ("Deployment", "exporter"),
    ("Job", "migrate"),
    ("CronJob", "check-invariants"),
    ("CronJob", "clear-sessions"),
    ("CronJob", "build-recommendations"),
)
# What the Dockerfile sets.
IMAGE = {"STATIC_ROOT": "/app/collected"}
SECRETS = {
    "username": "store",
    "password": "hunter2",
    "host": "127.0.0.1",
    "port": "1",
    "dbname": "store",
    "SECRET_KEY": "s" * 50,
    "SECRET_KEY_FALLBACKS": "",
    "JWT_SIGNING_KEY": generate_private_key(SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode(),
    "STRIPE_SECRET_KEY": "sk_test_stand_in",
    "STRIPE_WEBHOOK_SECRET": "whsec_stand_in",
    "EMAIL_URL": "smtp+tls://stand-in:stand-in@127.0.0.1:587",
    "REDIS_URL": "rediss://127.0.0.1:1/0",
    "CELERY_BROKER_URL": "rediss://127.0.0.1:1/0",
    "ELASTICSEARCH_URL": "https://store:hunter2@127.0.0.1:1",
    "ELASTICSEARCH_CA": "",
}
READ = re.compile(
    r"""(?:\benv|\benv_int|\benv_list|\bflag|environ\.get|environ\.setdefault|environ\[)"""
    r"""\(?\s*["']([A-Z_]+)["']|["']([A-Z_]+)["'] in os\.environ"""
)
ASK_THE_WEB_SERVER = """
import sys
from ecommerce.wsgi import application
for path in sys.argv[1:]:
    statuses = []
    application(
        {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "",
            "SERVER_NAME": "web", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "10.0.130.7:8000", "REMOTE_ADDR": "10.0.130.1",
            "wsgi.url_scheme": "https", "wsgi.input": sys.stdin.buffer, "wsgi.errors": sys.stderr,
        },
        lambda status, headers, *rest: statuses.append(status),
    )
    print(path, *statuses)
"""


def run_python(checkout: Path, variables: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run Python in the checkout with exactly these variables."""
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=checkout,
        env={"PYTHONDONTWRITEBYTECODE": "1", **IMAGE, **variables},
    )
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def variables_read(checkout: Path) -> set[str]:
    """Return the variables that the programs ask for by name."""
    sources = [checkout / "config" / "gunicorn.conf.py"]
    for folder in ("ecommerce", "apps"):
        sources += [
            file
            for file in (checkout / folder).rglob("*.py")
            if not {"tests", "local", "recovery"} & set(file.parts)
        ]
    return {
        name
        for source in sources
        for names in READ.findall(source.read_text())
        for name in names
        if name
    }


def other_commands(objects: list[Object], compose: Object) -> list[str]:
    """Return processes that are started otherwise than in compose.yaml, where they are tried."""
    return [
        name
        for kind, name in PROCESSES
        if "command" in compose["services"].get(name, {})
        and container_of(found(objects, kind, name))["command"]
        != compose["services"][name]["command"]
    ]


def test_processes_are_started_as_in_compose(cluster: list[Object], checkout: Path):
    compose = yaml.safe_load((checkout / "compose.yaml").read_text())

    assert other_commands(cluster, compose) == []


def test_a_process_that_is_started_otherwise_is_named(spoilt: list[Object], checkout: Path):
    compose = yaml.safe_load((checkout / "compose.yaml").read_text())
    container_of(found(spoilt, "Deployment", "beat"))["command"].remove("--pidfile=")

    assert other_commands(spoilt, compose) == ["beat"]


def unread(objects: list[Object], checkout: Path) -> list[str]:
    """Return variables that a process is given and nobody reads."""
    read = variables_read(checkout) | {"PROMETHEUS_MULTIPROC_DIR", "FORWARDED_ALLOW_IPS"}
    return sorted(
        {
            f"{name}: {variable}"
            for kind, name in PROCESSES
            for variable in environment_of(found(objects, kind, name), objects, SECRETS)
            if variable not in read
        }
    )


def test_no_process_is_told_what_nobody_reads(cluster: list[Object], checkout: Path):
    assert unread(cluster, checkout) == []


def test_a_misspelt_variable_is_named(spoilt: list[Object], checkout: Path):
    web = found(spoilt, "Deployment", "web")
    web["spec"]["template"]["spec"]["containers"][0]["env"][1]["name"] = "WEB_CONCURENCY"

    assert unread(spoilt, checkout) == ["web: WEB_CONCURENCY"]


def test_the_example_explains_every_setting(cluster: list[Object], checkout: Path):
    example = (checkout / ".env.example").read_text()
    explained = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    required = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    of_gunicorn = {"FORWARDED_ALLOW_IPS"}

    given = environment_of(found(cluster, "Job", "migrate"), cluster, SECRETS)

    assert set(given) - of_gunicorn <= explained
    assert required <= set(given)


@pytest.mark.parametrize(("kind", "name"), PROCESSES)
def test_the_settings_accept_what_a_process_is_given(
    kind: str, name: str, spoilt: list[Object], checkout: Path
):
    variables = environment_of(found(spoilt, kind, name), spoilt, SECRETS)

    status, output = run_python(
        checkout,
        variables,
        "-c",
        "from ecommerce import settings; options = settings.DATABASES['default']['OPTIONS'];"
        "print(settings.DEBUG, options['sslmode'], options['sslrootcert'], settings.PUBLIC_URL)",
    )

    assert (status, output.split()) == (
        0,
        ["False", "verify-full", "/etc/rds-ca/us-east-1.pem", "https://shop.example.com"],
    )


@pytest.mark.parametrize("missing", ["PUBLIC_URL", "ALLOWED_HOSTS", "DATABASE_URL"])
def test_the_settings_name_what_a_process_is_not_given(
    missing: str, spoilt: list[Object], checkout: Path
):
    variables = environment_of(found(spoilt, "Deployment", "web"), spoilt, SECRETS)
    del variables[missing]

    status, output = run_python(checkout, variables, "-c", "import ecommerce.settings")

    assert status != 0
    assert f"Set the environment variable {missing}." in output


def test_web_answers_probes_as_the_platform_sends_them(spoilt: list[Object], checkout: Path):
    web = found(spoilt, "Deployment", "web")
    [container] = web["spec"]["template"]["spec"]["containers"]
    paths = {container[f"{name}Probe"]["httpGet"]["path"] for name in ("readiness", "liveness")}
    [endpoint] = found(spoilt, "ServiceMonitor", "web")["spec"]["endpoints"]
    annotations = found(spoilt, "Ingress", "web")["metadata"]["annotations"]
    variables = environment_of(web, spoilt, SECRETS)
    del variables["PROMETHEUS_MULTIPROC_DIR"]

    status, output = run_python(
        checkout, variables, "-c", ASK_THE_WEB_SERVER, *sorted(paths), endpoint["path"], "/healthy"
    )

    assert status == 0, output
    # There is no database here, so web is alive and not ready. What is no probe is refused, for
    # the platform calls pods by their addresses.
    assert [line for line in output.splitlines() if line.startswith("/")] == [
        "/health/live 200 OK",
        "/health/ready 503 Service Unavailable",
        "/metrics 200 OK",
        "/healthy 400 Bad Request",
    ]
    assert annotations["alb.ingress.kubernetes.io/healthcheck-path"] in paths


def test_any_password_of_the_database_survives_the_way_into_the_url(cluster: list[Object]):
    # RDS allows every printable ASCII character but these.
    password = "".join(sorted(set(string.printable) - set(string.whitespace) - set('/@"')))
    secret = found(cluster, "ExternalSecret", "ecommerce")

    url = synced(secret, {**SECRETS, "password": password})["DATABASE_URL"]
    parsed = dj_database_url.parse(url)

    assert parsed["PASSWORD"] == password
    assert (parsed["USER"], parsed["HOST"], parsed["PORT"], parsed["NAME"]) == (
        "store",
        "127.0.0.1",
        1,
        "store",
    )


def test_secrets_are_read_under_the_agreed_names_only(cluster: list[Object], environment: str):
    secret = found(cluster, "ExternalSecret", "ecommerce")

    assert [each["extract"]["key"] for each in secret["spec"]["dataFrom"]] == [
        f"ecommerce/{environment}/{part}"
        for part in ("database", "application", "stripe", "mail", "redis")
    ]
    assert secret_names(secret) == set(SECRETS)


def test_no_secret_stands_in_a_config_map(cluster: list[Object]):
    secret = found(cluster, "ExternalSecret", "ecommerce")
    given: Callable[[Object], set[str]] = lambda each: set(each.get("data") or {})  # noqa: E731

    for each in cluster:
        if each["kind"] == "ConfigMap":
            assert not given(each) & set(secret["spec"]["target"]["template"]["data"])
