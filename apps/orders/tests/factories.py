"""Carts and orders as the services make them. Public to the tests of all apps."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import factory
import pgtrigger
from django.db.models.functions import Now
from django.utils import timezone

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.money import Money
from apps.orders import files
from apps.orders.models import (
    BillingDocument,
    Cart,
    ChangeSet,
    Coupon,
    CouponBatch,
    CreditNoteNumbers,
    Order,
    PaymentAttempt,
    PaymentFee,
    Promotion,
    PromotionSimulation,
    Refund,
    Return,
    ReturnPhoto,
    SavedItem,
    Shipment,
    StoredValue,
    TaxClass,
    TaxRate,
    TaxZone,
    WebhookEvent,
)
from apps.orders.payments.gateway import PaymentState, PaymentStatus
from apps.orders.pricing.percentages import ppm_of
from apps.orders.selectors.orders import STORE, Holder
from apps.orders.services import (
    billing,
    cart_tenders,
    carts,
    change_sets,
    checkout,
    coupons,
    ledger,
    orders,
    payments,
    returns,
    stored_value,
    tax_tables,
)
from apps.orders.services.numbers import next_number
from apps.orders.states import ChangeKind, ReturnReason

ADDRESS = {
    "first_name": "Robin",
    "last_name": "Doe",
    "line1": "1 Main Street",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62701",
    "country": "US",
}
VISA = checkout.PaymentChoice(provider="stripe", method="pm_card_visa")
DECLINED = checkout.PaymentChoice(provider="stripe", method="pm_card_visa_chargeDeclined")
THREE_D_SECURE = checkout.PaymentChoice(provider="stripe", method="pm_card_threeDSecure2Required")


class PromotionFactory(factory.django.DjangoModelFactory[Promotion]):
    """An active promotion of 10 % off everything, for everybody."""

    class Meta:
        model = Promotion

    name = factory.Sequence(lambda n: f"Promotion {n}")
    status = "active"
    benefit = factory.LazyFunction(lambda: {"kind": "percentage", "basis_points": 1000})


class CouponFactory(factory.django.DjangoModelFactory[Coupon]):
    """A code for 10 % off everything, without a limit, in a batch of its own."""

    class Meta:
        model = Coupon

    promotion = factory.SubFactory(PromotionFactory, needs_code=True)
    code = factory.Sequence(lambda n: f"CODE{n}")
    batch = factory.LazyAttribute(
        lambda new: CouponBatch.objects.create(
            promotion=new.promotion, count=1, uses_limit=getattr(new, "uses_limit", None)
        )
    )


def ready_cart(
    quantities: dict[Any, int] | None = None,
    *,
    customer_id: UUID | None = None,
    email: str = "robin@example.com",
    codes: tuple[str, ...] = (),
    gift_cards: tuple[str, ...] = (),
    store_credit: bool = False,
) -> tuple[Cart, Holder]:
    """Return a cart that can be ordered, a guest's or a customer's, and who holds it."""
    cart, token = carts.open_cart(customer_id=customer_id)
    holder = Holder(customer_id=customer_id, token=token)
    quantities = quantities or {VariantFactory.create(stock=10).pk: 1}
    carts.replace_items(holder=holder, cart_id=cart.pk, quantities=quantities, version=None)
    carts.set_details(
        holder=holder,
        cart_id=cart.pk,
        version=None,
        email=email,
        shipping_address=ADDRESS,
    )
    carts.choose_shipping(holder=holder, cart_id=cart.pk, code="standard", version=None)
    for code in codes:
        coupons.add_coupon(holder=holder, cart_id=cart.pk, code=code, version=None)
    for code in gift_cards:
        cart_tenders.add_gift_card(holder=holder, cart_id=cart.pk, code=code, version=None)
    if store_credit:
        cart_tenders.use_store_credit(holder=holder, cart_id=cart.pk, use=True, version=None)
    cart.refresh_from_db()
    return cart, holder


def simulation_of(promotion: Promotion) -> PromotionSimulation:
    """Return a simulation on orders of the last day that has just begun."""
    now = timezone.now()
    return PromotionSimulation.objects.create(
        promotion=promotion,
        promotion_version=promotion.version,
        placed_from=now - timedelta(days=1),
        placed_until=now,
        next_action_at=now,
    )


def saved_item(cart: Cart, variant_id: UUID, quantity: int = 1) -> SavedItem:
    """Return a line that is saved in the cart for later."""
    return SavedItem.objects.create(cart=cart, variant_id=variant_id, quantity=quantity)


def placed_order(
    quantities: dict[Any, int] | None = None, *, payment: checkout.PaymentChoice = VISA
) -> tuple[Order, Holder]:
    """Return an unpaid order and who holds it."""
    cart, holder = ready_cart(quantities)
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=payment)
    order = Order.objects.get(pk=placed.whole.order.pk)
    return order, Holder(token=placed.token)


def pay(order: Order) -> None:
    """Let the provider say that the order's money has come."""
    attempt = order.attempts.exclude(status="failed").get()
    PaymentAttempt.objects.filter(pk=attempt.pk).update(status="in_flight")
    state = PaymentState(
        reference=f"pi_{order.pk.hex}",
        status=PaymentStatus.CAPTURED,
        amount_minor=attempt.amount_minor,
        captured_minor=attempt.amount_minor,
        refunded_minor=0,
        currency=attempt.currency,
        next_action=None,
        failure_code="",
        failure_detail="",
        attempt_id=str(attempt.pk),
    )
    assert payments.settle(attempt.pk, state)
    order.refresh_from_db()


