"""The words of an address."""

import re
from collections.abc import Iterable

from django.utils.text import slugify

from apps.catalog.models.slugs import SLUG
from apps.kernel.ids import new_id

REPEATED_HYPHENS = re.compile("-{2,}")


def slug_of(text: str, *, longest: int) -> str:
    """Return the text as a slug; empty when nothing is left, or what is left looks like an id."""
    slug = REPEATED_HYPHENS.sub("-", slugify(text).replace("_", "-"))[:longest].strip("-")
    return slug if re.match(SLUG, slug) else ""


def free_slug(candidates: Iterable[str], taken: set[str], *, longest: int) -> str:
    """Return the first candidate's slug that is not taken, or one with a new id; take it."""
    slug = ""
    for text in candidates:
        slug = slug_of(text, longest=longest) or slug
        if slug and slug not in taken:
            break
    else:
        slug = f"{slug[: longest - 33]}-{new_id().hex}".strip("-")
    taken.add(slug)
    return slug
