"""Sum layers over atoms, round to cents, bound them over unknown facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import Condition, Fact
from tariffs.engine.law.law import Law
from tariffs.engine.law.stacking import EXEMPT
from tariffs.engine.line_duty.layer_reasons import otherwise, why, why_if
from tariffs.engine.line_duty.reporting_order import in_reporting_order
from tariffs.engine.rating.facts import assignments, split
from tariffs.engine.rating.fits import PricedRow, Rater

CENT, ZERO = Decimal("0.01"), Decimal(0)
NANO = Decimal("1e-9")
UNDETERMINED = "undetermined"
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class DutyLabel:
    """Fields of a layer without its amounts; `rate` is a fraction, or None if not ad valorem.

    `period` is the label of the measure's period in force, `rule` the id of the last stacking rule that touched the
    layer, empty if none did.
    """

    measure: str
    authority: str
    heading: str
    state: str
    rate: Decimal | None
    citations: tuple[str, ...]
    why: Mapping[str, str]
    period: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class QuoteLayer:
    """Priced layer of an answer, in dollars and cents."""

    label: DutyLabel
    state: str
    base: Decimal
    amount: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal

    @property
    def measure(self) -> str:
        """Id of the measure."""
        return self.label.measure

    @property
    def authority(self) -> str:
        """Node of the authority tree."""
        return self.label.authority

    @property
    def heading(self) -> str:
        """Heading, or the schedule line of the ordinary duty."""
        return self.label.heading

    @property
    def rate(self) -> Decimal | None:
        """Fraction; None if not ad valorem."""
        return self.label.rate

    @property
    def citations(self) -> tuple[str, ...]:
        """Legal sources."""
        return self.label.citations

    @property
    def assumed_state(self) -> str:
        """State with undeclared facts at their assumed values, where `state` may be undetermined."""
        return self.label.state

    @property
    def why(self) -> Mapping[str, str]:
        """Reason for the layer: the rule and its operands."""
        return self.label.why

    @property
    def period(self) -> str:
        """Label of the measure's period in force."""
        return self.label.period

    @property
    def rule(self) -> str:
        """Id of the last stacking rule that touched the layer; empty if none did."""
        return self.label.rule


@dataclass(frozen=True, slots=True)
class QuoteLayers:
    """Layers in reporting order, and the least and most duty over the facts requested but not declared."""

    layers: Sequence[QuoteLayer]
    assessed: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal


@dataclass(slots=True)
class MeasureSum:
    """Amounts of one measure, heading and state summed over the atoms of a line, not rounded.

    `parts` has the weight and the priced row of each atom.
    """

    priced: PricedRow
    parts: list[tuple[Decimal, PricedRow]] = field(default_factory=list)
    base: Decimal = ZERO
    raw: Decimal = ZERO
    raw_owed: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        """Dollars and cents assessed."""
        return cents(self.raw)

    @property
    def owed(self) -> Decimal:
        """Dollars and cents owed."""
        return cents(self.raw_owed)


Sums = dict[Key, MeasureSum]


def cents(amount: Decimal) -> Decimal:
    """Dollars rounded half up to the cent."""
    # A quotient of decimals is inexact in its last digit; an exact half cent must still round up.
    return amount.quantize(NANO).quantize(CENT, ROUND_HALF_UP)


def sum_layers(law: Law, rater: Rater, facts: Mapping[str, Fact], read: frozenset[str]) -> Sums:
    """Sum the layers of a line over its atoms, by measure, heading and state.

    Raises:
        InputError: as the facts and rates of the line require.
    """
    sums: Sums = {}
    for atom in split(law.claims, facts, read):
        assessed = rater.rate(atom.facts)
        for priced in assessed:
            total = sums.setdefault(_key(priced), MeasureSum(priced))
            total.parts.append((atom.weight, priced))
            total.base += atom.weight * priced.base
            total.raw += atom.weight * priced.amount
        for priced in rater.owed(assessed, atom.facts):
            _place(sums, priced).raw_owed += atom.weight * priced.amount
    return sums


def _key(priced: PricedRow) -> Key:
    return priced.layer.active.measure.id, priced.heading, priced.layer.state


def _place(sums: Sums, priced: PricedRow) -> MeasureSum:
    """Sum that shows an owed amount: of the same layer, else of the first of the measure, which was displaced."""
    key = _key(priced)
    return sums[key] if key in sums else next(total for other, total in sums.items() if other[0] == key[0])


