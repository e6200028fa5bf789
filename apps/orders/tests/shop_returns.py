"""Goods that come back to the shop of the machine, in steps between everything else."""

from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule

from apps.orders.models import OrderLine, Replacement, Return
from apps.orders.services.inspections import Finding, inspect_return
from apps.orders.services.returns import approve_return, receive_return
from apps.orders.states import Resolution
from apps.orders.tests.shop_client import Visitor
from apps.orders.tests.shop_model import Card, Parcel, Purchase, Ware

ON_THEIR_WAY = {"requested": approve_return, "approved": receive_return}


class Returns(Visitor):
    """Rules of returns: shoppers ask, staff approve, receive and look."""

    purchases: Any = Bundle("purchases")
    parcels: Any = Bundle("parcels")
    wares: list[Ware]
    known: list[Purchase]

    @rule(
        target=parcels,
        purchase=purchases,
        place=st.integers(min_value=0, max_value=2),
        quantity=st.integers(min_value=1, max_value=3),
    )
    def ask_to_bring_back(self, purchase: Purchase, place: int, quantity: int) -> Parcel | None:
        ware = self.wares[place]
        line = OrderLine.objects.filter(order=purchase.id, variant_id=ware.id).first()
        piece = {"order_line_id": str(line.pk if line else uuid4()), "quantity": quantity}
        path = f"orders/{purchase.id}/returns"
        body = {"lines": [piece | {"reason": "defective"}]}
        answer = self.ask("post", path, body, order=purchase.token, key=uuid4().hex)
        if not purchase.is_with_the_shopper or not purchase.returnable:
            self.refused(answer, 409, "not_returnable")
        elif line is None:
            self.refused(answer, 404, "unknown_order_line")
        elif quantity > purchase.returnable.get(ware, 0):
            self.refused(answer, 409, "more_than_bought")
        else:
            assert answer.status_code == 201, answer.content
            parcel = Parcel(answer.json()["id"], purchase, ware, quantity)
            purchase.parcels.append(parcel)
            return parcel
        return None

    @rule(parcel=parcels)
    def keep_it_after_all(self, parcel: Parcel | None) -> None:
        if parcel is None:
            return
        path = f"returns/{parcel.id}/cancellations"
        answer = self.ask("post", path, {}, order=parcel.purchase.token, key=uuid4().hex)
        if parcel.status in ON_THEIR_WAY:
            assert answer.status_code == 201, answer.content
            parcel.status, parcel.quantity = "cancelled", 0
        else:
            self.refused(answer, 409, "return_status_conflict")

    @rule(parcel=parcels, place=st.integers(min_value=0, max_value=2))
    def ask_for_another(self, parcel: Parcel | None, place: int) -> None:
        if parcel is None:
            return
        wanted = self.wares[place]
        line = Return.objects.get(pk=parcel.id).lines.get()
        body = {"lines": [{"line_id": str(line.pk), "variant_id": str(wanted.id)}]}
        answer = self.ask(
            "post", f"returns/{parcel.id}/exchanges", body, order=parcel.purchase.token
        )
        if parcel.status not in ON_THEIR_WAY:
            self.refused(answer, 409, "return_status_conflict")
        elif wanted.price > parcel.ware.price:
            self.refused(answer, 409, "exchange_costs_more")
        elif wanted.available < parcel.quantity:
            self.refused(answer, 409, "out_of_stock")
        else:
            assert answer.status_code == 201, answer.content
            parcel.wanted = wanted

    @rule(parcel=parcels)
    def take_it_in(self, parcel: Parcel | None) -> None:
        if parcel and (step := ON_THEIR_WAY.get(parcel.status)):
            step(return_id=parcel.id)
            parcel.status = "approved" if parcel.status == "requested" else "received"

    @rule(
        target=purchases,
        parcel=parcels,
        kept=st.integers(min_value=0, max_value=3),
        resolution=st.sampled_from(Resolution),
    )
    def look_at_it(self, parcel: Parcel | None, kept: int, resolution: Resolution) -> Any:
        if parcel is None or parcel.status != "received":
            return multiple()
        accepted = min(kept, parcel.quantity)
        line = Return.objects.get(pk=parcel.id).lines.get()
        found = inspect_return(
            return_id=parcel.id, findings={line.pk: Finding(accepted, resolution)}
        )
        parcel.look(accepted, worth=found.amount_minor or 0)
        if resolution == Resolution.RESTOCK:
            parcel.ware.on_hand += accepted
        replaced = parcel.replaced
        parcel.pay_back(replaced=replaced or 0)
        if replaced is None:
            assert not Replacement.objects.filter(parent=parcel.id).exists()
            return multiple()
        return self.replacement(parcel, parcel.wanted, replaced)

    def replacement(self, parcel: Parcel, ware: Ware | None, total: int) -> Purchase:
        """Return the order of what is wanted, which what came back pays for."""
        assert ware
        order_id = Replacement.objects.get(parent=parcel.id).order_id
        before, pieces = parcel.purchase, parcel.quantity
        off = ware.price * pieces - total
        new = Purchase(order_id, before.token, {ware: pieces}, total, Card.GOOD, off=off)
        new.status, new.payment, new.captured, new.paid_by = "paid", "captured", total, before
        before.lent += total
        ware.held += pieces
        self.known.append(new)
        return new