def declined_order(
    quantities: dict[Any, int] | None = None, **options: Any
) -> tuple[Order, Holder]:
    """Return an unpaid order whose payment has failed, and who holds it."""
    cart, holder = ready_cart(quantities, **options)
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    order = Order.objects.get(pk=placed.whole.order.pk)
    order.attempts.update(status="in_flight")
    order.attempts.update(status="failed", next_action_at=None)
    return order, Holder(customer_id=cart.customer_id, token=placed.token)


def paid_order(
    quantities: dict[Any, int] | None = None,
    *,
    customer_id: UUID | None = None,
    codes: tuple[str, ...] = (),
) -> tuple[Order, Holder]:
    """Return an order whose money has come, and who holds it. Its parcel is not planned."""
    cart, holder = ready_cart(quantities, customer_id=customer_id, codes=codes)
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    order = Order.objects.get(pk=placed.whole.order.pk)
    pay(order)
    return order, Holder(customer_id=customer_id, token=placed.token)


def documents_of(order: Order) -> tuple[BillingDocument, BillingDocument]:
    """Return an invoice and a credit note of an order, whatever has been paid."""
    invoice = BillingDocument.objects.create(order=order, kind="invoice", next_action_at=Now())
    while billing.advance_document():
        pass
    invoice.refresh_from_db()
    refund = Refund.objects.create(
        attempt=order.attempts.get(), amount_minor=1, currency="USD", status="failed"
    )
    number, issued_at = next_number(CreditNoteNumbers)
    note = BillingDocument.objects.create(
        order=order,
        kind="credit_note",
        refund=refund,
        status="stored",
        number=number,
        issued_at=issued_at,
        content={
            **(invoice.content or {}),
            "invoice": invoice.shown_number,
            "totals": {"net": 1, "tax": 0, "grand_total": 1},
        },
        total_minor=1,
        currency="USD",
        sha256=invoice.sha256,
        keep_until=invoice.keep_until,
    )
    files.keep(note.file, files.read(invoice.file))
    return invoice, note


def completed_order(
    *, customer_id: UUID | None = None, email: str = "robin@example.com"
) -> tuple[Order, Holder]:
    """Return an order that was paid, delivered and in part refunded, long ago, and who holds it."""
    cart, holder = ready_cart(customer_id=customer_id, email=email)
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    order = Order.objects.get(pk=placed.whole.order.pk)
    reference = f"pi_{order.pk.hex}"
    with pgtrigger.ignore():
        Order.objects.filter(pk=order.pk).update(status="completed")
        PaymentAttempt.objects.filter(order=order).update(
            status="captured", reference=reference, next_action_at=None
        )
    BillingDocument.objects.create(order=order, kind="invoice", next_action_at=Now())
    attempt = order.attempts.get()
    PaymentFee.objects.create(attempt=attempt, next_action_at=Now() + timedelta(minutes=1))
    Refund.objects.create(attempt=attempt, amount_minor=1, currency="USD", status="succeeded")
    Shipment.objects.create(order=order, carrier="table_rates", status="delivered")
    WebhookEvent.objects.create(
        provider="stripe", event_id=reference, reference=reference, payload={}, outcome="applied"
    )
    ledger.complete(order.pk)
    while billing.advance_document():
        pass
    order.refresh_from_db()
    return order, Holder(customer_id=customer_id, token=placed.token)


