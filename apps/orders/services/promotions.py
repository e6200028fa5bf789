"""Everything that staff change of promotions."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, VersionMismatch
from apps.orders.models import Promotion
from apps.orders.selectors.promotions import UnknownPromotion, rule_of
from apps.orders.states import PROMOTION_FOLLOWS, PromotionStatus


class PromotionStatusConflict(Conflict):
    """A promotion in this status cannot do that."""

    code = "promotion_status_conflict"


class LimitBelowUses(Conflict):
    """It has been used more often, or has taken more off, than the new limit allows."""

    code = "limit_below_uses"


class PromotionEndsBeforeItBegins(Invalid):
    """A promotion begins before it ends."""

    code = "promotion_ends_before_it_begins"


KEPT_LIMITS = ("promotion_is_used_within_its_limit", "promotion_spends_within_its_budget")


@transaction.atomic
def create_promotion(*, fields: dict[str, Any]) -> Promotion:
    """Make a draft; nothing costs less before it is activated.

    Raises NotPriceable, PromotionEndsBeforeItBegins.
    """
    promotion = Promotion(**fields)
    _must_make_sense(promotion)
    promotion.save(force_insert=True)
    record("orders.promotion_added", about=promotion.pk, after=fields)
    return promotion


@transaction.atomic
def change_promotion(
    *, promotion_id: UUID, fields: dict[str, Any], expected_version: int | None = None
) -> Promotion:
    """Change what `fields` names; the next price that is asked follows it.

    Raises UnknownPromotion, VersionMismatch, NotPriceable, PromotionEndsBeforeItBegins,
    LimitBelowUses.
    """
    promotion = _locked(promotion_id, expected_version)
    before = {name: getattr(promotion, name) for name in fields}
    was_counted = promotion.is_counted
    for name, value in fields.items():
        setattr(promotion, name, value)
    if promotion.is_counted and not was_counted:
        _count(promotion)
    _must_make_sense(promotion)
    promotion.version += 1
    try:
        with transaction.atomic():
            promotion.save(update_fields=[*fields, "uses", "budget_used_minor", "version"])
    except IntegrityError as error:
        if not any(name in str(error) for name in KEPT_LIMITS):
            raise
        raise LimitBelowUses(
            "More than that has been used.",
            uses=promotion.uses,
            budget_used_minor=promotion.budget_used_minor,
        ) from error
    record("orders.promotion_changed", about=promotion_id, before=before, after=fields)
    return promotion


@transaction.atomic
def activate_promotion(*, promotion_id: UUID, expected_version: int | None = None) -> Promotion:
    """Let a draft, or an archived promotion, count from its start on.

    Raises UnknownPromotion, VersionMismatch, PromotionStatusConflict.
    """
    return _move(_locked(promotion_id, expected_version), PromotionStatus.ACTIVE)


@transaction.atomic
def retire_promotion(*, promotion_id: UUID, expected_version: int | None = None) -> None:
    """Delete a draft; archive what has been active, as orders tell of it.

    Raises UnknownPromotion, VersionMismatch, PromotionStatusConflict.
    """
    promotion = _locked(promotion_id, expected_version)
    if promotion.status == PromotionStatus.DRAFT:
        record("orders.promotion_deleted", about=promotion_id, before={"name": promotion.name})
        promotion.delete()
    else:
        _move(promotion, PromotionStatus.ARCHIVED)


def _move(promotion: Promotion, target: PromotionStatus) -> Promotion:
    before = PromotionStatus(promotion.status)
    if target not in PROMOTION_FOLLOWS[before]:
        raise PromotionStatusConflict(f"The promotion is {before}.", status=before)
    promotion.status, promotion.version = target, promotion.version + 1
    promotion.save(update_fields=["status", "version"])
    record(
        "orders.promotion_moved",
        about=promotion.pk,
        before={"status": before},
        after={"status": target},
    )
    return promotion


def _locked(promotion_id: UUID, expected_version: int | None) -> Promotion:
    # Its key, too: an order that is being placed with it holds that, and is waited for.
    promotion = Promotion.objects.select_for_update().filter(pk=promotion_id).first()
    if promotion is None:
        raise UnknownPromotion("There is no such promotion.")
    if expected_version not in {None, promotion.version}:
        raise VersionMismatch("The promotion was changed meanwhile.", version=promotion.version)
    return promotion


def _count(promotion: Promotion) -> None:
    """Count what was not counted as long as nothing limited it."""
    counting = promotion.orders.filter(given_back_at=None)
    found = counting.aggregate(uses=Count("pk"), amount=Sum("amount_minor"))
    promotion.uses, promotion.budget_used_minor = found["uses"], int(found["amount"] or 0)


def _must_make_sense(promotion: Promotion) -> None:
    begins, ends = promotion.starts_at, promotion.ends_at
    if begins and ends and begins >= ends:
        raise PromotionEndsBeforeItBegins("A promotion begins before it ends.")
    rule_of(promotion)
