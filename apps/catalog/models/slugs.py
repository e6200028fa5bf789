"""What stands at the end of an address of the catalog."""

import pgtrigger
from django.core.validators import RegexValidator

# A slug never looks like an id, so that both can stand at the same place of an address.
SLUG = (
    r"^(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z)"
    r"[a-z0-9]+(-[a-z0-9]+)*\Z"
)
is_a_slug = RegexValidator(SLUG, "Use small letters, digits and single hyphens.", code="slug")


def keeps_former_slugs(*, of: str, when: str) -> pgtrigger.Trigger:
    """Return a trigger that remembers what a product or category was called in addresses.

    It is the row that knows: services, the back office and imports all change slugs.
    """
    return pgtrigger.Trigger(
        name="former_slugs_are_kept",
        operation=pgtrigger.UpdateOf("slug"),
        when=pgtrigger.After,
        condition=pgtrigger.Condition(f"OLD.slug <> NEW.slug AND {when}"),
        func=f"""
            INSERT INTO catalog_formerslug (slug, {of}_id) VALUES (OLD.slug, OLD.id)
            ON CONFLICT (slug) WHERE {of}_id IS NOT NULL DO UPDATE SET {of}_id = OLD.id;
            RETURN NULL;
        """,  # noqa: S608 - of one of two things
    )
