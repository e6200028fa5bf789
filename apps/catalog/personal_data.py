"""The tables of the catalog in the inventory of personal data: goods, who moves or awaits them."""

from apps.catalog.models import (
    Brand,
    Category,
    Image,
    Product,
    Reservation,
    SearchEntry,
    SearchFacet,
    SearchWord,
    Stock,
    StockAlert,
    StockLocation,
    StockMovement,
    StockUnit,
    Variant,
)
from apps.kernel.privacy import EVIDENCE, Kind, Table

TABLES = (
    Table(model=Category, columns={Kind.NONE: "id name slug parent position path"}),
    Table(model=Brand, columns={Kind.NONE: "id name slug"}),
    Table(
        model=Product,
        columns={
            Kind.NONE: "id slug name description brand category status published_at package_size "
            "external_ref currency price_from_minor compare_at_minor rating_average rating_count "
            "version created_at updated_at"
        },
    ),
    Table(
        model=Variant,
        columns={
            Kind.NONE: "id product sku name options price_minor compare_at_minor currency position "
            "weight_grams is_active"
        },
    ),
    Table(model=Image, columns={Kind.NONE: "id product file alt width height position"}),
    Table(model=StockLocation, columns={Kind.NONE: "id code name is_active priority"}),
    Table(
        model=Stock,
        columns={
            Kind.NONE: "id variant location on_hand reserved allocated policy backorder_limit "
            "available_on is_hot"
        },
    ),
    Table(
        model=StockMovement,
        of=lambda person: person.by_id("actor_id"),
        columns={
            Kind.REFERENCE: "actor_id",
            Kind.CONTENT: "reason",
            Kind.NONE: "id stock kind on_hand_delta reserved_delta allocated_delta order_id "
            "document_id created_at",
        },
        emptied={},
        kept=EVIDENCE,
    ),
    Table(
        model=StockAlert,
        of=lambda person: person.by_id("customer_id"),
        columns={
            Kind.REFERENCE: "id customer_id",
            Kind.CONTENT: "variant created_at",
            Kind.NONE: "due_at",
        },
    ),
    Table(model=SearchFacet, columns={Kind.NONE: "id facet reference value label"}),
    Table(
        model=SearchEntry,
        columns={
            Kind.NONE: "product version name document facets band price_minor rating popularity "
            "created_at"
        },
    ),
    Table(model=SearchWord, columns={Kind.NONE: "word stem shortened products"}),
    Table(model=StockUnit, columns={Kind.NONE: "id stock"}),
    Table(
        model=Reservation,
        columns={
            Kind.NONE: "id order_id stock quantity returned state created_at expires_at "
            "allocated_at"
        },
    ),
)
