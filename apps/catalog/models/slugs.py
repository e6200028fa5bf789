"""What stands at the end of an address of the catalog."""

from django.core.validators import RegexValidator

# A slug never looks like an id, so that both can stand at the same place of an address.
SLUG = (
    r"^(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z)"
    r"[a-z0-9]+(-[a-z0-9]+)*\Z"
)
is_a_slug = RegexValidator(SLUG, "Use small letters, digits and single hyphens.", code="slug")
