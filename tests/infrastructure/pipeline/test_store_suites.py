"""The suites of Smoke Tests and Integration Tests, by make, against a real store."""

import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from front_door import Faults, front_door, write_certificate

pytestmark = pytest.mark.slow

HEADERS = "test_every_answer_carries_the_headers_that_protect_it"
NOT_ROUTED = "test_what_only_the_platform_may_ask_is_not_routed"
ABOUT_TLS = {"test_plain_http_leads_to_https", "test_browsers_are_told_to_stay_with_https"}
# What is wrong with the way to the store, and the tests that have to see it.
FAULTS = [
    (
        Faults({"/api/v1/products": 500}, without_headers={"x-frame-options"}),
        {
            "test_the_catalog_is_there",
            "test_a_category_leads_to_its_products",
            "test_something_can_be_put_into_a_cart",
            *(f"{HEADERS}[{path}]" for path in ("/", "/admin/login/", "/api/v1/products")),
            f"{HEADERS}[/api/v1/nothing]",
        },
    ),
    (
        Faults(
            {
                "/api/v1/carts": 503,
                "/api/v1/openapi.json": 404,
                "/api/v1/users/me": 200,
                "/static/": 404,
            },
            routes_everything=True,
        ),
        {
            "test_something_can_be_put_into_a_cart",
            "test_the_schema_describes_the_checkout",
            "test_what_belongs_to_somebody_is_closed",
            "test_pages_come_with_their_style",
            *(f"{NOT_ROUTED}[{path}]" for path in ("/metrics", "/health/live", "/health/ready")),
        },
    ),
]


def made(checkout: Path, target: str, **variables: str) -> tuple[int, dict[str, str]]:
    """Make the target and return its exit code, and what became of each test."""
    done = subprocess.run(
        ["make", target],
        cwd=checkout,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    report = checkout / "build" / "reports" / f"{target.removesuffix('-tests')}.xml"
    cases = ElementTree.parse(report).getroot().iter("testcase")  # noqa: S314 - pytest wrote it
    outcomes = {case.get("name", ""): next((part.tag for part in case), "passed") for case in cases}
    assert outcomes, done.stdout + done.stderr
    return done.returncode, outcomes


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    write_certificate(file)
    return file


def test_a_sound_store_passes_over_tls(own_store, checkout, certificate):
    with front_door(own_store.url, Faults(), certificate=certificate) as url:
        code, outcomes = made(
            checkout, "smoke-tests", STORE_URL=url, SSL_CERT_FILE=str(certificate)
        )

    assert code == 0, outcomes
    assert set(outcomes.values()) == {"passed"}


def test_what_is_about_tls_is_left_out_over_plain_http(own_store, checkout):
    with front_door(own_store.url, Faults()) as url:
        code, outcomes = made(checkout, "smoke-tests", STORE_URL=url)

    assert code == 0, outcomes
    assert {name for name, outcome in outcomes.items() if outcome != "passed"} == ABOUT_TLS


def test_a_store_that_lets_people_go_on_without_tls_is_seen(own_store, checkout, certificate):
    careless = Faults(without_headers={"strict-transport-security"}, serves_plain_http=True)
    with front_door(own_store.url, careless, certificate=certificate) as url:
        code, outcomes = made(
            checkout, "smoke-tests", STORE_URL=url, SSL_CERT_FILE=str(certificate)
        )

    assert code != 0
    assert {name for name, outcome in outcomes.items() if outcome == "failure"} == ABOUT_TLS


@pytest.mark.parametrize(("faults", "seen_by"), FAULTS)
def test_a_fault_is_seen_by_the_tests_that_are_about_it(own_store, checkout, faults, seen_by):
    with front_door(own_store.url, faults) as url:
        code, outcomes = made(checkout, "smoke-tests", STORE_URL=url)

    assert code != 0
    assert {name for name, outcome in outcomes.items() if outcome == "failure"} == seen_by


def test_what_is_left_of_the_acceptance_suite_needs_nothing_but_http(own_store, checkout):
    with front_door(own_store.url, Faults()) as url:
        code, outcomes = made(
            checkout,
            "integration-tests",
            STORE_URL=url,
            STORE_ADMIN_PASSWORD=own_store.admin_password(),
        )

    assert code == 0, outcomes
    assert set(outcomes.values()) == {"passed"}
    assert len(outcomes) >= 15
