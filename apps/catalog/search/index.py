"""The search cluster's index: what it holds of a product, how it is written and read.

Loading this module takes 57 MB, so only processes that ask the cluster do.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from ssl import create_default_context
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django_elasticsearch_dsl import Document, fields
from django_elasticsearch_dsl.registries import registry
from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.dsl import MetaField, analyzer, char_filter, token_filter
from elasticsearch.helpers import streaming_bulk

from apps.catalog.documents import ProductDocument
from apps.catalog.models import Product

# Whatever the cluster may do wrong: not answer, answer too late, refuse.
UNAVAILABLE = (ApiError, TransportError)
# Seconds: for one answer to whoever makes or compares an index, and to whoever writes changes. What
# takes longer than that is done all the same; its version makes the next try harmless.
PATIENCE, PATIENCE_OF_WRITERS = 10.0, 3.0
CONFLICT = 409
LONGEST_DESCRIPTION = 10_000
BETWEEN = "\n"  # the parts of a keyword that a facet counts: what the filter takes, and its label

# Words part and lose accents and endings as in PostgreSQL's search, which understands the texts:
# documents.plain() says how, and its stems are Porter's second algorithm, too.
stems = analyzer(
    "stems",
    char_filter=[
        char_filter("without_apostrophes", type="mapping", mappings=["'=>", "\u2019=>"]),
        char_filter(
            "points_in_numbers_only",
            type="pattern_replace",
            pattern=r"(?<![0-9])\.|\.(?![0-9])",
            replacement=" ",
        ),
    ],
    tokenizer="standard",
    filter=["lowercase", "asciifolding", token_filter("ends", type="stemmer", language="porter2")],
)


@registry.register_document
class ProductInIndex(Document):
    """A product as the index keeps it. `about` are the ids of all that it belongs to."""

    is_published = fields.BooleanField()
    product_id = fields.KeywordField()
    about = fields.KeywordField()
    slug = fields.KeywordField(index=False, doc_values=False)
    name = fields.TextField(analyzer=stems)
    name_in_order = fields.KeywordField()
    brand_and_options = fields.TextField(analyzer=stems)
    category_names = fields.TextField(analyzer=stems)
    description = fields.TextField(analyzer=stems)
    brand_slug = fields.KeywordField()
    brand = fields.KeywordField()
    category_slugs = fields.KeywordField()
    categories = fields.KeywordField()
    attribute_values = fields.KeywordField()
    attributes = fields.KeywordField()
    price_minor = fields.LongField()
    availability = fields.KeywordField()
    rating_average = fields.FloatField()
    popularity = fields.FloatField()
    created_at = fields.DateField()

    class Index:
        name = "products"  # each index made of this has a name of its own

    class Django:
        model = Product
        ignore_signals = True
        auto_refresh = False

    class Meta:
        dynamic = MetaField("strict")

    def prepare_is_published(self, document: ProductDocument) -> bool:
        return True

    def prepare_product_id(self, document: ProductDocument) -> str:
        return str(document.product_id)

    def prepare_about(self, document: ProductDocument) -> list[str]:
        ids = (document.product_id, document.brand_id, *document.category_ids)
        return [str(each) for each in ids if each]

    def prepare_name_in_order(self, document: ProductDocument) -> str:
        return fold(document.name)

    def prepare_brand_and_options(self, document: ProductDocument) -> list[str]:
        return [document.brand_name or "", *document.options]

    def prepare_category_names(self, document: ProductDocument) -> list[str]:
        return document.category_names

    def prepare_description(self, document: ProductDocument) -> str:
        return f"{document.told} {document.description}".strip()[:LONGEST_DESCRIPTION]

    def prepare_brand(self, document: ProductDocument) -> str | None:
        return document.brand_slug and f"{document.brand_slug}{BETWEEN}{document.brand_name}"

    def prepare_category_slugs(self, document: ProductDocument) -> list[str]:
        return document.category_slugs

    def prepare_categories(self, document: ProductDocument) -> list[str]:
        named = zip(document.category_slugs, document.category_names, strict=True)
        return [f"{slug}{BETWEEN}{name}" for slug, name in named]

    def prepare_attribute_values(self, document: ProductDocument) -> list[str]:
        return sorted(
            f"{code}{BETWEEN}{value}"
            for code, labels in document.attributes.items()
            for value in labels
        )

    def prepare_attributes(self, document: ProductDocument) -> list[str]:
        return sorted(
            f"{code}{BETWEEN}{value}{BETWEEN}{label}"
            for code, labels in document.attributes.items()
            for value, label in labels.items()
        )

    def prepare_rating_average(self, document: ProductDocument) -> float:
        return float(document.rating_average)

    def prepare_popularity(self, document: ProductDocument) -> float:
        # Ten ratings count as much as the text; stars below three push a product down.
        weight = document.rating_count / (document.rating_count + 10)
        return round(1 + (float(document.rating_average) - 3) / 10 * weight, 6)

    def prepare_created_at(self, document: ProductDocument) -> str:
        return document.created_at.isoformat()


@dataclass(frozen=True, slots=True)
class Version:
    """What a product's document is to be at a version; None: it is not published any more."""

    product_id: UUID
    version: int
    document: ProductDocument | None


