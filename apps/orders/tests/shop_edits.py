"""Orders of the machine get other pieces before they are sent."""

from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule

from apps.orders.models import OrderLine
from apps.orders.tests.shop_client import Visitor
from apps.orders.tests.shop_model import Lines, Purchase, Ware, parcel_of


class Edits(Visitor):
    """Rules of edits: shoppers take a piece out, or in, or one in exchange for another."""

    purchases: Any = Bundle("purchases")
    wares: list[Ware]

    @rule(purchase=purchases, data=st.data())
    def keep_fewer(self, purchase: Purchase, data: Any) -> None:
        self.edit(purchase, out=data.draw(some_of(purchase)), more=None)

    @rule(purchase=purchases, place=st.integers(min_value=0, max_value=2))
    def take_one_more(self, purchase: Purchase, place: int) -> None:
        self.edit(purchase, out=None, more=self.wares[place])

    @rule(purchase=purchases, place=st.integers(min_value=0, max_value=2), data=st.data())
    def swap(self, purchase: Purchase, place: int, data: Any) -> None:
        out, more = data.draw(some_of(purchase)), self.wares[place]
        if out is not more:
            self.edit(purchase, out=out, more=more)

    def edit(self, purchase: Purchase, *, out: Ware | None, more: Ware | None) -> None:
        if purchase.code:
            return
        lines, changes = dict(purchase.lines), []
        there = {line.variant_id: line for line in OrderLine.objects.filter(order=purchase.id)}
        for ware, change in ((out, -1), (more, 1)):
            if ware is not None:
                lines[ware] = lines.get(ware, 0) + change
                line = there.get(ware.id)
                which = {"order_line_id": line.pk} if line else {"variant_id": ware.id}
                [(name, value)] = which.items()
                changes.append({name: str(value), "quantity": lines[ware]})
        left = {ware: quantity for ware, quantity in lines.items() if quantity}
        items = sum(ware.price * (left.get(ware, 0) - n) for ware, n in purchase.lines.items())
        items += sum(ware.price * n for ware, n in left.items() if ware not in purchase.lines)
        dearer = parcel_of(left) - parcel_of(purchase.lines) if more else 0
        total = purchase.total + items + max(0, dearer)
        path = f"orders/{purchase.id}/changes"
        body = {"kind": "edit", "lines": changes}
        answer = self.ask("post", path, body, order=purchase.token)
        if code := refusal(purchase, left, more, total):
            self.refused(answer, 409, code)
            return
        assert answer.status_code == 201, answer.content
        made = f"{path}/{answer.json()['id']}/confirmations"
        key = uuid4().hex
        assert self.ask("post", made, order=purchase.token, key=key).status_code == 201
        purchase.edit(left, total=total)


def some_of(purchase: Purchase) -> Any:
    return st.sampled_from(sorted(purchase.lines, key=lambda ware: ware.price))


def refusal(purchase: Purchase, lines: Lines, more: Ware | None, total: int) -> str:
    """Return why an order does not get these pieces for this total, or nothing."""
    if purchase.paid_by:
        return "replacement_stays"
    if purchase.status not in {"pending_payment", "paid"}:
        return "order_status_conflict"
    if purchase.wanted and purchase.is_alive:
        return "payment_under_way"
    if more and not more.available:
        return "out_of_stock"
    if purchase.status == "paid" and total > purchase.total:
        return "payment_needed"
    return "" if lines else "nothing_left"
