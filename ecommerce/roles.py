"""Code -> role: who may do what in a new store, all of it on one screen.

`manage.py sync_roles` brings what changes here into the database and keeps what staff have changed.
"""

from apps.kernel.roles import EVERYTHING, DeclaredRole

_products = frozenset(
    {
        "catalog.view_boughttogether",
        "catalog.view_attribute",
        "catalog.view_brand",
        "catalog.view_category",
        "catalog.view_collection",
        "catalog.view_image",
        "catalog.view_price",
        "catalog.view_pricechange",
        "catalog.view_pricelist",
        "catalog.view_product",
        "catalog.view_producttype",
        "catalog.view_tag",
        "catalog.view_variant",
    }
)
_stock = frozenset(
    {
        "catalog.view_reservation",
        "catalog.view_lowstock",
        "catalog.view_reorderpoint",
        "catalog.view_stock",
        "catalog.view_stockalert",
        "catalog.view_stockcount",
        "catalog.view_stocklocation",
        "catalog.view_stockmovement",
        "catalog.view_stocktransfer",
    }
)
_reviews = frozenset(
    {
        "catalog.moderate_review",
        "catalog.view_answer",
        "catalog.view_question",
        "catalog.view_review",
        "catalog.view_reviewphoto",
        "catalog.view_reviewreply",
        "catalog.view_reviewreport",
    }
)
_orders = frozenset(
    {
        "orders.view_changeset",
        "orders.view_order",
        "orders.view_orderline",
        "orders.view_ordernote",
        "orders.view_heldunits",
        "orders.view_return",
        "orders.view_returnline",
        "orders.view_shipment",
        "orders.view_statuschange",
    }
)
_promotions = frozenset(
    {
        "orders.view_coupon",
        "orders.view_couponbatch",
        "orders.view_customeruses",
        "orders.view_orderpromotion",
        "orders.view_promotion",
        "orders.view_promotionsimulation",
    }
)
_stored_value = frozenset(
    {"orders.view_ordertender", "orders.view_storedvalue", "orders.view_valuemovement"}
)
_groups = frozenset({"users.view_customergroup"})
_payments = frozenset(
    {
        "orders.view_billingdocument",
        "orders.view_ordernumbers",
        "orders.view_paymentattempt",
        "orders.view_refund",
    }
)
_taxes = frozenset({"orders.view_taxclass", "orders.view_taxrate", "orders.view_taxzone"})

_search = frozenset(
    {
        "catalog.view_searchboost",
        "catalog.view_searchcount",
        "catalog.view_searchredirect",
        "catalog.view_searchsynonym",
    }
)

