"""Everything that changes what staff tell the search: synonyms, boosts, redirects."""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from apps.catalog.documents import plain, stem
from apps.catalog.models import SearchBoost, SearchRedirect, SearchSynonym
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, NotFound

Rule = TypeVar("Rule", SearchSynonym, SearchBoost, SearchRedirect)

NORMAL = f"""
SELECT coalesce(string_agg(word, ' ' ORDER BY place), ''),
    coalesce(string_agg({stem("word")}, ' ' ORDER BY place), '')
FROM unnest(%s::text[]) WITH ORDINALITY AS t(text, number)
LEFT JOIN LATERAL regexp_split_to_table(trim({plain("t.text")}), '\\s+')
    WITH ORDINALITY AS w(word, place) ON w.word <> ''
GROUP BY number ORDER BY number
"""  # noqa: S608 - constants
REASONS = {
    "search_boost_is_of_one_thing": "Choose one of product, category and brand.",
    "search_boost_pins_a_product_for_a_query": "What is pinned is a product, for one query.",
    "search_boost_weight_is_bounded": "A weight is between 0.01 and 100.",
}


class UnknownRule(NotFound):
    """There is no such rule."""

    code = "unknown_search_rule"


class NoWords(Invalid):
    """A term or query needs a word that the search does not pass over."""

    code = "no_words"


class NotARule(Invalid):
    """A boost is of one existing thing; what is pinned is a product, for one query."""

    code = "not_a_search_rule"


class RedirectTaken(Conflict):
    """There is a redirect for this query."""

    code = "redirect_taken"


@transaction.atomic
def add_rule(rule: Rule) -> Rule:
    """Let searches heed the rule from now on. Raises NoWords, NotARule, RedirectTaken."""
    _write(rule)
    record(f"catalog.{rule._meta.model_name}_added", about=rule.pk, after={"rule": str(rule)})
    return rule


@transaction.atomic
def change_rule(model: type[Rule], *, rule_id: UUID, fields: dict[str, Any]) -> Rule:
    """Change what is given of a rule. Raises UnknownRule and what add_rule raises."""
    rule = model._default_manager.select_for_update(of=("self",)).filter(pk=rule_id).first()
    if rule is None:
        raise UnknownRule("There is no such rule.")
    before = str(rule)
    for name, value in fields.items():
        setattr(rule, name, value)
    _write(rule)
    record(
        f"catalog.{rule._meta.model_name}_changed",
        about=rule.pk,
        before={"rule": before},
        after={"rule": str(rule)},
    )
    return rule


@transaction.atomic
def remove_rule(model: type[Rule], *, rule_id: UUID) -> None:
    """Let searches forget a rule. Raises UnknownRule."""
    removed, _ = model._default_manager.filter(pk=rule_id).delete()
    if not removed:
        raise UnknownRule("There is no such rule.")
    record(f"catalog.{model._meta.model_name}_deleted", about=rule_id)


def normal_query(text: str) -> str:
    """Return a query as rules are found by it: no capitals, accents and signs. Raises NoWords."""
    [(normal, stems)] = _normal([text])
    if text and not stems:
        raise NoWords("A query needs a word.")
    return normal


def stems_of(terms: Iterable[str]) -> list[str]:
    """Return the terms as they are found in a query. Raises NoWords."""
    stems = [stems for _, stems in _normal(list(terms))]
    if not all(stems):
        raise NoWords("A term needs a word that the search does not pass over.")
    return stems


def _normal(texts: list[str]) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(NORMAL, [texts])
        return [(normal, stems) for normal, stems in cursor.fetchall()]


def _write(rule: SearchSynonym | SearchBoost | SearchRedirect) -> None:
    if isinstance(rule, SearchSynonym):
        rule.stems = stems_of(rule.terms)
    else:
        rule.query = normal_query(rule.query)
    try:
        with transaction.atomic():
            rule.save()
            connection.check_constraints()
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name == "search_redirect_is_one_per_query":
            raise RedirectTaken("There is a redirect for this query.") from error
        reason = REASONS.get(name or "", "There is no such product, category or brand.")
        raise NotARule(reason) from error
