"""The tables of the catalog in the inventory of personal data: goods, who moves or awaits them."""

from typing import Final

from django.db.models import Q

from apps.catalog.models import (
    Answer,
    Attribute,
    AttributeChoice,
    BoughtTogether,
    Brand,
    Category,
    ChangedInCommon,
    ChangedProduct,
    Collection,
    CollectionProduct,
    Export,
    FormerSlug,
    Image,
    Import,
    ImportName,
    ImportRow,
    IndexingWork,
    LowStock,
    PhotoWork,
    PictureWork,
    Price,
    PriceChange,
    PriceList,
    Product,
    ProductType,
    ProductTypeAttribute,
    Purchase,
    Question,
    RelatedProduct,
    ReorderPoint,
    Reservation,
    Review,
    ReviewPhoto,
    ReviewReply,
    ReviewReport,
    ReviewVote,
    SearchBoost,
    SearchCount,
    SearchEntry,
    SearchFacet,
    SearchRedirect,
    SearchSynonym,
    SearchWord,
    Stock,
    StockAlert,
    StockCount,
    StockCountLine,
    StockLocation,
    StockMovement,
    StockTransfer,
    StockTransferLine,
    StockUnit,
    Tag,
    Variant,
)
from apps.kernel.privacy import EVIDENCE, Kind, Person, Table

OPINION: Final = "an opinion that was published, without its author, art. 17(3)(a)"


def _of_customer(person: Person) -> Q:
    return person.by_id("customer_id")


