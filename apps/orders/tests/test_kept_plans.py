"""The plans that carts and orders keep outlive migrations that make columns larger."""

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.catalog.tests.factories import VariantFactory
from apps.orders.tests.factories import PromotionFactory, gift_card, ready_cart, tax_rate, tax_zone
from apps.orders.tests.test_api import check_out

pytestmark = pytest.mark.django_db

# In one command, whose name does not tell the client that plans may have to be forgotten. What
# triggers read keeps its type: their own plans do not outlive a change of that.
ENLARGE = """
DO $$
DECLARE
    one record;
BEGIN
    SET CONSTRAINTS ALL IMMEDIATE;
    FOR one IN
        SELECT table_name, column_name, character_maximum_length + 1 AS length
        FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name ~ '^(catalog|orders|kernel)_'
            AND (data_type = 'character varying' OR data_type = 'integer'
                AND table_name IN ('orders_cart', 'orders_cartitem', 'orders_taxrate'))
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE %s', one.table_name,
                one.column_name, coalesce('varchar(' || one.length || ')', 'bigint'));
        EXCEPTION WHEN feature_not_supported THEN
            NULL;  -- A trigger is for changes of this column.
        END;
    END LOOP;
    SET CONSTRAINTS ALL DEFERRED;
END $$
"""
LARGER = """
SELECT format('%s.%s', table_name, column_name) FROM information_schema.columns
WHERE table_schema = current_schema() AND (table_name, column_name, data_type) IN (
    ('orders_cart', 'version', 'bigint'), ('orders_cartitem', 'quantity', 'bigint'),
    ('orders_taxrate', 'ppm', 'bigint')
) OR (table_name, column_name, character_maximum_length) IN (
    ('catalog_variant', 'sku', 65), ('catalog_product', 'name', 201), ('orders_cart', 'email', 255),
    ('orders_promotion', 'name', 121), ('orders_taxzone', 'name', 121)
)
"""


def ask(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def buy() -> None:
    variants = [VariantFactory.create(stock=9) for _ in range(2)]
    cart, holder = ready_cart({variants[0].pk: 1}, gift_cards=(gift_card(100)[1],))
    guest = APIClient(headers={"X-Cart-Token": holder.token})
    path = f"/api/v1/carts/{cart.pk}"

    added = guest.post(f"{path}/items", {"variant_id": str(variants[1].pk), "quantity": 1})
    assert added.status_code == 200
    assert guest.get(path).status_code == 200
    answer = check_out(guest, path, expected_to_pay=added.json()["totals"]["to_pay"])
    assert answer.status_code == 201


def test_a_cart_is_filled_and_ordered_by_plans_of_before_a_migration():
    tax_rate(tax_zone("US"), "6.25")
    PromotionFactory(uses_limit=10, benefit={"kind": "percentage", "basis_points": 100})
    buy()
    kept = {text for (text,) in ask("SELECT statement FROM pg_prepared_statements")}

    ask(ENLARGE)
    buy()

    assert len(ask(LARGER)) == 8
    again = {text for (text,) in ask("SELECT statement FROM pg_prepared_statements")}
    assert len(kept) >= 8
    assert again >= kept
