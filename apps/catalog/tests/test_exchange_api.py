"""Files of products over HTTP: sent, watched, tried again; written and fetched."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.core.files.storage import FileSystemStorage
from django.test import Client

from apps.catalog import files
from apps.catalog.models import Import, Product
from apps.catalog.services import exports
from apps.catalog.services.imports import jobs, runs
from apps.catalog.tasks import forget_old_files, process_files
from apps.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db

CSV = "external_ref,name,category,status,sku,price\nA,Apples,Food,published,A,1\nB,,,,,\n"


@pytest.fixture(autouse=True)
def storage(tmp_path, monkeypatch):
    storage = FileSystemStorage(location=tmp_path, allow_overwrite=True)
    monkeypatch.setattr(files, "files", lambda: storage)
    return storage


@pytest.fixture
def boss(staff):
    return get_user_model().objects.get()


@pytest.fixture
def call(staff):
    """Send a request as staff; return the response."""

    def call(method, path, body=None, content_type="application/json"):
        data = json.dumps(body) if isinstance(body, dict) else body or ""
        return staff.generic(method, f"/api/v1/{path}", data, content_type=content_type)

    return call


def test_a_file_is_sent_taken_in_by_a_worker_and_told_about(call, boss):
    sent = call("POST", "imports?file_name=autumn.csv", CSV, "text/csv")
    process_files()

    assert sent.status_code == 202
    assert sent.json()["state"] == "running"
    document = call("GET", sent["Location"].partition("/api/v1/")[2]).json()
    assert document["file_name"] == "autumn.csv"
    assert (document["state"], document["fault"]) == ("completed", None)
    assert document["products"] == {
        "total": 2,
        "read": 2,
        "created": 1,
        "changed": 0,
        "unchanged": 0,
        "failed": 1,
    }
    [failed] = call("GET", f"imports/{document['id']}/rows?filter[outcome]=failed").json()[
        "results"
    ]
    assert (failed["line"], failed["errors"][0]["code"]) == (3, "required")
    assert call("GET", "imports").json()["results"][0]["id"] == document["id"]
    actions = AuditEntry.objects.filter(about=document["id"]).order_by("id")
    assert list(actions.values_list("action", "actor_id")) == [
        ("catalog.import_started", boss.pk),
        ("catalog.import_finished", boss.pk),
    ]


def test_a_dry_run_tells_the_differences_and_writes_nothing(call):
    sent = call("POST", "imports?dry_run=true", CSV, "text/csv")
    process_files()

    rows = call("GET", f"imports/{sent.json()['id']}/rows").json()["results"]
    assert rows[0]["changes"]["name"] == ["", "Apples"]
    assert not Product.objects.exists()


def test_rows_are_read_page_by_page(call):
    content = "external_ref,name\n" + "".join(f"{n},N\n" for n in range(30))
    sent = call("POST", "imports", content, "text/csv").json()
    process_files()

    first = call("GET", f"imports/{sent['id']}/rows?limit=20").json()
    second = call("GET", first["next"].partition("/api/v1/")[2]).json()

    assert [row["line"] for row in (*first["results"], *second["results"])] == list(range(2, 32))


def test_what_failed_is_tried_again_and_nothing_else(call):
    content = CSV.replace("B,,", "B,Beans,").replace(",,,,\n", ",,,TAKEN,1\n")
    call("POST", "imports", "external_ref,name,sku,price\nT,T,TAKEN,1\n", "text/csv")
    process_files()
    first = call("POST", "imports", content, "text/csv").json()
    process_files()
    Product.objects.get(external_ref="T").variants.update(sku="FREE")

    sent = call("POST", f"imports/{first['id']}/retries", {"rows": "failed"})
    process_files()

    assert sent.status_code == 202
    retried = call("GET", f"imports/{sent.json()['id']}").json()
    assert retried["retry_of"] == first["id"]
    assert retried["products"]["created"] == retried["products"]["total"] == 1
    again = call("POST", f"imports/{sent.json()['id']}/retries", {"rows": "failed"})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_retry")


def test_a_turn_ends_in_time_and_the_next_one_goes_on_from_there(call, monkeypatch):
    monkeypatch.setattr(runs, "BATCH", 2)
    content = "external_ref,name\n" + "".join(f"{n},N\n" for n in range(5))
    sent = call("POST", "imports", content, "text/csv").json()

    turns = [jobs.advance_import(seconds=0) and Import.objects.get().read for _ in range(6)]

    assert turns == [0, 2, 4, 5, 5, False]
    assert call("GET", f"imports/{sent['id']}").json()["products"]["created"] == 5


def test_a_worker_that_was_thought_dead_does_nothing_twice(call):
    call("POST", "imports", "external_ref,name,sku,price,on_hand\nA,A,A,1,5\n", "text/csv")
    late = Import.objects.get()

    process_files()
    runs.carry_on(late, lambda offset: files.opened(late.file, offset=offset))

    assert late.state == "completed"
    assert Product.objects.get().version == 1


def test_what_is_too_large_is_refused_and_leaves_no_file(call, storage, settings):
    settings.IMPORT_LIMIT_BYTES = 100

    refused = call("POST", "imports", CSV * 2, "text/csv")

    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert refused["Content-Type"] == "application/problem+json"
    assert not Import.objects.exists()
    assert storage.listdir("imports") == ([], [])


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(call, settings):
    settings.API_BODY_LIMITS = {"/api/v1/imports": 10}

    assert call("POST", "imports", CSV, "text/csv").status_code == 413


@pytest.mark.parametrize("content_type", ["application/json", "application/zip", "text/plain"])
def test_what_is_no_product_file_is_not_taken(call, content_type):
    assert call("POST", "imports", CSV, content_type).status_code == 415


def test_an_empty_file_is_rejected_and_says_why(call):
    sent = call("POST", "imports", "", "text/csv")
    process_files()

    assert sent.status_code == 202
    document = call("GET", f"imports/{sent.json()['id']}").json()
    assert document["state"] == "rejected"
    assert document["fault"]["code"] == "empty_file"


def test_a_file_that_cannot_be_read_is_rejected_with_the_line(call):
    sent = call(
        "POST", "imports", '{"external_ref": 1}\n\xff'.encode("latin-1"), "application/x-ndjson"
    ).json()
    process_files()

    document = call("GET", f"imports/{sent['id']}").json()
    assert document["state"] == "rejected"
    assert (document["fault"]["code"], document["fault"]["line"]) == ("not_utf8", 2)


def test_a_template_has_all_columns_and_is_an_empty_file(call):
    template = call("GET", "imports/templates/products")

    assert template.content.startswith(b"id,external_ref,slug,version,name,")
    assert call("GET", "imports/templates/orders").status_code == 404


def test_an_export_is_written_by_a_worker_and_comes_in_again_unchanged(call, monkeypatch):
    monkeypatch.setattr(exports, "PRODUCTS_A_PIECE", 2)
    call(
        "POST", "imports", "external_ref,name\n" + "".join(f"{n},N\n" for n in range(5)), "text/csv"
    )
    process_files()

    asked = call("POST", "exports", {"format": "csv"})
    early = call("GET", f"exports/{asked.json()['id']}/file")
    process_files()

    assert (asked.status_code, early.status_code) == (202, 409)
    document = call("GET", f"exports/{asked.json()['id']}").json()
    assert (document["state"], document["products"]) == ("completed", 5)
    file = call("GET", document["file"].partition("/api/v1/")[2])
    content = b"".join(file.streaming_content)
    sent = call("POST", "imports", content, "text/csv").json()
    process_files()
    assert call("GET", f"imports/{sent['id']}").json()["products"]["unchanged"] == 5
    assert call("GET", "exports").json()["results"][0]["file"] == document["file"]
    actions = AuditEntry.objects.filter(about=document["id"]).order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        "catalog.export_started",
        "catalog.export_downloaded",
    ]


def test_old_files_are_deleted_with_their_rows(call, storage):
    call("POST", "imports", CSV, "text/csv")
    call("POST", "exports", {})
    process_files()
    for model in (Import, exports.Export):
        model.objects.update(created_at="2020-01-01T00:00:00Z")

    forget_old_files()

    assert not Import.objects.exists()
    assert not exports.Export.objects.exists()
    assert storage.listdir("imports") == ([], [])


def test_staff_send_and_fetch_files_in_the_back_office(boss, enter, tmp_path):
    client = enter(Client(), boss)
    (tmp_path / "p.csv").write_text(CSV)
    form = {"format": "csv", "on_error": "reject_failed_rows"}

    with (tmp_path / "p.csv").open("rb") as file:
        sent = client.post("/admin/catalog/import/add/", {**form, "file": file})
    client.post("/admin/catalog/export/add/", {"format": "csv"})
    process_files()

    assert sent.status_code == 302
    job = Import.objects.get()
    assert (job.file_name, job.created, job.failed) == ("p.csv", 1, 1)
    page = client.get(f"/admin/catalog/import/{job.pk}/change/").content.decode()
    assert "line 3 name" in page
    assert client.get("/admin/catalog/import/").status_code == 200
    listed = client.get("/admin/catalog/export/").content.decode()
    export = exports.Export.objects.get()
    assert f"/admin/catalog/export/{export.pk}/file/" in listed
    fetched = client.get(f"/admin/catalog/export/{export.pk}/file/")
    assert b"Apples" in b"".join(fetched.streaming_content)
