"""Two views: bytes that are always the same, and 25 rows that PostgreSQL turns into JSON."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

BYTES = b'{"results":[' + b",".join(b'{"name":"constant"}' for _ in range(25)) + b"]}"
ROWS = """
SELECT json_build_object('results', json_agg(row))::text FROM (
    SELECT id, slug, name, currency, price_from_minor, created_at
    FROM catalog_product WHERE status = 'published'
    ORDER BY created_at DESC, id DESC LIMIT 25
) row
"""


def constant(request: HttpRequest) -> HttpResponse:
    """Answer with bytes."""
    return HttpResponse(BYTES, content_type="application/json")


def rows(request: HttpRequest) -> HttpResponse:
    """Answer with one statement's result."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS)
        return HttpResponse(cursor.fetchone()[0], content_type="application/json")


urlpatterns = [path("constant", constant), path("rows", rows)]