def joint_facts(
    law: Law, facts: Mapping[str, Fact], requested: Sequence[str], conditions: Sequence[Condition]
) -> Iterator[dict[str, Fact]]:
    """Facts under every joint assignment of the facts requested; none if no fact is requested."""
    if requested:
        for assigned in assignments(law.claims, requested, conditions):
            yield {**facts, **{name: fact for name, fact in assigned.items() if fact is not None}}


def spread(law: Law, rater: Rater, read: frozenset[str], joint: Iterator[Mapping[str, Fact]]) -> list[Sums]:
    """Layers of the line under each of these facts."""
    possible = []
    for facts in joint:
        # An assignment under which the line cannot be priced without a quantity gives no bound.
        with suppress(InputError):
            possible.append(sum_layers(law, rater, facts, read))
    return possible


def round_layers(law: Law, sums: Sums, possible: Sequence[Sums]) -> QuoteLayers:
    """Round layers to cents, with their least and most amounts.

    Args:
        law: the law.
        sums: the layers under the facts declared.
        possible: the layers under every assignment of the facts requested.
    """
    texts = rule_texts(law)
    amounts = [by_measure(one) for one in possible or [sums]]
    now = by_measure(sums)
    others = largest_charges(sums, possible)
    layers = []
    for (measure, heading, state), total in sums.items():
        low = high = total.amount
        if is_sole(sums, measure):
            bounds = [one.get(measure, ZERO) for one in amounts]
            low, high = min(bounds), max(bounds)
        label = label_of(total, heading, state, texts, others.get(measure))
        layers.append(_layer(label, UNDETERMINED if low != high else state, total, low, high))
    for one in possible:
        for (measure, heading, _), total in one.items():
            if measure not in now and total.amount:
                now[measure] = ZERO
                high = max(one.get(measure, ZERO) for one in amounts)
                label = label_of(total, heading, UNDETERMINED, texts)
                layers.append(_layer(label, UNDETERMINED, MeasureSum(total.priced), ZERO, high))
    assessed = sum((layer.amount for layer in layers), ZERO)
    owed = sum((layer.owed for layer in layers), ZERO)
    totals = [sum((total.amount for total in one.values()), ZERO) for one in possible or [sums]]
    low, high = min((*totals, assessed)), max((*totals, assessed))
    return QuoteLayers(in_reporting_order(law, layers), assessed, owed, low, high)


def rule_texts(law: Law) -> dict[str, str]:
    """Texts of the stacking rules, by id."""
    return {rule.id: rule.text for rule in law.rules}


def is_sole(sums: Sums, measure: str) -> bool:
    """Test whether a measure makes one layer, so that its bounds are those of that layer."""
    return sum(key[0] == measure for key in sums) == 1


def by_measure(sums: Sums) -> dict[str, Decimal]:
    """Sum dollars and cents by measure."""
    amounts: dict[str, Decimal] = {}
    for (measure, _, _), total in sums.items():
        amounts[measure] = amounts.get(measure, ZERO) + total.amount
    return amounts


def largest_charges(sums: Sums, possible: Iterable[Sums]) -> dict[str, PricedRow]:
    """Priced row of the largest charge of each single-layer measure under any of these facts; charges above 0 only."""
    largest: dict[str, MeasureSum] = {}
    for one in possible:
        for (measure, _, _), total in one.items():
            if total.raw > (largest[measure].raw if measure in largest else ZERO):
                largest[measure] = total
    return {measure: total.priced for measure, total in largest.items() if is_sole(sums, measure)}


def label_of(
    total: MeasureSum, heading: str, state: str, texts: dict[str, str], other: PricedRow | None = None
) -> DutyLabel:
    """Describe a layer without its amounts.

    Args:
        total: the layer.
        heading: the heading it is reported under.
        state: its state under the facts declared.
        texts: the texts of `rule_texts`.
        other: the largest charge of the measure under the facts requested, named beside an exemption.
    """
    layer = total.priced.layer
    reason = (why_if if state == UNDETERMINED else why)(total.priced, texts)
    if state == EXEMPT and other is not None:
        reason |= {"text": f"{reason['text']} {otherwise(other, texts)}"}
    return DutyLabel(
        measure=layer.active.measure.id,
        authority=layer.active.measure.authority,
        heading=heading,
        state=state,
        rate=total.priced.rate,
        citations=layer.active.citations(layer.row),
        why=reason,
        period=layer.active.period,
        rule=layer.steps[-1].rule if layer.steps else "",
    )


def _layer(label: DutyLabel, state: str, total: MeasureSum, low: Decimal, high: Decimal) -> QuoteLayer:
    base = total.base.quantize(CENT, ROUND_HALF_UP)
    return QuoteLayer(label, state, base, total.amount, total.owed, low, high)
