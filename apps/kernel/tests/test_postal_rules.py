"""Addresses by country: what has to be said, how it is kept, and what the API tells of it."""

import re

import pytest
from rest_framework.test import APIClient

from apps.kernel.countries import COUNTRIES
from apps.kernel.postal_rules import rules_of, settled, spellings


def address(
    country: str, city: str = "", region: str = "", postal_code: str = ""
) -> dict[str, str]:
    return {"country": country, "city": city, "region": region, "postal_code": postal_code}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (address("US", "Springfield", "Illinois", "62701"), ("Springfield", "IL", "62701")),
        (address("US", "Joliet", " us-il ", "60431-1234"), ("Joliet", "IL", "60431-1234")),
        (address("CA", "Montréal", "québec", "h2x  1y4"), ("Montréal", "QC", "H2X 1Y4")),
        (address("CA", "Montréal", "Quebec", "H2X1Y4"), ("Montréal", "QC", "H2X1Y4")),
        (address("GB", "London", "Middlesex", "sw1y 4jh"), ("London", "Middlesex", "SW1Y 4JH")),
        (address("JP", region="Tokyo", postal_code="１５０-０００２"), ("", "Tokyo", "150-0002")),
        (address("JP", "Shibuya", "東京都", "1500002"), ("Shibuya", "東京都", "1500002")),
        (address("DE", "Straßkirchen", "", "94342"), ("Straßkirchen", "", "94342")),
        (address("IE", "Dublin", "co. dublin", "d02 x285"), ("Dublin", "Co. Dublin", "D02 X285")),
        (address("HK", region="Kowloon"), ("", "Kowloon", "")),
        (address("AE", "Dubai", "Dubai", "00000"), ("Dubai", "Dubai", "00000")),
        (address("KE", "Nairobi"), ("Nairobi", "", "")),
    ],
)  # fmt: skip
def test_what_the_country_asks_for_is_kept_in_its_form(
    given: dict[str, str], kept: tuple[str, str, str]
) -> None:
    said, faults = settled(given)

    assert (said["city"], said["region"], said["postal_code"]) == kept
    assert faults == []
    assert settled({**given, **said}) == (said, [])


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        (address("US"), {"city": "required", "region": "required", "postal_code": "required"}),
        (address("US", "x", "Ontario", "62701"), {"region": "unknown_region"}),
        (address("US", "x", "IL", "6270"), {"postal_code": "invalid_postal_code"}),
        (address("US", "x", "IL", "٦٢٧٠١"), {"postal_code": "invalid_postal_code"}),
        (address("US", "x", "IL", "90210"), {"postal_code": "other_region"}),
        (address("GB", "x", "", "SW1Y 4JHx"), {"postal_code": "invalid_postal_code"}),
        (address("GB", "x", "", "GIR 0AAx"), {"postal_code": "invalid_postal_code"}),
        (address("DE", "x", "", "1011\n5"), {"postal_code": "invalid_postal_code"}),
        (address("AO", "x", "", "ß" * 11), {"postal_code": "invalid_postal_code"}),
        (address("JP", "x", "Seoul", "150-0002"), {"region": "unknown_region"}),
        (address("DE", " ", "", " "), {"city": "required", "postal_code": "required"}),
    ],
)
def test_what_the_country_does_not_know_is_a_fault_of_its_field(
    given: dict[str, str], faults: dict[str, str]
) -> None:
    assert {fault.field: fault.code for fault in settled(given)[1]} == faults


def test_every_country_has_rules_whose_own_examples_keep_them() -> None:
    for country in COUNTRIES:
        rules = rules_of(country)
        assert rules.name
        assert {"first_name", "last_name", "line1"} <= rules.required <= set(rules.fields)
        for example in rules.postal_code_examples:
            assert rules.postal_code is None or rules.postal_code.fullmatch(example), country
        for region in rules.regions:
            assert all(rules.region(name) for name in (region.code, *region.names))


def test_a_region_is_known_by_all_its_names() -> None:
    assert set(spellings("US", "illinois")) == {"illinois", "IL", "Illinois"}
    assert spellings("FR", "Bretagne") == ("Bretagne",)


@pytest.mark.django_db
def test_the_countries_are_listed_for_everybody() -> None:
    answer = APIClient().get("/api/v1/countries")

    found = answer.json()["results"]
    assert {"code": "KR", "name": "SOUTH KOREA"} in found
    assert [each["code"] for each in found] == sorted(COUNTRIES)
    assert answer["Cache-Control"] == "public, max-age=30"


@pytest.mark.django_db
def test_a_country_tells_what_its_addresses_look_like() -> None:
    client = APIClient()

    states = client.get("/api/v1/countries/US").json()
    emirates = client.get("/api/v1/countries/AE").json()
    unknown = client.get("/api/v1/countries/us")

    required = ["first_name", "last_name", "line1", "city", "region", "postal_code"]
    assert [each["name"] for each in states["fields"] if each["required"]] == required
    assert states["region"]["kind"] == "state"
    assert {"code": "IL", "names": ["Illinois"]} in states["region"]["choices"]
    assert (states["postal_code"]["kind"], states["postal_code"]["examples"][0]) == ("zip", "95014")
    assert re.search(states["postal_code"]["pattern"], "62701-1234")
    assert not re.search(states["postal_code"]["pattern"], "x62701")
    assert (emirates["region"]["kind"], emirates["postal_code"]) == ("emirate", None)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_country")
