"""Quote a line of any value by scaling its amounts for one dollar, where all amounts are proportional to the value.

Proportions are whole billionths of a dollar per dollar, so that scaling is integer arithmetic. Where decimals would
round in between, or an amount depends on a quantity or on declared dollars, there is no linear quote and the line is
computed for its own value.
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
    is_sole,
    label_of,
    largest_charges,
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
    """Duty of one measure per dollar of value. Amounts are indices into the proportions of the line.

    `possible` has, for each distinct assignment of the facts requested, the indices that sum to the amount of the
    measure; it is empty where no other amount is possible. A latent duty applies only under facts other than those
    declared: its amount is 0, and it is reported for its maximum.
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
        """Base, amount, least and most amount, in cents."""
        amount = cents[self.amount]
        if self.latent:
            return 0, 0, 0, max([_sum(places, cents) for places in self.possible])
        if not self.possible:
            return cents[self.base], amount, amount, amount
        totals = [_sum(places, cents) for places in self.possible]
        return cents[self.base], amount, min(totals), max(totals)


@dataclass(frozen=True, slots=True)
class LinearQuote:
    """Quote of a line per dollar of value.

    Attributes:
        proportions: billionths of a dollar per dollar of value.
        layers: the duties under the facts declared, in reporting order.
        latent: the duties under other facts only, in order; the first of a measure with an amount is reported.
        totals: by distinct assignment of the facts requested, the indices that sum to the duty.
        order: the nodes of the authority tree in reporting order.
    """

    proportions: tuple[int, ...]
    layers: tuple[LinearDuty, ...]
    latent: tuple[LinearDuty, ...]
    totals: tuple[Places, ...]
    order: tuple[str, ...]

    def cents(self, value: int) -> list[int]:
        """Amounts of the proportions in cents, for a value in whole dollars."""
        return [in_cents(value, one) for one in self.proportions]

    def reported(self, cents: Sequence[int]) -> tuple[LinearDuty, ...]:
        """Duties of the answer in reporting order."""
        if not self.latent:
            return self.layers
        latent: dict[str, LinearDuty] = {}
        for layer in self.latent:
            if cents[layer.amount]:
                latent.setdefault(layer.label.measure, layer)
        return tuple(in_order(self.order, [*self.layers, *latent.values()]))

    def duty(self, cents: Sequence[int]) -> tuple[int, int, int, int]:
        """Duty assessed and owed, least and most duty, in cents."""
        assessed = sum([cents[layer.amount] for layer in self.layers])
        owed = sum([cents[layer.owed] for layer in self.layers])
        totals = [_sum(places, cents) for places in self.totals]
        return assessed, owed, min((*totals, assessed)), max((*totals, assessed))

    def at(self, value: int) -> QuoteLayers:
        """Compute the layers for a value in whole dollars."""
        cents = self.cents(value)
        duty = [one * CENT for one in self.duty(cents)]
        return QuoteLayers([_layer(layer, cents) for layer in self.reported(cents)], *duty)


def _layer(layer: LinearDuty, cents: Sequence[int]) -> QuoteLayer:
    base, amount, low, high = [one * CENT for one in layer.amounts(cents)]
    owed = ZERO if layer.latent else cents[layer.owed] * CENT
    return QuoteLayer(
        layer.label, layer.label.state if low == high else UNDETERMINED, base, amount, owed, low, high
    )


def _sum(places: Places, cents: Sequence[int]) -> int:
    return sum(map(cents.__getitem__, places))


def in_cents(value: int, proportion: int) -> int:
    """Amount of a proportion in cents, for a value in whole dollars; half a cent is rounded up."""
    return (value * proportion + _HALF_CENT) // _PER_CENT


def proportion(per_dollar: Decimal) -> int | None:
    """Express an amount per dollar of value in whole billionths of a dollar; None if not exact, or below zero."""
    exponent = per_dollar.as_tuple().exponent
    fine = per_dollar * BILLION
    if not isinstance(exponent, int) or exponent < _FINEST or fine < ZERO or fine != fine.to_integral_value():
        return None
    return int(fine)


# -- building --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Proportions:
    """Distinct proportions and their indices; `exact` turns false with the first that is no whole billionth."""

    places: dict[int, int] = field(default_factory=dict)
    exact: bool = True

    def place(self, amount: Decimal) -> int:
        exact = proportion(amount)
        if exact is None:
            self.exact = False
            return 0
        return self.places.setdefault(exact, len(self.places))

    def by_measure(self, sums: Sums) -> dict[str, Places]:
        places: dict[str, Places] = {}
        for (measure, _, _), total in sums.items():
            places[measure] = (*places.get(measure, ()), self.place(total.raw))
        return places


def linear_quote(law: Law, sums: Sums, possible: Sequence[Sums]) -> LinearQuote | None:
    """Build the linear quote of a line from its sums for one dollar; None if some amount would be rounded in between.

    Args:
        law: the law.
        sums: the layers under the facts declared, for a value of one dollar.
        possible: the same under every assignment of the facts requested.
    """
    proportions, texts = _Proportions(), rule_texts(law)
    amounts = [proportions.by_measure(one) for one in possible]
    others = largest_charges(sums, possible)
    layers = []
    for (measure, heading, state), total in sums.items():
        label = label_of(total, heading, state, texts, others.get(measure))
        may_be = _distinct(measure, amounts) if is_sole(sums, measure) else ()
        layers.append(_linear_duty(label, total, proportions, may_be))
    latent: dict[tuple[str, int], LinearDuty] = {}
    declared = {measure for measure, _, _ in sums}
    for one in possible:
        for (measure, heading, _), total in one.items():
            place = proportions.place(total.raw)
            if measure not in declared and total.raw and (measure, place) not in latent:
                label = label_of(total, heading, UNDETERMINED, texts)
                latent[measure, place] = LinearDuty(
                    label, place, place, place, _distinct(measure, amounts), latent=True
                )
    totals = {tuple(sorted(place for places in one.values() for place in places)) for one in amounts}
    if not proportions.exact:
        return None
    order = reporting_order(law)
    return LinearQuote(
        tuple(proportions.places),
        tuple(in_order(order, layers)),
        tuple(latent.values()),
        tuple(sorted(totals)),
        order,
    )


def _linear_duty(
    label: DutyLabel, total: MeasureSum, proportions: _Proportions, possible: tuple[Places, ...]
) -> LinearDuty:
    """Duty under the facts declared; `possible` is empty where the bounds belong to another layer."""
    amount = proportions.place(total.raw)
    return LinearDuty(
        label,
        proportions.place(total.base),
        amount,
        proportions.place(total.raw_owed),
        () if possible == ((amount,),) else possible,
    )


def _distinct(measure: str, amounts: Sequence[Mapping[str, Places]]) -> tuple[Places, ...]:
    return tuple(dict.fromkeys(one.get(measure, ()) for one in amounts))