def source_of(document: ProductDocument) -> dict[str, Any]:
    """Return the document as JSON has it."""
    source: dict[str, Any] = ProductInIndex().prepare(document)
    return source


def fold(text: str) -> str:
    """Return the text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def client(*, patience: float = PATIENCE) -> Elasticsearch:
    """Return the connection to the cluster. Nothing is tried twice."""
    connected = _connected(settings.ELASTICSEARCH_URL, settings.ELASTICSEARCH_CA)
    return connected.options(request_timeout=patience, max_retries=0, retry_on_timeout=False)


@cache
def _connected(url: str, authority: str) -> Elasticsearch:
    if not authority:
        return Elasticsearch(url)
    return Elasticsearch(url, ssl_context=create_default_context(cadata=authority))


def alias() -> str:
    """Return the name under which the index is asked."""
    return str(settings.ELASTICSEARCH_INDEX)


def alias_of_next() -> str:
    """Return the name of the index that is being made to take its place."""
    return f"{alias()}-next"


def indices(*, patience: float = PATIENCE) -> dict[str, set[str]]:
    """Return all indices of ours, each with its aliases."""
    found = client(patience=patience).indices.get_alias(index=f"{alias()}-*")
    return {name: set(about["aliases"]) for name, about in found.items()}


def in_use(*, patience: float = PATIENCE) -> list[str]:
    """Return the index that is asked and, during a reindex, the one that is being made."""
    found = indices(patience=patience)
    return [name for name, aliases in found.items() if aliases & {alias(), alias_of_next()}]


def create() -> str:
    """Make a new, empty index, to which writers write from now on, too. Returns its name."""
    name = f"{alias()}-{timezone.now():%Y%m%d%H%M%S%f}"
    made = ProductInIndex._index.clone(name=name)
    made.aliases(**{alias_of_next(): {}})
    made.create(using=client())
    return name


def put_in_front(name: str) -> None:
    """Have the index asked from the next search on: one step, in which nobody sees neither."""
    actions: list[dict[str, Any]] = [
        {"remove": {"index": other, "alias": alias()}}
        for other, aliases in indices().items()
        if alias() in aliases
    ]
    client().indices.update_aliases(
        actions=[
            *actions,
            {"remove": {"index": name, "alias": alias_of_next()}},
            {"add": {"index": name, "alias": alias()}},
        ]
    )


def remove(names: Iterable[str]) -> None:
    """Delete indices of ours."""
    for name in names:
        client().indices.delete(index=name)


def write(
    into: Collection[str], versions: Iterable[Version], *, patience: float = PATIENCE
) -> dict[UUID, str]:
    """Bring the indices to these versions, unless they have newer ones.

    Returns the products that an index has refused, each with the reason.

    Raises one of UNAVAILABLE.
    """
    actions = (
        {
            "_op_type": "index",
            "_index": name,
            "_id": str(each.product_id),
            "version": each.version,
            "version_type": "external",
            "_source": (
                source_of(each.document)
                if each.document
                else {"product_id": str(each.product_id), "is_published": False}
            ),
        }
        for each in versions
        for name in into
    )
    refused = {}
    for fine, answer in streaming_bulk(client(patience=patience), actions, raise_on_error=False):
        told = answer["index"]
        if not fine and told["status"] != CONFLICT:
            refused[UUID(told["_id"])] = str(told["error"])
    return refused


def refresh(name: str) -> None:
    """Have searches see what was written until now."""
    client().indices.refresh(index=name)


def found_in_index(product_ids: Collection[UUID]) -> dict[UUID, tuple[int, dict[str, Any]]]:
    """Return version and source of these products' documents, as of now, tombstones too."""
    if not product_ids:
        return {}
    answer = client().mget(index=alias(), ids=[str(each) for each in product_ids])
    return {
        UUID(found["_id"]): (found["_version"], found["_source"])
        for found in answer["docs"]
        if found.get("found")
    }


def published_in_index(*, page: int = 1_000) -> Iterator[list[UUID]]:
    """Yield the ids of all published products that the index knows, in their order."""
    after: dict[str, Any] = {}
    while True:
        answer = client().search(
            index=alias(),
            query={"term": {"is_published": True}},
            sort=["product_id"],
            size=page,
            source=False,
            track_total_hits=False,
            **after,
        )
        ids = [UUID(hit["_id"]) for hit in answer["hits"]["hits"]]
        if not ids:
            return
        yield ids
        after = {"search_after": [str(ids[-1])]}
