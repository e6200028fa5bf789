"""Notes and tags of orders: what staff keep for themselves."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from apps.kernel.models import AuditEntry
from apps.orders.models import Order, OrderNote
from apps.orders.services.annotations import (
    MOST_NOTES,
    NotANote,
    NotATag,
    TooManyNotes,
    add_note,
    normalised,
    tag_order,
)
from apps.orders.tests.factories import placed_order
from apps.users.tests.factories import StaffFactory, enter

pytestmark = pytest.mark.django_db


def client_of(*permissions):
    """Return a client of somebody of the staff who may do this."""
    client = APIClient()
    user = StaffFactory(permissions=list(permissions))
    client.force_authenticate(user, token=SimpleNamespace(second_factor=True))
    return client, user


def write(client, order, text, key="1"):
    path = f"/api/v1/orders/{order.pk}/notes"
    return client.post(path, {"text": text}, headers={"Idempotency-Key": key})


def test_staff_write_notes_once_and_read_them_with_author_and_time():
    order, _ = placed_order()
    client, user = client_of("orders.annotate_order", "orders.view_ordernote")

    first = write(client, order, "  Called: wants it on Friday. ")
    again = write(client, order, "  Called: wants it on Friday. ")
    write(client, order, "Done.", key="2")

    assert first.status_code == 201
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    listed = client.get(f"/api/v1/orders/{order.pk}/notes").json()["results"]
    assert [note["text"] for note in listed] == ["Called: wants it on Friday.", "Done."]
    assert listed[0] == first.json()
    assert listed[0]["author_id"] == str(user.pk)
    order.refresh_from_db()
    assert order.version == 1


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, None, 7, "nul\x00"])
def test_what_is_no_note_is_refused(text):
    order, _ = placed_order()
    client, _ = client_of("orders.annotate_order")

    answer = write(client, order, text)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not OrderNote.objects.exists()


def test_a_note_is_never_changed():
    order, _ = placed_order()
    note = add_note(order_id=order.pk, author_id=order.pk, text="x" * 2000)

    for change in (lambda: OrderNote.objects.update(text="y"), note.delete):
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            change()
    with pytest.raises(IntegrityError, match="order_note_says_something_short"):
        OrderNote.objects.create(order=order, author_id=order.pk, text="")


def test_the_service_refuses_what_is_no_note_and_too_many():
    order, _ = placed_order()
    for text in (" ", "x" * 2001):
        with pytest.raises(NotANote):
            add_note(order_id=order.pk, author_id=order.pk, text=text)
    OrderNote.objects.bulk_create(
        OrderNote(order=order, author_id=order.pk, text="x") for _ in range(MOST_NOTES)
    )

    with pytest.raises(TooManyNotes):
        add_note(order_id=order.pk, author_id=order.pk, text="One more.")


def test_the_timeline_shows_notes_to_staff_who_see_them_and_to_nobody_else():
    order, holder = placed_order()
    note = add_note(order_id=order.pk, author_id=order.pk, text="A secret.")
    path = f"/api/v1/orders/{order.pk}/events"
    client, _ = client_of("orders.view_order", "orders.view_ordernote")

    events = client.get(path).json()["results"]

    assert [each["status"] for each in events] == ["pending_payment", None]
    assert (events[1]["note"], events[1]["author_id"]) == ("A secret.", str(order.pk))
    assert "note" not in events[0]
    assert events[0]["at"] <= events[1]["at"]
    guest = APIClient(headers={"X-Order-Token": holder.token})
    without, _ = client_of("orders.view_order")
    for other in (guest, without):
        answer = other.get(path)
        assert [each["status"] for each in answer.json()["results"]] == ["pending_payment"]
        assert b"secret" not in answer.content
    assert guest.get(f"/api/v1/orders/{order.pk}/notes").status_code in {401, 403}
    assert note.at <= timezone.now() + timedelta(seconds=1)


def test_staff_replace_the_tags_of_an_order_unless_it_has_changed():
    order, _ = placed_order()
    client, _ = client_of("orders.annotate_order", "orders.view_order")
    path = f"/api/v1/orders/{order.pk}"
    etag = client.get(path)["ETag"]

    first = client.patch(
        path, {"tags": ["  Gift  WRAP ", "vip", "VIP"]}, headers={"If-Match": etag}
    )
    late = client.patch(path, {"tags": []}, headers={"If-Match": etag})

    assert first.json()["tags"] == ["gift wrap", "vip"]
    assert first.json()["version"] == 2
    assert (late.status_code, late.json()["code"]) == (412, "version_mismatch")
    assert client.patch(path, {"tags": []}).json()["tags"] == []
    entries = AuditEntry.objects.filter(action="orders.order_tagged").order_by("id")
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"tags": 0}, {"tags": 2}),
        ({"tags": 2}, {"tags": 0}),
    ]


def test_tags_that_are_there_already_change_nothing():
    order, _ = placed_order()
    tag_order(order_id=order.pk, tags=["vip"])

    again = tag_order(order_id=order.pk, tags=["VIP "])

    assert (again.tags, again.version) == (["vip"], 2)
    assert AuditEntry.objects.filter(action="orders.order_tagged").count() == 1


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        (["x" * 41], 422),
        ([f"tag {place}" for place in range(21)], 422),
        (["a,b"], 422),
        (["\u200b"], 422),
        (["\ufb03" * 14], 422),  # 14 ligatures are 42 letters
        ([""], 400),
        (["nul\x00"], 400),
        ([7], 400),
        ("vip", 400),
        (None, 400),
        (["x" * 201], 400),
        (["x"] * 101, 400),
    ],
)
def test_what_are_no_tags_is_refused_and_changes_nothing(tags, status):
    order, _ = placed_order()
    tag_order(order_id=order.pk, tags=["vip"])
    client, _ = client_of("orders.annotate_order")

    answer = client.patch(f"/api/v1/orders/{order.pk}", {"tags": tags})

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    order.refresh_from_db()
    assert (order.tags, order.version) == (["vip"], 2)


def test_other_fields_of_an_order_are_not_for_changing():
    order, _ = placed_order()
    client, _ = client_of("orders.annotate_order")

    answer = client.patch(f"/api/v1/orders/{order.pk}", {"tags": [], "status": "paid"})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Straße", "strasse"),
        ("ＶＩＰ", "vip"),
        ("a\tb", "a b"),
        ("礼物", "礼物"),
        ("x" * 40, "x" * 40),
    ],
)
def test_a_tag_is_kept_in_one_spelling(written, kept):
    assert normalised(written) == kept
    assert normalised(kept) == kept


def test_no_tag_is_empty():
    with pytest.raises(NotATag):
        normalised("  ")


def test_the_database_keeps_tags_few_and_not_empty():
    order, _ = placed_order()

    for tags in ([""], [str(place) for place in range(21)]):
        with (
            pytest.raises(IntegrityError, match="order_tags_are_few_and_say_something"),
            transaction.atomic(),
        ):
            Order.objects.filter(pk=order.pk).update(tags=tags)


def test_staff_list_the_orders_with_a_tag_and_shoppers_learn_nothing_of_tags():
    order, holder = placed_order()
    placed_order()
    tag_order(order_id=order.pk, tags=["gift wrap", "vip"])
    client, _ = client_of("orders.view_order")

    def found(tag):
        page = client.get("/api/v1/orders", {"filter[tag]": tag})
        return [each["id"] for each in page.json()["results"]]

    assert found("VIP") == found("gift wrap") == [str(order.pk)]
    assert found("gift") == []
    assert client.get("/api/v1/orders", {"filter[tag]": "a,b"}).status_code == 422
    [tagged] = client.get("/api/v1/orders", {"filter[tag]": "vip"}).json()["results"]
    assert tagged["tags"] == ["gift wrap", "vip"]
    customer = APIClient()
    customer.force_authenticate(StaffFactory())
    assert customer.get("/api/v1/orders", {"filter[tag]": "vip"}).status_code == 403
    guest = APIClient(headers={"X-Order-Token": holder.token})
    assert "tags" not in guest.get(f"/api/v1/orders/{order.pk}").json()


def form_of(page):
    """Return what the page of an order would send back."""
    form = page.context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields}
    for inline in page.context["inline_admin_formsets"]:
        management = inline.formset.management_form
        data |= {
            management.add_prefix(name): management[name].value() for name in management.fields
        }
    return data


def test_staff_tag_an_order_and_write_a_note_on_its_page(client):
    order, _ = placed_order()
    user = StaffFactory(
        permissions=["orders.view_order", "orders.view_ordernote", "orders.annotate_order"]
    )
    enter(client, user)
    path = f"/admin/orders/order/{order.pk}/change/"
    data = form_of(client.get(path))
    assert set(data) - {name for name in data if "FORMS" in name} == {"tags"}

    answer = client.post(
        path,
        {**data, "tags": "VIP, gift", "notes-TOTAL_FORMS": 1, "notes-0-text": "Call first."},
    )

    assert answer.status_code == 302
    order.refresh_from_db()
    assert (order.tags, order.version, order.status) == (["gift", "vip"], 2, "pending_payment")
    note = order.notes.get()
    assert (note.text, note.author_id) == ("Call first.", user.pk)
    actions = AuditEntry.objects.filter(about=str(order.pk)).values_list("action", flat=True)
    assert {"orders.order_tagged", "orders.note_added"} <= set(actions)
    found = client.get("/admin/orders/order/", {"q": "vip"})
    assert [row.pk for row in found.context["cl"].result_list] == [order.pk]
    assert "Call first." in client.get(path).content.decode()


def test_a_refused_tag_on_the_page_is_told_and_changes_nothing(client):
    order, _ = placed_order()
    enter(client, StaffFactory(is_superuser=True))
    path = f"/admin/orders/order/{order.pk}/change/"
    data = form_of(client.get(path))
    many = ",".join(f"tag {place}" for place in range(21))

    refused = client.post(path, {**data, "tags": many})
    told = client.post(path, {**data, "tags": "vip,\u200b"}, follow=True)

    assert "order_tags_are_few_and_say_something" in refused.content.decode()
    assert "A tag has 1 to 40 characters and no comma." in told.content.decode()
    order.refresh_from_db()
    assert (order.tags, order.version) == ([], 1)
