"""Pictures in the back office, small."""

from django.utils.html import format_html

from apps.catalog.models import picture_url
from apps.catalog.models.media import rendition_of


def thumbnail(file: str, *, has_renditions: bool, alt: str = "") -> str:
    """Return the picture as it stands on a page."""
    url = picture_url(file)
    small = rendition_of(url, "thumbnail") if has_renditions else url
    return format_html('<img src="{}" alt="{}" height="100">', small, alt)
