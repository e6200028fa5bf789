"""Which promotions apply beside each other, and what each of them takes off in the end.

There are several ways: all that are not exclusive together, or one exclusive promotion alone. The
way with the highest priority is taken; of the same priority the one that takes most off, then the
one with the lowest id. Together, promotions without a code come before those with one, and higher
priorities before lower. Those of one priority start from the same amounts; what they take off is
granted until nothing is left, beginning with the most.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from apps.orders.pricing.amounts import RoundingMode
from apps.orders.pricing.eligibility import Candidate
from apps.orders.pricing.goods import Goods
from apps.orders.pricing.verdicts import Outcome, Verdict

NOTHING = Verdict(Outcome.DISCOUNTS_NOTHING)


@dataclass(frozen=True, slots=True)
class Applied:
    """A promotion that takes something off, and how much of which place."""

    candidate: Candidate
    off: Mapping[int, int]
    amount: int


@dataclass(frozen=True, slots=True)
class Way:
    """The promotions that apply, in their turn; what they leave; and who does not, and why."""

    applied: tuple[Applied, ...]
    left: tuple[int, ...]
    rejected: Mapping[UUID, Verdict]

    @property
    def rank(self) -> tuple[int, int, UUID]:
        """The lower is taken."""
        return (
            -max(each.candidate.promotion.priority for each in self.applied),
            -sum(each.amount for each in self.applied),
            min(each.candidate.promotion.id for each in self.applied),
        )


def combine(candidates: Sequence[Candidate], goods: Goods, mode: RoundingMode) -> Way:
    """Return which of the candidates apply. Their order makes no difference."""
    together = _together([c for c in candidates if not c.promotion.exclusive], goods, mode)
    alone = [_in_turn([c], goods, mode) for c in candidates if c.promotion.exclusive]
    ways = [together, *alone]
    taken = min((way for way in ways if way.applied), key=lambda way: way.rank, default=together)
    excluded = Verdict(Outcome.EXCLUDED, {"by": _ids(each.candidate for each in taken.applied)})
    rejected = {key: verdict for way in ways for key, verdict in way.rejected.items()}
    for way in ways:
        if way is not taken:
            rejected |= {each.candidate.promotion.id: excluded for each in way.applied}
    return Way(taken.applied, taken.left, rejected)


def _together(sharing: Sequence[Candidate], goods: Goods, mode: RoundingMode) -> Way:
    """Apply one of each stacking group, and all that are in none.

    Who would take nothing off keeps no place in its group from the others.
    """
    candidates, rejected = {c.promotion.id: c for c in sharing}, {}
    while True:
        seated = _seated(candidates.values(), goods, mode)
        way = _in_turn(list(seated.values()), goods, mode)
        standing = [c for c in candidates.values() if seated[_seat(c)] is not c]
        idle = {seated[_seat(c)].promotion.id for c in standing} & way.rejected.keys()
        if not idle:
            break
        for key in idle:
            rejected[key] = NOTHING
            del candidates[key]
    rejected |= way.rejected
    for c in standing:
        rejected[c.promotion.id] = Verdict(Outcome.GROUP_TAKEN, {"by": _ids([seated[_seat(c)]])})
    return Way(way.applied, way.left, rejected)


def _seat(candidate: Candidate) -> str | UUID:
    return candidate.promotion.stacking_group or candidate.promotion.id


def _seated(
    candidates: Iterable[Candidate], goods: Goods, mode: RoundingMode
) -> dict[str | UUID, Candidate]:
    """Return who has the one place of each group: by priority, then by what it takes off alone."""
    groups: dict[str | UUID, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(_seat(candidate), []).append(candidate)
    amounts = goods.amounts

    def rank(c: Candidate) -> tuple[int, int, UUID]:
        return -c.promotion.priority, -sum(c.offer(goods, amounts, mode).values()), c.promotion.id

    return {
        seat: members[0] if len(members) == 1 else min(members, key=rank)
        for seat, members in groups.items()
    }


def _turn(candidate: Candidate) -> tuple[bool, int]:
    return candidate.promotion.needs_code, -candidate.promotion.priority


def _in_turn(candidates: Sequence[Candidate], goods: Goods, mode: RoundingMode) -> Way:
    left, applied, rejected = goods.amounts, [], {}
    for _, level in groupby(sorted(candidates, key=_turn), key=_turn):
        start = tuple(left)
        offers = [(c, c.offer(goods, start, mode)) for c in level]
        offers.sort(key=lambda each: (-sum(each[1].values()), each[0].promotion.id))
        for candidate, offer in offers:
            off = {}
            for place, amount in offer.items():
                rest = left[place]
                granted = amount if amount < rest else rest  # a call of min() costs more
                if granted:
                    off[place] = granted
                    left[place] = rest - granted
            if off:
                applied.append(Applied(candidate, off, sum(off.values())))
            else:
                rejected[candidate.promotion.id] = NOTHING
    return Way(tuple(applied), tuple(left), rejected)


def _ids(candidates: Iterable[Candidate]) -> list[str]:
    return sorted(str(candidate.promotion.id) for candidate in candidates)
