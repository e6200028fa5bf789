"""The history begins with the prices that are there."""

from uuid import UUID

from django.db import migrations

BATCH = 5_000

NOTE = """
INSERT INTO catalog_pricechange (variant_id, min_quantity, currency, amount_minor,
    compare_at_minor, at)
SELECT v.id, 1, v.currency, v.price_minor, v.compare_at_minor, now()
FROM catalog_variant v JOIN catalog_product d ON d.id = v.product_id
WHERE v.id = ANY(%s) AND v.is_active AND v.price_minor IS NOT NULL AND d.status = 'published'
    AND NOT EXISTS (SELECT FROM catalog_pricechange c WHERE c.variant_id = v.id)
"""


def note(apps, schema_editor):
    variants, last = apps.get_model("catalog", "Variant").objects, UUID(int=0)
    batches = variants.order_by("pk").values_list("pk", flat=True)
    with schema_editor.connection.cursor() as cursor:
        while ids := list(batches.filter(pk__gt=last)[:BATCH]):
            cursor.execute(NOTE, [ids])
            last = ids[-1]


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('catalog', '0029_prices'),
    ]

    operations = [
        migrations.RunPython(note, migrations.RunPython.noop),
    ]
