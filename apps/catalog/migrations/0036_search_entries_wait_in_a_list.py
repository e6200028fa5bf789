"""Entries that are written together are put into the index together."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

FIELDS, NAME = ["document", "facets"], "search_entry_by_word"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0035_product_published_in_category")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    sql="""
                    ALTER INDEX search_entry_by_word
                    SET (fastupdate = on, gin_pending_list_limit = 1024)
                    """,
                    reverse_sql="""
                    ALTER INDEX search_entry_by_word RESET (gin_pending_list_limit);
                    ALTER INDEX search_entry_by_word SET (fastupdate = off)
                    """,
                ),
            ],
            state_operations=[
                migrations.RemoveIndex(model_name="searchentry", name=NAME),
                migrations.AddIndex(
                    model_name="searchentry",
                    index=GinIndex(fields=FIELDS, name=NAME, gin_pending_list_limit=1024),
                ),
            ],
        ),
    ]
