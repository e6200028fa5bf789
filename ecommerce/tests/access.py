"""Who may do what: one line for each method of each route, one for each page of the back office.

`test_access.py` sends every request of this table as everybody, and fails for a route that is not
in it. `python -m ecommerce.tests.access > docs/access.md` writes it as a page.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from apps.kernel.roles import EVERYTHING
from ecommerce.roles import ROLES as DECLARED

IN, UNKNOWN, FORBIDDEN, MISSING = 200, 401, 403, 404


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks: what they are called, what they hold, what is theirs."""

    name: str
    known: bool = True
    is_staff: bool = False
    is_key: bool = False
    permissions: frozenset[str] = frozenset()
    has: str = ""

    def holds(self, permission: str) -> bool:
        return bool(permission) and bool({permission, *EVERYTHING} & self.permissions)


ROLES = tuple(
    Actor(code, is_staff=True, permissions=role.permissions)
    for code, role in DECLARED.items()
    if code != "customer"
)
ACTORS = (
    Actor("anonymous", known=False),
    Actor("guest", known=False, has="guest's"),
    Actor("owner", has="owner's"),
    Actor("other customer"),
    Actor("staff without a role", is_staff=True),
    *ROLES,
    Actor("API key", is_key=True, permissions=DECLARED["administrator"].permissions),
    Actor("API key for other things", is_key=True, permissions=frozenset({"users.view_session"})),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom a route lets in.

    `everybody` needs no login. With `theirs` it is about a thing of somebody's, which does not
    exist for others. Staff with `permission` get at anybody's; those with `sees` are told that they
    may not.
    """

    everybody: bool = False
    people: bool = False
    theirs: bool = False
    permission: str = ""
    sees: str = ""
    keys: bool = False

    def answer(self, actor: Actor, thing: str) -> int:
        """Return the status for a thing of this owner, or for one that is "missing"."""
        if actor.is_key and not self.keys:
            return FORBIDDEN
        if actor.holds(self.permission):
            return MISSING if thing == "missing" else IN
        if actor.is_key and not (self.everybody and not self.theirs):
            return FORBIDDEN
        if not actor.known and not self.everybody:
            return UNKNOWN
        if not self.everybody and not self.people:
            return FORBIDDEN
        if thing == "missing":
            return MISSING
        if self.theirs and thing != actor.has:
            return FORBIDDEN if actor.holds(self.sees) else MISSING
        return IN


PUBLIC = Rule(everybody=True, keys=True)
PERSON = Rule(people=True)
OWN = Rule(people=True, theirs=True)
HOLDER = Rule(everybody=True, theirs=True)


def staff(permission: str, *, keys: bool = True) -> Rule:
    """Let in whoever of the staff holds the permission."""
    return Rule(permission=permission, keys=keys)


def holder_or(permission: str, sees: str = "") -> Rule:
    """Let in who has it, be it a guest, and staff."""
    return replace(HOLDER, permission=permission, sees=sees, keys=bool(permission))


@dataclass(frozen=True, slots=True)
class Page:
    """A model's pages in the back office: the permission for each, or nothing where nobody may."""

    see: str
    add: str = ""
    change: str = ""
    delete: str = ""
    actions: tuple[tuple[str, str], ...] = ()


def page(name: str, *may: str, **actions: str) -> Page:
    """Return the pages of `app.model` with Django's permissions: seen, and what `may` adds."""
    app, model = name.split(".")
    others = {verb: f"{app}.{verb}_{model}" for verb in may}
    return Page(f"{app}.view_{model}", **others, actions=tuple(actions.items()))


# Method and path, below /api/v1/ unless it begins with a slash -> whom it lets in.
ROUTES: dict[str, Rule] = {
    # the API itself
    "GET docs": PUBLIC,
    "GET openapi.json": PUBLIC,
    "GET errors": PUBLIC,
    "GET errors/{code}": PUBLIC,
    "GET countries": PUBLIC,
    "GET countries/{country}": PUBLIC,
    "GET /.well-known/jwks.json": PUBLIC,
    # accounts and sessions
    "POST auth/register": PUBLIC,
    "POST auth/verify-email": PUBLIC,
    "POST auth/password-reset": PUBLIC,
    "POST auth/password-reset/confirm": PUBLIC,
    "POST auth/email-change/confirm": PUBLIC,
    "POST auth/login": PUBLIC,
    "POST auth/refresh": PUBLIC,
    "POST auth/two-factor": PUBLIC,
    "POST auth/step-up": PERSON,
    "POST auth/logout": PERSON,
    "POST auth/logout-all": PERSON,
    "GET users/me": PERSON,
    "PUT users/me": PERSON,
    "PATCH users/me": PERSON,
    "POST users/me/password": PERSON,
    "POST users/me/email": PERSON,
    "POST users/me/deactivate": PERSON,
    "GET users/me/avatar": PERSON,
    "POST users/me/avatar": PERSON,
    "PUT users/me/avatar": PERSON,
    "DELETE users/me/avatar": PERSON,
    "GET users/me/consents": PERSON,
    "PUT users/me/consents": PERSON,
    "GET users/me/addresses": PERSON,
    "POST users/me/addresses": PERSON,
    "GET users/me/addresses/{address_id}": OWN,
    "PATCH users/me/addresses/{address_id}": OWN,
    "DELETE users/me/addresses/{address_id}": OWN,
    "GET users/me/alerts": PERSON,
    "POST users/me/alerts": PERSON,
    "DELETE users/me/alerts/{alert_id}": OWN,
    "GET users/me/two-factor": PERSON,
    "POST users/me/two-factor": PERSON,
    "DELETE users/me/two-factor": PERSON,
    "POST users/me/two-factor/confirm": PERSON,
    "POST users/me/two-factor/recovery-codes": PERSON,
    "GET users/me/sessions": PERSON,
    "DELETE users/me/sessions/{session_id}": OWN,
    # people and their roles
    "GET users": staff("users.view_user"),
    "GET users/{user_id}": staff("users.view_user"),
    "PATCH users/{user_id}": staff("users.deactivate_user", keys=False),
    "GET users/{user_id}/roles": staff("users.view_role", keys=False),
    "PUT users/{user_id}/roles": staff("users.assign_role", keys=False),
    "GET permissions": staff("users.view_role", keys=False),
    "GET roles": staff("users.view_role", keys=False),
    "POST roles": staff("users.add_role", keys=False),
    "GET roles/{role_id}": staff("users.view_role", keys=False),
    "PATCH roles/{role_id}": staff("users.change_role", keys=False),
    "DELETE roles/{role_id}": staff("users.delete_role", keys=False),
    # customer groups
    "GET customer-groups": staff("users.view_customergroup"),
    "POST customer-groups": staff("users.add_customergroup"),
    "GET customer-groups/{group_id}": staff("users.view_customergroup"),
    "PATCH customer-groups/{group_id}": staff("users.change_customergroup"),
    "DELETE customer-groups/{group_id}": staff("users.delete_customergroup"),
    "PUT customer-groups/{group_id}/members/{user_id}": staff("users.change_customergroup"),
    "DELETE customer-groups/{group_id}/members/{user_id}": staff("users.change_customergroup"),
    # keys of programs, which only people manage
    "GET api-keys": staff("users.add_apikey", keys=False),
    "POST api-keys": staff("users.add_apikey", keys=False),
    "GET api-keys/{key_id}": staff("users.add_apikey", keys=False),
    "DELETE api-keys/{key_id}": staff("users.add_apikey", keys=False),
    "POST api-keys/{key_id}/rotations": staff("users.add_apikey", keys=False),
    # people's rights to their data
    "GET users/me/data-exports": PERSON,
    "POST users/me/data-exports": PERSON,
    "GET users/me/data-exports/{export_id}": OWN,
    "GET users/me/data-exports/{export_id}/archive": OWN,
    "GET users/me/erasure-requests": PERSON,
    "POST users/me/erasure-requests": PERSON,
    "DELETE users/me/erasure-requests/{request_id}": OWN,
    # the audit log
    "GET audit-log": staff("kernel.view_auditentry"),
    "GET audit-log/{entry_id}": staff("kernel.view_auditentry"),
    # the catalog
    "GET products": PUBLIC,
    "POST products": staff("catalog.add_product"),
    "POST products/bulk": staff("catalog.delete_product"),
    "GET products/{key}": PUBLIC,
    "PUT products/{key}": staff("catalog.change_product"),
    "PATCH products/{key}": staff("catalog.change_product"),
    "DELETE products/{key}": staff("catalog.delete_product"),
    "GET products/{product_id}/media": PUBLIC,
    "POST products/{product_id}/media": staff("catalog.add_image"),
    "PATCH products/{product_id}/media/{media_id}": staff("catalog.change_image"),
    "DELETE products/{product_id}/media/{media_id}": staff("catalog.delete_image"),
    # what customers say of products; what is not shown is its author's alone
    "GET products/{product_id}/reviews": PUBLIC,
    "POST products/{product_id}/reviews": PERSON,
    "GET products/{product_id}/rating": PUBLIC,
    "GET products/{product_id}/questions": PUBLIC,
    "POST products/{product_id}/questions": PERSON,
    "GET questions": staff("catalog.moderate_review"),
    "DELETE questions/{question_id}": OWN,
    "POST questions/{question_id}/answers": PERSON,
    "POST questions/{question_id}/moderations": staff("catalog.moderate_review"),
    "DELETE answers/{answer_id}": OWN,
    "POST answers/{answer_id}/moderations": staff("catalog.moderate_review"),
    "GET users/me/questions": PERSON,
    "GET users/me/answers": PERSON,
    "GET users/me/reviews": PERSON,
    "GET reviews": staff("catalog.moderate_review"),
    "GET reviews/{review_id}": PUBLIC,
    "PATCH reviews/{review_id}": OWN,
    "DELETE reviews/{review_id}": OWN,
    "POST reviews/{review_id}/photos": OWN,
    "DELETE reviews/{review_id}/photos/{photo_id}": replace(
        OWN, permission="catalog.moderate_review"
    ),
    "POST reviews/{review_id}/votes": PERSON,
    "DELETE reviews/{review_id}/votes": PERSON,
    "POST reviews/{review_id}/reports": PERSON,
    "POST reviews/{review_id}/replies": staff("catalog.moderate_review"),
    "POST reviews/{review_id}/moderations": staff("catalog.moderate_review"),
    "GET search": PUBLIC,
    "GET search/suggestions": PUBLIC,
    "GET search/analytics": staff("catalog.view_searchcount"),
    "GET search/synonyms": staff("catalog.view_searchsynonym"),
    "POST search/synonyms": staff("catalog.add_searchsynonym"),
    "GET search/synonyms/{synonym_id}": staff("catalog.view_searchsynonym"),
    "PATCH search/synonyms/{synonym_id}": staff("catalog.change_searchsynonym"),
    "DELETE search/synonyms/{synonym_id}": staff("catalog.delete_searchsynonym"),
    "GET search/boosts": staff("catalog.view_searchboost"),
    "POST search/boosts": staff("catalog.add_searchboost"),
    "GET search/boosts/{boost_id}": staff("catalog.view_searchboost"),
    "PATCH search/boosts/{boost_id}": staff("catalog.change_searchboost"),
    "DELETE search/boosts/{boost_id}": staff("catalog.delete_searchboost"),
    "GET search/redirects": staff("catalog.view_searchredirect"),
    "POST search/redirects": staff("catalog.add_searchredirect"),
    "GET search/redirects/{redirect_id}": staff("catalog.view_searchredirect"),
    "PATCH search/redirects/{redirect_id}": staff("catalog.change_searchredirect"),
    "DELETE search/redirects/{redirect_id}": staff("catalog.delete_searchredirect"),
    "GET products/{key}/price-history": PUBLIC,
    "GET variants/{variant_id}/prices": staff("catalog.view_price"),
    "PUT variants/{variant_id}/prices": staff("catalog.change_price"),
    "POST prices/bulk": staff("catalog.change_price"),
    "GET price-lists": staff("catalog.view_pricelist"),
    "POST price-lists": staff("catalog.add_pricelist"),
    "GET price-lists/{list_id}": staff("catalog.view_pricelist"),
    "PATCH price-lists/{list_id}": staff("catalog.change_pricelist"),
    "DELETE price-lists/{list_id}": staff("catalog.delete_pricelist"),
    "GET categories": PUBLIC,
    "GET inventory": PUBLIC,
    "POST inventory/availability": PUBLIC,
    "GET inventory/{product_id}": PUBLIC,
    # the warehouse
    "POST inventory/adjustments": staff("catalog.change_stock"),
    "GET inventory/low-stock": staff("catalog.view_lowstock"),
    "GET inventory/reorder-points": staff("catalog.view_reorderpoint"),
    "PUT inventory/reorder-points": staff("catalog.change_reorderpoint"),
    "GET inventory/movements": staff("catalog.view_stockmovement"),
    "GET inventory/reservations": staff("catalog.view_reservation"),
    "GET inventory/reservations/{order_id}": staff("catalog.view_reservation"),
    "DELETE inventory/reservations/{order_id}": staff("catalog.release_reservation"),
    "GET variants/{variant_id}/stock-policy": staff("catalog.view_stock"),
    "PUT variants/{variant_id}/stock-policy": staff("catalog.change_stock"),
    "GET stock-locations": staff("catalog.view_stocklocation"),
    "POST stock-locations": staff("catalog.add_stocklocation"),
    "GET stock-locations/{location_id}": staff("catalog.view_stocklocation"),
    "PATCH stock-locations/{location_id}": staff("catalog.change_stocklocation"),
    "DELETE stock-locations/{location_id}": staff("catalog.change_stocklocation"),
    "GET stock-counts": staff("catalog.view_stockcount"),
    "POST stock-counts": staff("catalog.add_stockcount"),
    "GET stock-counts/{count_id}": staff("catalog.view_stockcount"),
    "GET stock-transfers": staff("catalog.view_stocktransfer"),
    "POST stock-transfers": staff("catalog.add_stocktransfer"),
    "GET stock-transfers/{transfer_id}": staff("catalog.view_stocktransfer"),
    "PATCH stock-transfers/{transfer_id}": staff("catalog.change_stocktransfer"),
    "POST stock-transfers/{transfer_id}/receipts": staff("catalog.change_stocktransfer"),
    # what products have in common
    "POST categories": staff("catalog.add_category"),
    "GET categories/{category}": PUBLIC,
    "PUT categories/{category}": staff("catalog.change_category"),
    "PATCH categories/{category}": staff("catalog.change_category"),
    "DELETE categories/{category}": staff("catalog.delete_category"),
    "POST categories/{category_id}/moves": staff("catalog.change_category"),
    "GET categories/{category}/products": PUBLIC,
    "POST products/{product_id}/publications": staff("catalog.change_product"),
    "DELETE products/{product_id}/publications": staff("catalog.change_product"),
    "GET products/{key}/related": PUBLIC,
    "PUT products/{key}/related": staff("catalog.change_product"),
    "GET collections": PUBLIC,
    "POST collections": staff("catalog.add_collection"),
    "GET collections/{collection}": PUBLIC,
    "PATCH collections/{collection}": staff("catalog.change_collection"),
    "DELETE collections/{collection}": staff("catalog.delete_collection"),
    "GET collections/{collection}/products": PUBLIC,
    "PUT collections/{collection}/products": staff("catalog.change_collection"),
    "GET product-types": PUBLIC,
    "POST product-types": staff("catalog.add_producttype"),
    "GET product-types/{product_type}": PUBLIC,
    "PATCH product-types/{product_type}": staff("catalog.change_producttype"),
    "DELETE product-types/{product_type}": staff("catalog.delete_producttype"),
    "GET attributes": PUBLIC,
    "POST attributes": staff("catalog.add_attribute"),
    "GET attributes/{attribute_id}": PUBLIC,
    "PATCH attributes/{attribute_id}": staff("catalog.change_attribute"),
    "DELETE attributes/{attribute_id}": staff("catalog.delete_attribute"),
    "GET attributes/{attribute_id}/values": PUBLIC,
    "POST attributes/{attribute_id}/values": staff("catalog.change_attribute"),
    "PATCH attributes/{attribute_id}/values/{choice_id}": staff("catalog.change_attribute"),
    "DELETE attributes/{attribute_id}/values/{choice_id}": staff("catalog.change_attribute"),
    "GET brands": PUBLIC,
    "POST brands": staff("catalog.add_brand"),
    "GET brands/{brand}": PUBLIC,
    "PATCH brands/{brand}": staff("catalog.change_brand"),
    "DELETE brands/{brand}": staff("catalog.delete_brand"),
    "GET tags": PUBLIC,
    "POST tags": staff("catalog.add_tag"),
    "GET tags/{tag}": PUBLIC,
    "PATCH tags/{tag}": staff("catalog.change_tag"),
    "DELETE tags/{tag}": staff("catalog.delete_tag"),
    "GET imports": staff("catalog.view_import"),
    "POST imports": staff("catalog.add_import"),
    "GET imports/templates/{of}": staff("catalog.view_import"),
    "GET imports/{import_id}": staff("catalog.view_import"),
    "GET imports/{import_id}/rows": staff("catalog.view_import"),
    "POST imports/{import_id}/retries": staff("catalog.add_import"),
    "GET exports": staff("catalog.view_export"),
    "POST exports": staff("catalog.add_export"),
    "GET exports/{product_export_id}": staff("catalog.view_export"),
    "GET exports/{product_export_id}/file": staff("catalog.view_export"),
    # carts
    "POST carts": Rule(everybody=True),
    "GET carts/current": OWN,
    "GET carts/{cart_id}": HOLDER,
    "DELETE carts/{cart_id}": HOLDER,
    "POST carts/{cart_id}/items": HOLDER,
    "PUT carts/{cart_id}/items": HOLDER,
    "PATCH carts/{cart_id}/items/{item_id}": HOLDER,
    "DELETE carts/{cart_id}/items/{item_id}": HOLDER,
    "PUT carts/{cart_id}/email": HOLDER,
    "PUT carts/{cart_id}/shipping-address": HOLDER,
    "GET carts/{cart_id}/shipping-options": HOLDER,
    "PUT carts/{cart_id}/shipping-option": HOLDER,
    "POST carts/{cart_id}/coupons": HOLDER,
    "DELETE carts/{cart_id}/coupons/{coupon}": HOLDER,
    "POST carts/{cart_id}/gift-cards": HOLDER,
    "DELETE carts/{cart_id}/gift-cards/{gift_card_id}": HOLDER,
    "PUT carts/{cart_id}/store-credit": OWN,
    "DELETE carts/{cart_id}/store-credit": OWN,
    "POST carts/{cart_id}/merges": OWN,
    "GET carts/{cart_id}/saved-items": HOLDER,
    "POST carts/{cart_id}/items/{item_id}/saves": HOLDER,
    "DELETE carts/{cart_id}/saved-items/{saved_item_id}": HOLDER,
    "POST carts/{cart_id}/saved-items/{saved_item_id}/moves": HOLDER,
    "POST carts/{cart_id}/checkout": HOLDER,
    # promotions
    "GET promotions": staff("orders.view_promotion"),
    "POST promotions": staff("orders.add_promotion"),
    "GET promotions/{promotion_id}": staff("orders.view_promotion"),
    "PATCH promotions/{promotion_id}": staff("orders.change_promotion"),
    "DELETE promotions/{promotion_id}": staff("orders.delete_promotion"),
    "POST promotions/{promotion_id}/activations": staff("orders.change_promotion"),
    "POST promotions/{promotion_id}/simulations": staff("orders.add_promotionsimulation"),
    "GET promotions/{promotion_id}/simulations/{simulation_id}": staff(
        "orders.view_promotionsimulation"
    ),
    "GET promotions/{promotion_id}/coupon-batches": staff("orders.view_couponbatch"),
    "POST promotions/{promotion_id}/coupon-batches": staff("orders.add_couponbatch"),
    "GET promotions/{promotion_id}/coupon-batches/{batch_id}": staff("orders.view_coupon"),
    "GET promotions/{promotion_id}/coupon-batches/{batch_id}/codes": staff("orders.view_coupon"),
    # orders
    "GET orders": Rule(people=True, permission="orders.view_order", keys=True),
    "POST orders/lookups": PUBLIC,
    "GET orders/{order_id}": holder_or("orders.view_order"),
    "PATCH orders/{order_id}": staff("orders.annotate_order"),
    "GET orders/{order_id}/events": holder_or("orders.view_order"),
    "GET orders/{order_id}/notes": staff("orders.view_ordernote"),
    "POST orders/{order_id}/notes": staff("orders.annotate_order"),
    "POST orders/{order_id}/reorders": holder_or("", sees="orders.view_order"),
    "POST orders/{order_id}/payments": holder_or("", sees="orders.view_order"),
    "POST orders/{order_id}/cancellations": holder_or(
        "orders.cancel_order", sees="orders.view_order"
    ),
    "GET orders/{order_id}/refunds": holder_or("orders.view_order"),
    "GET orders/{order_id}/invoices": holder_or("orders.view_order"),
    "GET orders/{order_id}/invoices/{invoice_id}": holder_or("orders.view_order"),
    "GET orders/{order_id}/invoices/{invoice_id}/pdf": holder_or("orders.view_order"),
    "GET orders/{order_id}/credit-notes": holder_or("orders.view_order"),
    "GET orders/{order_id}/credit-notes/{credit_note_id}": holder_or("orders.view_order"),
    "GET orders/{order_id}/credit-notes/{credit_note_id}/pdf": holder_or("orders.view_order"),
    "POST orders/{order_id}/refunds": staff("orders.refund_order", keys=False),
    # changes of orders: a cancellation in `BODIES`; each kind asks for the right of its own
    "GET orders/{order_id}/changes": holder_or("orders.view_order"),
    "POST orders/{order_id}/changes": holder_or("orders.cancel_order", sees="orders.view_order"),
    "GET orders/{order_id}/changes/{change_id}": holder_or("orders.view_order"),
    "POST orders/{order_id}/changes/{change_id}/confirmations": holder_or(
        "orders.cancel_order", sees="orders.view_order"
    ),
    # goods that come back
    "GET return-reasons": PUBLIC,
    "GET orders/{order_id}/return-eligibility": holder_or("orders.view_order"),
    "POST orders/{order_id}/returns": holder_or("orders.decide_return", sees="orders.view_order"),
    "GET users/me/returns": PERSON,
    "GET returns": staff("orders.view_return"),
    "GET returns/{return_id}": holder_or("orders.view_order"),
    "POST returns/{return_id}/cancellations": holder_or(
        "orders.decide_return", sees="orders.view_order"
    ),
    "POST returns/{return_id}/exchanges": holder_or(
        "orders.decide_return", sees="orders.view_order"
    ),
    "POST returns/{return_id}/photos": holder_or("orders.decide_return", sees="orders.view_order"),
    "GET returns/{return_id}/photos/{return_photo_id}": holder_or(
        "orders.view_return", sees="orders.view_order"
    ),
    "DELETE returns/{return_id}/photos/{return_photo_id}": holder_or(
        "orders.decide_return", sees="orders.view_order"
    ),
    "POST returns/{return_id}/approvals": staff("orders.decide_return"),
    "POST returns/{return_id}/rejections": staff("orders.decide_return"),
    "POST returns/{return_id}/receipts": staff("orders.inspect_return"),
    "POST returns/{return_id}/inspections": staff("orders.inspect_return", keys=False),
    "POST returns/{return_id}/refunds": staff("orders.refund_order", keys=False),
    # gift cards and store credit
    "GET gift-cards": staff("orders.view_storedvalue"),
    "POST gift-cards": staff("orders.issue_giftcard", keys=False),
    "POST gift-cards/lookups": PUBLIC,
    "GET gift-cards/{gift_card_id}": staff("orders.view_storedvalue"),
    "PATCH gift-cards/{gift_card_id}": staff("orders.change_giftcard"),
    "GET users/me/store-credit": PERSON,
    "GET users/{user_id}/store-credit": staff("orders.view_storedvalue"),
    "POST users/{user_id}/store-credit": staff("orders.grant_storecredit", keys=False),
    # the books
    "GET ledger/entries": staff("orders.view_ledgerentry"),
    "GET ledger/balances": staff("orders.view_ledgerentry"),
    "GET tax-classes": staff("orders.view_taxclass"),
    "POST tax-classes": staff("orders.add_taxclass"),
    "GET tax-classes/{class_id}": staff("orders.view_taxclass"),
    "PATCH tax-classes/{class_id}": staff("orders.change_taxclass"),
    "DELETE tax-classes/{class_id}": staff("orders.delete_taxclass"),
    "GET tax-zones": staff("orders.view_taxzone"),
    "POST tax-zones": staff("orders.add_taxzone"),
    "GET tax-zones/{zone_id}": staff("orders.view_taxzone"),
    "PATCH tax-zones/{zone_id}": staff("orders.change_taxzone"),
    "DELETE tax-zones/{zone_id}": staff("orders.delete_taxzone"),
    "GET tax-rates": staff("orders.view_taxrate"),
    "POST tax-rates": staff("orders.add_taxrate"),
    "GET tax-rates/{rate_id}": staff("orders.view_taxrate"),
    "PATCH tax-rates/{rate_id}": staff("orders.change_taxrate"),
    "DELETE tax-rates/{rate_id}": staff("orders.delete_taxrate"),
    "POST tax/quotes": staff("orders.view_taxrate"),
    # signed by the provider: without the signature nobody gets further than 400
    "POST hooks/payments/stripe": PUBLIC,
}

# Model -> who sees, adds, changes, deletes it at /admin/, and who may do which action.
PAGES: dict[str, Page] = {
    name: page(name, *may.split(), **actions)
    for name, may, actions in (
        ("kernel.auditentry", "", {}),
        ("kernel.idempotencyrecord", "", {}),
        ("kernel.inboxentry", "", {}),
        ("kernel.mail", "", {"send_after_all": "kernel.resend_mail"}),
        ("kernel.outboxevent", "", {}),
        ("users.apikey", "", {"revoke": "users.revoke_apikey"}),
        ("users.customergroup", "add change delete", {}),
        ("users.role", "add change delete", {}),
        ("users.user", "add change", {"remove_avatars": "users.change_user"}),
        ("users.session", "", {"revoke": "users.revoke_session"}),
        ("catalog.boughttogether", "", {}),
        ("catalog.attribute", "add change delete", {}),
        ("catalog.brand", "add change delete", {}),
        ("catalog.category", "add change delete", {}),
        ("catalog.lowstock", "", {}),
        ("catalog.reorderpoint", "add change delete", {}),
        ("catalog.collection", "add change delete", {}),
        ("catalog.export", "add", {}),
        ("catalog.import", "add", {}),
        ("catalog.pricechange", "", {}),
        ("catalog.pricelist", "add change delete", {}),
        ("catalog.product", "add change", {}),
        ("catalog.producttype", "add change delete", {}),
        ("catalog.reservation", "", {}),
        *(
            (
                f"catalog.{kind}",
                "",
                {"approve": "catalog.moderate_review", "reject": "catalog.moderate_review"},
            )
            for kind in ("question", "answer")
        ),
        (
            "catalog.review",
            "",
            {
                "approve": "catalog.moderate_review",
                "reject": "catalog.moderate_review",
            },
        ),
        ("catalog.reviewphoto", "", {"remove": "catalog.moderate_review"}),
        ("catalog.reservation", "", {"release": "catalog.release_reservation"}),
        ("catalog.searchboost", "add change delete", {}),
        ("catalog.searchcount", "", {}),
        ("catalog.searchredirect", "add change delete", {}),
        ("catalog.searchsynonym", "add change delete", {}),
        ("catalog.stock", "change", {}),
        ("catalog.stockalert", "", {}),
        ("catalog.stockcount", "", {}),
        ("catalog.stocklocation", "add change", {}),
        ("catalog.stockmovement", "", {}),
        (
            "catalog.stocktransfer",
            "add change",
            dict.fromkeys(("send", "receive", "give_up"), "catalog.change_stocktransfer"),
        ),
        ("catalog.tag", "add change delete", {}),
        ("orders.billingdocument", "", {"retry": "orders.retry_billingdocument"}),
        ("orders.cart", "", {}),
        ("orders.changeset", "", {}),
        ("orders.coupon", "", {}),
        ("orders.creditnotenumbers", "", {}),
        ("orders.customeruses", "", {}),
        ("orders.invoicenumbers", "", {}),
        ("orders.ledgerposting", "", {}),
        ("orders.ordernumbers", "", {}),
        ("orders.orderpromotion", "", {}),
        ("orders.paymentattempt", "", {}),
        ("orders.paymentfee", "", {}),
        (
            "orders.promotion",
            "",
            {"activate": "orders.change_promotion", "archive": "orders.delete_promotion"},
        ),
        ("orders.promotionsimulation", "", {}),
        ("orders.retainedinvoice", "", {}),
        (
            "orders.return",
            "",
            {
                **dict.fromkeys(("approve", "reject"), "orders.decide_return"),
                **dict.fromkeys(("receive", "restock", "write_off"), "orders.inspect_return"),
            },
        ),
        (
            "orders.shipment",
            "",
            {"hand_over": "orders.move_shipment", "deliver": "orders.move_shipment"},
        ),
        ("orders.heldunits", "", {}),
        ("orders.statuschange", "", {}),
        ("orders.valuemovement", "", {}),
        ("orders.straypayment", "", {}),
        ("orders.taxclass", "add change delete", {}),
        ("orders.taxrate", "add change delete", {}),
        ("orders.taxzone", "add change delete", {}),
        ("orders.webhookevent", "", {}),
        ("privacy.dataexport", "add", {}),
        (
            "privacy.erasurerequest",
            "add",
            {"take_back": "privacy.take_back_erasurerequest"},
        ),
    )
} | {
    "orders.order": Page(
        "orders.view_order",
        change="orders.annotate_order",
        actions=(("cancel", "orders.cancel_order"),),
    ),
    "orders.refund": Page("orders.view_refund", add="orders.refund_order"),
    "orders.storedvalue": Page(
        "orders.view_storedvalue",
        add="orders.issue_giftcard",
        actions=(("disable", "orders.change_giftcard"), ("enable", "orders.change_giftcard")),
    ),
    "catalog.price": Page(
        "catalog.view_price",
        add="catalog.change_price",
        change="catalog.change_price",
        delete="catalog.change_price",
    ),
}

HEAD = """\
# Who may do what

Generated by `python -m ecommerce.tests.access` from [access.py](../ecommerce/tests/access.py); a
test compares. `test_access.py` sends every request of these tables as everybody, for own, foreign
and missing things, and fails for a route that is missing here.

**yes**: any; **own**: only what is theirs, everything else does not exist (404); empty: 401 without
a login, else 403. A guest owns what the token opens. Staff shop like everybody: what a customer may
do with own things, they may too. What each role holds is declared in
[roles.py](../ecommerce/roles.py); staff may change it
([decision 56](decisions/0056-declared-roles-and-what-staff-change.md)).
"""


def as_markdown() -> str:
    """Return the page `docs/access.md`."""
    return "\n".join([HEAD, *_routes(), "", *_pages()]) + "\n"


def _routes() -> Iterator[str]:
    columns = {
        "guest": ACTORS[1],
        "customer": ACTORS[2],
        **{actor.name.replace("_", " "): replace(actor, has="own") for actor in ROLES},
        "API key": ACTORS[-2],
    }
    yield "## The API, below `/api/v1/`"
    yield ""
    yield f"| | {' | '.join(columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for route, rule in ROUTES.items():
        cells = [
            "yes"
            if rule.answer(actor, "somebody's") == IN
            else "own"
            if rule.answer(actor, actor.has) == IN
            else ""
            for actor in columns.values()
        ]
        yield f"| `{route}` | {' | '.join(cells)} |"


def _pages() -> Iterator[str]:
    roles = {actor.name.replace("_", " "): actor for actor in ROLES}
    yield "## The back office, `/admin/`"
    yield ""
    yield f"| | {' | '.join(roles)} |"
    yield f"|---|{'---|' * len(roles)}"
    for name, pages in PAGES.items():
        verbs = {
            "see": pages.see,
            "add": pages.add,
            "change": pages.change,
            "delete": pages.delete,
            **dict(pages.actions),
        }
        cells = [
            ", ".join(
                verb.replace("_", " ") for verb, needed in verbs.items() if actor.holds(needed)
            )
            for actor in roles.values()
        ]
        yield f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