TABLES = (
    Table(
        model=Category,
        columns={
            Kind.NONE: "id name slug parent position path description seo_title seo_description "
            "product_count version"
        },
    ),
    Table(model=Brand, columns={Kind.NONE: "id name slug"}),
    Table(
        model=Product,
        columns={
            Kind.NONE: "id slug name description brand category status published_at package_size "
            "tax_class "
            "external_ref currency price_from_minor compare_at_minor lowest_minor rating_average "
            "rating_count rating_stars rating_score version created_at updated_at type attributes "
            "seo_title seo_description publish_at unpublish_at"
        },
    ),
    Table(model=Product.tags.through, columns={Kind.NONE: "id product tag"}),
    Table(model=RelatedProduct, columns={Kind.NONE: "id product other kind position"}),
    Table(
        model=Collection,
        columns={
            Kind.NONE: "id name slug description seo_title seo_description kind match rules "
            "version created_at"
        },
    ),
    Table(model=CollectionProduct, columns={Kind.NONE: "id collection product position"}),
    Table(model=FormerSlug, columns={Kind.NONE: "id slug product category"}),
    Table(model=ChangedProduct, columns={Kind.NONE: "product_id"}),
    Table(model=ChangedInCommon, columns={Kind.NONE: "id kind reference after"}),
    Table(model=Tag, columns={Kind.NONE: "id name slug"}),
    Table(model=ProductType, columns={Kind.NONE: "id name slug options version"}),
    Table(
        model=ProductTypeAttribute,
        columns={Kind.NONE: "id product_type attribute is_required position"},
    ),
    Table(model=Attribute, columns={Kind.NONE: "id code name kind unit is_filterable"}),
    Table(model=AttributeChoice, columns={Kind.NONE: "id attribute code name position"}),
    Table(
        model=Variant,
        columns={
            Kind.NONE: "id product sku name options price_minor compare_at_minor currency position "
            "weight_grams is_active"
        },
    ),
    Table(
        model=Image,
        columns={Kind.NONE: "id product file alt width height position has_renditions"},
    ),
    Table(
        model=PictureWork,
        columns={
            Kind.NONE: "id image_id file goes next_action_at lease_until tries request_id "
            "traceparent"
        },
    ),
    Table(
        model=PriceList,
        columns={
            Kind.NONE: "id code name currency customer_group_id priority valid_from valid_until "
            "is_active version"
        },
    ),
    Table(
        model=Price,
        columns={
            Kind.NONE: "id variant price_list min_quantity amount_minor compare_at_minor "
            "valid_from valid_until next_change_at"
        },
    ),
    Table(
        model=PriceChange,
        columns={
            Kind.NONE: "id variant price_list min_quantity currency amount_minor compare_at_minor "
            "lowest_minor at"
        },
    ),
    Table(
        model=StockLocation,
        columns={
            Kind.NONE: "id code name is_active priority line1 line2 city region postal_code country"
        },
    ),
    Table(
        model=Stock,
        columns={
            Kind.NONE: "id variant location on_hand reserved allocated policy backorder_limit "
            "available_on is_hot"
        },
    ),
    Table(model=BoughtTogether, columns={Kind.NONE: "id product other orders score"}),
    Table(
        # The index itself holds what every visitor sees of a product, and nothing of people.
        model=IndexingWork,
        columns={
            Kind.NONE: "product_id version waiting_since next_action_at lease_until tries "
            "request_id traceparent"
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
        model=StockCount,
        of=lambda person: person.by_id("actor_id"),
        columns={
            Kind.REFERENCE: "actor_id",
            Kind.CONTENT: "reason",
            Kind.NONE: "id location created_at",
        },
        emptied={},
        kept=EVIDENCE,
    ),
    Table(model=StockCountLine, columns={Kind.NONE: "id count variant expected counted"}),
    Table(
        model=StockTransfer,
        columns={
            Kind.NONE: "id from_location to_location status note version created_at sent_at "
            "received_at"
        },
    ),
    Table(
        model=StockTransferLine,
        columns={Kind.NONE: "id transfer variant quantity received lost"},
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
    Table(
        model=Purchase,
        of=_of_customer,
        columns={
            Kind.REFERENCE: "customer_id",
            Kind.CONTENT: "product_id bought_at",
            Kind.NONE: "id",
        },
    ),
    Table(
        # Before its review, whose author it asks for.
        model=ReviewPhoto,
        of=lambda person: person.by_id("review__customer_id"),
        columns={
            Kind.REFERENCE: "id review",
            Kind.CONTENT: "file width height",
            Kind.NONE: "position has_renditions",
        },
    ),
    Table(
        model=PhotoWork,
        columns={
            Kind.NONE: "id image_id file goes next_action_at lease_until tries request_id "
            "traceparent"
        },
    ),
    Table(
        model=Review,
        of=_of_customer,
        columns={
            Kind.REFERENCE: "id customer_id",
            Kind.IDENTITY: "author_name",
            Kind.CONTENT: "product rating title body reason is_verified created_at updated_at",
            Kind.NONE: "status version helpful_count report_count",
        },
        emptied={"customer_id": None, "author_name": "", "reason": ""},
        kept=OPINION,
    ),
    Table(
        model=Question,
        of=_of_customer,
        columns={
            Kind.REFERENCE: "id customer_id",
            Kind.IDENTITY: "author_name",
            Kind.CONTENT: "product body reason created_at",
            Kind.NONE: "status version",
        },
        emptied={"customer_id": None, "author_name": "", "reason": ""},
        kept=OPINION,
    ),
    Table(
        model=Answer,
        of=_of_customer,
        columns={
            Kind.REFERENCE: "id customer_id",
            Kind.IDENTITY: "author_name",
            Kind.CONTENT: "question body reason is_merchant created_at",
            Kind.NONE: "status version",
        },
        emptied={"customer_id": None, "author_name": "", "reason": ""},
        kept=OPINION,
    ),
    Table(
        model=ReviewVote,
        of=_of_customer,
        columns={
            Kind.REFERENCE: "customer_id",
            Kind.CONTENT: "review created_at",
            Kind.NONE: "id",
        },
        emptied={"customer_id": None},
        kept="a number without a name",
    ),
    Table(
        model=ReviewReport,
        of=_of_customer,
        columns={
            Kind.REFERENCE: "customer_id",
            Kind.CONTENT: "review cause detail created_at",
            Kind.NONE: "id",
        },
    ),
    Table(
        model=ReviewReply,
        of=lambda person: person.by_id("actor_id"),
        columns={
            Kind.REFERENCE: "actor_id",
            Kind.CONTENT: "review body created_at",
            Kind.NONE: "id",
        },
        emptied={"actor_id": None},
        kept="the store's own words",
    ),
    Table(model=SearchFacet, columns={Kind.NONE: "id facet reference value label words"}),
    Table(
        model=SearchEntry,
        columns={
            Kind.NONE: "product version name document facets sold_out price_minor rating "
            "popularity created_at"
        },
    ),
    Table(model=SearchWord, columns={Kind.NONE: "word stem shortened products"}),
    Table(model=StockUnit, columns={Kind.NONE: "id stock"}),
    Table(model=ReorderPoint, columns={Kind.NONE: "variant pieces"}),
    Table(model=LowStock, columns={Kind.NONE: "variant since"}),
    Table(
        model=Reservation,
        columns={
            Kind.NONE: "id order_id stock quantity returned state created_at expires_at "
            "allocated_at"
        },
    ),
    Table(model=SearchSynonym, columns={Kind.NONE: "id terms stems two_way created_at"}),
    Table(
        model=SearchBoost,
        columns={Kind.NONE: "id query product category brand weight pinned created_at"},
    ),
    Table(model=SearchRedirect, columns={Kind.NONE: "id query path created_at"}),
    Table(model=SearchCount, columns={Kind.NONE: "id day query times results"}),
    Table(
        model=Import,
        of=lambda person: person.by_id("actor_id"),
        columns={
            Kind.REFERENCE: "id actor_id",
            Kind.CONTENT: "file_name format on_error dry_run state created_at finished_at",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "file retry_of phase offset line total read created changed unchanged "
            "failed fault_code fault_detail fault_line next_action_at lease_until tries",
        },
        emptied={"file_name": "", "request_id": "", "traceparent": ""},
        kept=EVIDENCE,
    ),
    Table(
        model=ImportRow,
        columns={
            Kind.NONE: "id of_import line offset key outcome product_id faults changes",
        },
    ),
    Table(model=ImportName, columns={Kind.NONE: "id of_import key"}),
    Table(
        model=Export,
        of=lambda person: person.by_id("actor_id"),
        columns={
            Kind.REFERENCE: "id actor_id",
            Kind.CONTENT: "format state created_at finished_at",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "without parts products after next_action_at lease_until tries",
        },
        emptied={"request_id": "", "traceparent": ""},
        kept=EVIDENCE,
    ),
)
