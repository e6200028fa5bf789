"""What a search engine is asked, and what it answers: the same words for each engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args
from uuid import UUID

Sort = Literal["relevance", "price", "-price", "name", "-created_at", "rating"]
Backend = Literal["postgresql", "elasticsearch"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)

# Nobody reads on for longer, and an engine need not count further.
MOST_HITS = 1_000
MOST_FACET_VALUES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """What somebody looks for. Within a filter any value counts, and all filters together.

    Prices are minor units of the store's currency, both bounds included. `attributes` are values
    by the attribute's code. `offset + limit` is at most MOST_HITS.
    """

    text: str
    category: str | UUID | None = None
    brands: tuple[str, ...] = ()
    price_from: int | None = None
    price_to: int | None = None
    availability: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: Sort = "relevance"
    limit: int = 25
    offset: int = 0


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value that a filter takes, what people call it, and how many hits choosing it would give.

    For categories and brands the value is the slug.
    """

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class PriceGroup:
    """Hits with a price from `price_from` up to, but not including, `price_below` (minor units)."""

    price_from: int
    price_below: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What the hits could be narrowed by, each list with the most frequent value first.

    Disjunctive: the counts of a filter leave that filter's own choice out, and heed all others.
    Categories count what is below them, too. Prices are in the order of the amounts. Values that
    would give nothing are left out.
    """

    categories: tuple[FacetValue, ...] = ()
    brands: tuple[FacetValue, ...] = ()
    availability: tuple[FacetValue, ...] = ()
    prices: tuple[PriceGroup, ...] = ()
    attributes: Mapping[str, tuple[FacetValue, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """One page of ids in their order, and what is known of all hits.

    `total` is exact below MOST_HITS. `did_you_mean` is the text with its unknown words put right,
    when there were any; the hits are those of the corrected text then. `redirect` is where staff
    send whoever looks for this. `degraded` says that another engine should have answered.
    """

    product_ids: tuple[UUID, ...]
    total: int
    total_is_capped: bool
    facets: Facets
    did_you_mean: str | None
    redirect: str | None
    backend: Backend
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Suggested:
    """Something with a page of its own."""

    id: UUID
    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """What the beginning of a text may become."""

    products: tuple[Suggested, ...]
    categories: tuple[Suggested, ...]
    brands: tuple[Suggested, ...]
    queries: tuple[str, ...]
    backend: Backend
    degraded: bool = False


class Engine(Protocol):
    """Something that finds products."""

    def search(self, query: SearchQuery) -> Hits:
        """Return the page of published products that fit best.

        Any text is fine: what holds no word finds nothing. Words that nothing is called are
        completed (partial words), else put right (typos), else left out.
        """

    def suggest(self, text: str, *, limit: int) -> Suggestions:
        """Return up to `limit` of each kind that continue the text, whose last word is a part."""