def delivered_order(
    quantities: dict[Any, int] | None = None, *, customer_id: UUID | None = None
) -> tuple[Order, Holder]:
    """Return an order that was paid, sent and delivered just now, and who holds it."""
    order, holder = paid_order(quantities, customer_id=customer_id)
    with pgtrigger.ignore():
        Order.objects.filter(pk=order.pk).update(status="completed")
    catalog.ship(order_id=order.pk)
    now = timezone.now()
    Shipment.objects.create(
        order=order,
        carrier="table_rates",
        status="delivered",
        handed_over_at=now,
        delivered_at=now,
    )
    order.refresh_from_db()
    return order, holder


def requested_return(order: Order, quantity: int = 1, **fields: Any) -> Return:
    """Return a return of so many pieces of each line."""
    wanted = [
        returns.Wanted(line.pk, quantity, ReturnReason.CHANGED_MIND) for line in order.lines.all()
    ]
    return returns.request_return(holder=STORE, order_id=order.pk, wanted=wanted, **fields)


def return_photo(found: Return, position: int = 0) -> ReturnPhoto:
    """Return a photo of a return, whose file is there."""
    photo = ReturnPhoto.objects.create(
        parent=found, file=f"returns/{new_id()}.webp", width=2, height=1, position=position
    )
    files.keep(photo.file, b"a picture")
    return photo


def received_return(order: Order, quantity: int = 1) -> Return:
    """Return a return whose parcel has come in."""
    found = requested_return(order, quantity)
    returns.approve_return(return_id=found.pk)
    returns.receive_return(return_id=found.pk)
    found.refresh_from_db()
    return found


def proposed_change(order: Order) -> ChangeSet:
    """Return a cancellation of the order that nobody has confirmed."""
    return change_sets.propose_change(
        holder=STORE, order_id=order.pk, kind=ChangeKind.CANCEL, body={}
    )


def gift_card(
    minor: int = 5000, *, currency: str = "USD", **options: Any
) -> tuple[StoredValue, str]:
    """Return a new gift card and its code."""
    return stored_value.issue_gift_card(amount=Money(minor, currency), **options)


def store_credit(customer_id: UUID, minor: int = 5000) -> StoredValue:
    """Return a customer's store credit after so much more was granted."""
    return stored_value.grant_store_credit(
        customer_id=customer_id, amount=Money(minor, "USD"), reason="A late parcel."
    )


def credited_order(*, customer_id: UUID, email: str = "robin@example.com") -> Order:
    """Return an order that store credit has paid, and that was cancelled."""
    store_credit(customer_id)
    cart, holder = ready_cart(customer_id=customer_id, email=email, store_credit=True)
    nothing = Money(0, cart.currency)
    placed = checkout.place_order(
        holder=holder, cart_id=cart.pk, payment=VISA, expected_to_pay=nothing
    )
    return orders.cancel_order(holder=holder, order_id=placed.whole.order.pk)


def tax_class(code: str = "standard") -> TaxClass:
    """Return the tax class with this code, which is made if nobody has."""
    default = not TaxClass.objects.filter(is_default=True).exists()
    row, _ = TaxClass.objects.get_or_create(
        code=code, defaults={"name": code.title(), "is_default": default}
    )
    return row


def tax_zone(*areas: str, **fields: Any) -> TaxZone:
    """Return a zone of areas such as DE, US/CA, US//902, or * for everywhere else."""
    parts = [[*area.replace("*", "").split("/"), "", ""][:3] for area in areas]
    places = [
        tax_tables.AreaFields(country=country, region=region, postal_prefix=prefix)
        for country, region, prefix in parts
    ]
    said = {"name": " ".join(areas), "areas": places, **fields}
    return tax_tables.create_zone(fields=cast("tax_tables.ZoneFields", said))


def tax_rate(zone: TaxZone, percentage: str, *, of: str = "standard", **fields: Any) -> TaxRate:
    """Return a rate of a class, which is made if nobody has. It is VAT unless it is said."""
    said = {"code": "vat", "name": "VAT", "ppm": ppm_of(percentage), **fields}
    return tax_tables.create_rate(
        zone_id=zone.pk,
        tax_class=tax_class(of).code,
        fields=cast("tax_tables.RateFields", said),
    )
