"""The words of an address, and what is unique among its like."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.text import slugify

from apps.catalog.models.slugs import SLUG
from apps.kernel.errors import Conflict
from apps.kernel.ids import new_id

REPEATED_HYPHENS = re.compile("-{2,}")


class SlugTaken(Conflict):
    """Another thing of the same sort has this slug."""

    code = "slug_taken"


class NameTaken(Conflict):
    """Another thing of the same sort has this name."""

    code = "name_taken"


class CodeTaken(Conflict):
    """Another thing of the same sort has this code."""

    code = "code_taken"


@contextmanager
def refusing_taken() -> Iterator[None]:
    """Turn the violation of a unique constraint into SlugTaken, NameTaken or CodeTaken."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        for part, refusal in (
            ("_slug_is_unique", SlugTaken),
            ("_name_is_unique", NameTaken),
            ("_code_is_unique", CodeTaken),
        ):
            if part in name:
                raise refusal(str(refusal.__doc__)) from error
        raise


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


def slug_for(model: type[Model], name: str, *, longest: int) -> str:
    """Return a slug of the name that no row of the model has."""
    rows: Any = model._default_manager
    taken = set(rows.filter(slug=slug_of(name, longest=longest)).values_list("slug", flat=True))
    return free_slug([name], taken, longest=longest)
