"""The history begins with the prices that are there."""

from uuid import UUID

from django.db import migrations

BATCH = 5_000

NOTE = """
WITH batch AS (SELECT * FROM catalog_variant WHERE id > %s ORDER BY id LIMIT %s), noted AS (
    INSERT INTO catalog_pricechange (variant_id, min_quantity, currency, amount_minor,
        compare_at_minor, at)
    SELECT v.id, 1, v.currency, v.price_minor, v.compare_at_minor, now()
    FROM batch v JOIN catalog_product d ON d.id = v.product_id
    WHERE v.is_active AND v.price_minor IS NOT NULL AND d.status = 'published'
        AND NOT EXISTS (SELECT FROM catalog_pricechange c WHERE c.variant_id = v.id)
)
SELECT id FROM batch ORDER BY id DESC LIMIT 1
"""


def note(apps, schema_editor):
    last = (UUID(int=0),)
    with schema_editor.connection.cursor() as cursor:
        while last is not None:
            cursor.execute(NOTE, [last[0], BATCH])
            last = cursor.fetchone()


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('catalog', '0029_prices'),
    ]

    operations = [
        migrations.RunPython(note, migrations.RunPython.noop),
    ]
