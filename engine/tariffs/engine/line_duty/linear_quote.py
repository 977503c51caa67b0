"""A line whose every amount is proportional to its value, settled once for one dollar and scaled to any value.

Proportions are whole billionths of a dollar per dollar, so that scaling is integer arithmetic. Where decimals would
have rounded on the way, or where an amount hangs on a quantity or on dollars declared, there is no such form and the
line is settled anew for each value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.reporting_order import in_order, reporting_order
from tariffs.engine.line_duty.rounding import (
    CENT,
    UNDETERMINED,
    ZERO,
    DutyLabel,
    MeasureSum,
    QuoteLayer,
    QuoteLayers,
    Sums,
    dearest,
    is_sole,
    label_of,
    rule_texts,
)

BILLION = 10**9
_PER_CENT, _HALF_CENT = BILLION // 100, BILLION // 200
# A value below this times a proportion with at most these decimals is exact in the 28 digits of a decimal.
LARGEST_VALUE = 10**15
_FINEST = -12
Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LinearDuty:
    """A layer for one dollar. Amounts are places among the proportions of the line.

    `possible` has, for each assignment of the facts asked for that differs, the places that sum to what the measure
    could be; it is empty where nothing else is possible. A latent layer stands only under other facts than those
    declared: it charges nothing, and is told for what it could.
    """

    label: DutyLabel
    base: int
    amount: int
    owed: int
    possible: tuple[Places, ...] = ()
    latent: bool = False

    @property
    def authority(self) -> str:
        """Node of the authority tree."""
        return self.label.authority

    def amounts(self, cents: Sequence[int]) -> tuple[int, int, int, int]:
        """Base, amount, and the least and most it could be, in cents."""
        amount = cents[self.amount]
        if self.latent:
            return 0, 0, 0, max([_sum(places, cents) for places in self.possible])
        if not self.possible:
            return cents[self.base], amount, amount, amount
        found = [_sum(places, cents) for places in self.possible]
        return cents[self.base], amount, min(found), max(found)


@dataclass(frozen=True, slots=True)
class LinearQuote:
    """A line for one dollar.

    Attributes:
        proportions: billionths of a dollar per dollar of value.
        layers: those that stand, in reporting order.
        latent: those that stand only under other facts, in order; the first of a measure with an amount is told.
        totals: by assignment of the facts asked for that differs, the places that sum to the duty.
        order: the nodes of the authority tree in reporting order.
    """

    proportions: tuple[int, ...]
    layers: tuple[LinearDuty, ...]
    latent: tuple[LinearDuty, ...]
    totals: tuple[Places, ...]
    order: tuple[str, ...]

    def cents(self, value: int) -> list[int]:
        """What the proportions come to for a value in whole dollars."""
        return [in_cents(value, one) for one in self.proportions]

    def told(self, cents: Sequence[int]) -> tuple[LinearDuty, ...]:
        """The layers of the answer in reporting order."""
        if not self.latent:
            return self.layers
        told: dict[str, LinearDuty] = {}
        for layer in self.latent:
            if cents[layer.amount]:
                told.setdefault(layer.label.measure, layer)
        return tuple(in_order(self.order, [*self.layers, *told.values()]))

    def duty(self, cents: Sequence[int]) -> tuple[int, int, int, int]:
        """The duty assessed and owed, and the least and most it could be, in cents."""
        assessed = sum([cents[layer.amount] for layer in self.layers])
        owed = sum([cents[layer.owed] for layer in self.layers])
        totals = [_sum(places, cents) for places in self.totals]
        return assessed, owed, min((*totals, assessed)), max((*totals, assessed))

    def at(self, value: int) -> QuoteLayers:
        """The line settled for a value in whole dollars."""
        cents = self.cents(value)
        duty = [one * CENT for one in self.duty(cents)]
        return QuoteLayers([_layer(layer, cents) for layer in self.told(cents)], *duty)


def _layer(layer: LinearDuty, cents: Sequence[int]) -> QuoteLayer:
    base, amount, low, high = [one * CENT for one in layer.amounts(cents)]
    owed = ZERO if layer.latent else cents[layer.owed] * CENT
    return QuoteLayer(
        layer.label, layer.label.state if low == high else UNDETERMINED, base, amount, owed, low, high
    )


def _sum(places: Places, cents: Sequence[int]) -> int:
    return sum(map(cents.__getitem__, places))


def in_cents(value: int, proportion: int) -> int:
    """What a proportion comes to for a value in whole dollars, half a cent rounded up."""
    return (value * proportion + _HALF_CENT) // _PER_CENT


def proportion(per_dollar: Decimal) -> int | None:
    """An amount per dollar of value in billionths of a dollar; None if it is finer, or below zero."""
    exponent = per_dollar.as_tuple().exponent
    fine = per_dollar * BILLION
    if not isinstance(exponent, int) or exponent < _FINEST or fine < ZERO or fine != fine.to_integral_value():
        return None
    return int(fine)


# -- building --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Proportions:
    """Distinct proportions and their places; `exact` turns false with the first that decimals would have rounded."""

    places: dict[int, int] = field(default_factory=dict)
    exact: bool = True

    def place(self, amount: Decimal) -> int:
        found = proportion(amount)
        if found is None:
            self.exact = False
            return 0
        return self.places.setdefault(found, len(self.places))

    def by_measure(self, sums: Sums) -> dict[str, Places]:
        found: dict[str, Places] = {}
        for (measure, _, _), total in sums.items():
            found[measure] = (*found.get(measure, ()), self.place(total.raw))
        return found


def linear_quote(law: Law, sums: Sums, possible: Sequence[Sums]) -> LinearQuote | None:
    """The form of a line from its sums for one dollar; None if decimals would round on the way to some amount.

    Args:
        law: the law.
        sums: the layers as the facts stand, for a value of one dollar.
        possible: the same under every assignment of the facts asked for.
    """
    found, texts = _Proportions(), rule_texts(law)
    amounts = [found.by_measure(one) for one in possible]
    others = dearest(sums, possible)
    layers = []
    for (measure, heading, state), total in sums.items():
        label = label_of(total, heading, state, texts, others.get(measure))
        may_be = _distinct(measure, amounts) if is_sole(sums, measure) else ()
        layers.append(_scaled_layer(label, total, found, may_be))
    latent: dict[tuple[str, int], LinearDuty] = {}
    standing = {measure for measure, _, _ in sums}
    for one in possible:
        for (measure, heading, _), total in one.items():
            place = found.place(total.raw)
            if measure not in standing and total.raw and (measure, place) not in latent:
                label = label_of(total, heading, UNDETERMINED, texts)
                latent[measure, place] = LinearDuty(
                    label, place, place, place, _distinct(measure, amounts), latent=True
                )
    totals = {tuple(sorted(place for places in one.values() for place in places)) for one in amounts}
    if not found.exact:
        return None
    order = reporting_order(law)
    return LinearQuote(
        tuple(found.places),
        tuple(in_order(order, layers)),
        tuple(latent.values()),
        tuple(sorted(totals)),
        order,
    )


def _scaled_layer(
    label: DutyLabel, total: MeasureSum, found: _Proportions, possible: tuple[Places, ...]
) -> LinearDuty:
    """A layer as the facts stand; `possible` are what it could be, empty where that is said elsewhere."""
    amount = found.place(total.raw)
    return LinearDuty(
        label,
        found.place(total.base),
        amount,
        found.place(total.raw_owed),
        () if possible == ((amount,),) else possible,
    )


def _distinct(measure: str, amounts: Sequence[Mapping[str, Places]]) -> tuple[Places, ...]:
    return tuple(dict.fromkeys(one.get(measure, ()) for one in amounts))


__all__ = ["LARGEST_VALUE", "LinearDuty", "LinearQuote", "in_cents", "linear_quote", "proportion"]