ROLES: dict[str, DeclaredRole] = {
    "customer": DeclaredRole(
        "Customer",
        "Everybody with an account, without being given it. It opens nothing of the back office.",
        frozenset(),
    ),
    "support": DeclaredRole(
        "Support",
        "Helps customers: sees orders and people, cancels what is unpaid, decides on returns, "
        "reads reviews, ends sessions, asks for their data and their erasure.",
        _products
        | _stock
        | _reviews
        | _orders
        | _payments
        | _groups
        | _promotions
        | _stored_value
        | {
            "kernel.resend_mail",
            "kernel.view_mail",
            "orders.annotate_order",
            "orders.cancel_order",
            "orders.decide_return",
            "orders.view_cart",
            "orders.view_cartitem",
            "orders.view_saveditem",
            "privacy.add_dataexport",
            "privacy.add_erasurerequest",
            "privacy.take_back_erasurerequest",
            "privacy.view_dataexport",
            "privacy.view_erasurerequest",
            "users.add_address",
            "users.change_address",
            "users.change_user",
            "users.revoke_session",
            "users.view_address",
            "users.view_consent",
            "users.view_session",
            "users.view_user",
        },
    ),
    "catalog_manager": DeclaredRole(
        "Catalog manager",
        "Writes products, categories, brands, prices, promotions with their codes, and customer "
        "groups, reads reviews, tunes the search, and sees what is in stock and how goods are "
        "taxed.",
        _products
        | _stock
        | _reviews
        | _search
        | _taxes
        | {
            "catalog.add_attribute",
            "catalog.add_searchboost",
            "catalog.add_searchredirect",
            "catalog.add_searchsynonym",
            "catalog.change_searchboost",
            "catalog.change_searchredirect",
            "catalog.change_searchsynonym",
            "catalog.delete_searchboost",
            "catalog.delete_searchredirect",
            "catalog.delete_searchsynonym",
            "catalog.add_brand",
            "catalog.add_category",
            "catalog.add_collection",
            "catalog.add_export",
            "catalog.add_image",
            "catalog.add_import",
            "catalog.add_pricelist",
            "catalog.add_product",
            "catalog.add_producttype",
            "catalog.add_tag",
            "catalog.add_variant",
            "catalog.change_attribute",
            "catalog.change_brand",
            "catalog.change_category",
            "catalog.change_collection",
            "catalog.change_image",
            "catalog.change_price",
            "catalog.change_pricelist",
            "catalog.change_product",
            "catalog.change_producttype",
            "catalog.change_tag",
            "catalog.change_variant",
            "catalog.delete_attribute",
            "catalog.delete_brand",
            "catalog.delete_category",
            "catalog.delete_collection",
            "catalog.delete_image",
            "catalog.delete_pricelist",
            "catalog.delete_product",
            "catalog.delete_producttype",
            "catalog.delete_tag",
            "catalog.view_export",
            "catalog.view_import",
            "orders.add_couponbatch",
            "orders.add_promotion",
            "orders.add_promotionsimulation",
            "orders.change_promotion",
            "orders.delete_promotion",
        }
        | _promotions
        | _groups
        | {"users.add_customergroup", "users.change_customergroup", "users.delete_customergroup"},
    ),
    "warehouse": DeclaredRole(
        "Warehouse",
        "Counts, corrects and moves stock, hands parcels over, reports deliveries and inspects "
        "returns.",
        _products
        | _stock
        | _orders
        | {
            "catalog.add_reorderpoint",
            "catalog.add_stockcount",
            "catalog.add_stocklocation",
            "catalog.add_stocktransfer",
            "catalog.be_told_of_low_stock",
            "catalog.change_reorderpoint",
            "catalog.change_stock",
            "catalog.change_stocklocation",
            "catalog.change_stocktransfer",
            "catalog.delete_reorderpoint",
            "catalog.release_reservation",
            "orders.annotate_order",
            "orders.inspect_return",
            "orders.move_shipment",
        },
    ),
    "finance": DeclaredRole(
        "Finance",
        "Sees payments and what went wrong with them, keeps the books, sends money back, issues "
        "gift cards, grants store credit, and writes taxes.",
        _orders
        | _payments
        | _taxes
        | _stored_value
        | {
            "orders.add_taxclass",
            "orders.add_taxrate",
            "orders.add_taxzone",
            "orders.annotate_order",
            "orders.cancel_order",
            "orders.change_giftcard",
            "orders.change_taxclass",
            "orders.change_taxrate",
            "orders.change_taxzone",
            "orders.delete_taxclass",
            "orders.delete_taxrate",
            "orders.delete_taxzone",
            "orders.grant_storecredit",
            "orders.issue_giftcard",
            "orders.refund_order",
            "orders.retry_billingdocument",
            "orders.view_creditnotenumbers",
            "orders.view_invoicenumbers",
            "orders.view_ledgerentry",
            "orders.view_ledgerposting",
            "orders.view_paymentfee",
            "orders.view_retainedinvoice",
            "orders.view_straypayment",
            "orders.view_webhookevent",
        },
    ),
    "administrator": DeclaredRole(
        "Administrator",
        "Everything, also what later releases add.",
        EVERYTHING,
    ),
}
