"""Price the profile of a class for one line: sum layers over atoms, round to cents, bound them over unknown facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.stacking import EXEMPT
from tariffs.engine.line_duty.class_profile import ClassProfile, Outcome
from tariffs.engine.line_duty.entry_line import ResolvedLine
from tariffs.engine.line_duty.layer_reasons import otherwise, why, why_if
from tariffs.engine.line_duty.pricing import CENT, PricedRow, Pricer, cents, schedule_rates
from tariffs.engine.line_duty.reporting_order import in_reporting_order

ZERO, NOTHING = Decimal(0), Decimal("0.00")
UNDETERMINED = "undetermined"
Key = tuple[str, str, str]


class QuoteLayer(NamedTuple):
    """Priced layer of an answer, in dollars and cents.

    Attributes:
        priced: the row that makes the layer.
        heading: the heading it is reported under.
        assumed_state: state with undeclared facts at their assumed values, where `state` may be undetermined.
        state: state of the layer.
        base, amount, owed: in dollars and cents.
        min, max: least and most amount over the facts requested.
        otherwise: the largest charge of the measure under the facts requested, named beside an exemption.
        rule_texts: texts of the stacking rules, by id.
    """

    priced: PricedRow
    heading: str
    assumed_state: str
    state: str
    base: Decimal
    amount: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal
    otherwise: PricedRow | None
    rule_texts: Mapping[str, str]

    @property
    def measure(self) -> str:
        """Id of the measure."""
        return self.priced.layer.active.measure.id

    @property
    def authority(self) -> str:
        """Node of the authority tree."""
        return self.priced.layer.active.measure.authority

    @property
    def rate(self) -> Decimal | None:
        """Fraction; None if not ad valorem."""
        return self.priced.rate

    @property
    def citations(self) -> tuple[str, ...]:
        """Legal sources."""
        return self.priced.row.citations

    @property
    def period(self) -> str:
        """Label of the measure's period in force."""
        return self.priced.layer.active.period

    @property
    def rule(self) -> str:
        """Id of the last stacking rule that touched the layer; empty if none did."""
        steps = self.priced.layer.steps
        return steps[-1].rule if steps else ""

    @property
    def why(self) -> Mapping[str, str]:
        """Reason for the layer, built on request: the rule and its operands."""
        if self.assumed_state == UNDETERMINED:
            return why_if(self.priced, self.rule_texts)
        reason = why(self.priced, self.rule_texts)
        if self.assumed_state == EXEMPT and self.otherwise is not None:
            reason["text"] = f"{reason['text']} {otherwise(self.otherwise, self.rule_texts)}"
        return reason


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
    """Amounts of one measure, heading and state summed over the atoms of a line.

    `amount` and `owed` are in dollars and cents, `base` and `raw` not rounded. `parts` has the weight and the priced
    row of each atom.
    """

    priced: PricedRow
    parts: list[tuple[Decimal, PricedRow]]
    base: Decimal
    raw: Decimal
    amount: Decimal
    owed: Decimal = NOTHING


Sums = dict[Key, MeasureSum]


def layers_for(law: Law, line: ResolvedLine, profile: ClassProfile) -> QuoteLayers:
    """Compute the layers of a line by the profile of its class.

    Raises:
        InputError: QUANTITY_REQUIRED or RATE_NOT_COMPUTABLE.
    """
    pricer = Pricer(line.goods, schedule_rates(law, line.goods, line.schedule))
    sums = sum_layers(pricer, profile.declared)
    possible = []
    for outcome in profile.possible:
        # An assignment under which the line cannot be priced without a quantity gives no bound.
        with suppress(InputError):
            possible.append(sum_layers(pricer, outcome))
    return _round_layers(law, profile.rule_texts, sums, possible)


def sum_layers(pricer: Pricer, outcome: Outcome) -> Sums:
    """Price the rows of a line and sum them over its atoms, by measure, heading and state.

    Raises:
        InputError: QUANTITY_REQUIRED or RATE_NOT_COMPUTABLE.
    """
    sums: Sums = {}
    owed: dict[Key, Decimal] = {}
    for atom in outcome:
        weight = atom.weight
        for priced in pricer.price_all(atom.assessed):
            total = sums.get(priced.key)
            if total is None:
                base, raw = weight * priced.base, weight * priced.amount
                sums[priced.key] = MeasureSum(
                    priced, [(weight, priced)], base, raw, priced.rounded if weight == 1 else cents(raw)
                )
            else:
                total.parts.append((weight, priced))
                total.base += weight * priced.base
                total.raw += weight * priced.amount
                total.amount = cents(total.raw)
        for priced in pricer.price_all(atom.owed):
            key = _place(sums, priced.key)
            owed[key] = owed.get(key, ZERO) + weight * priced.amount
    for key, raw in owed.items():
        total = sums[key]
        total.owed = total.amount if raw == total.raw else cents(raw)
    return sums


def _place(sums: Sums, key: Key) -> Key:
    """Sum that shows an owed amount: of the same layer, else of the first of the measure, which was displaced."""
    return key if key in sums else next(other for other in sums if other[0] == key[0])


def _round_layers(law: Law, texts: Mapping[str, str], sums: Sums, possible: Sequence[Sums]) -> QuoteLayers:
    """Round layers to cents, with their least and most amounts.

    Args:
        law: the law.
        texts: texts of the stacking rules, by id.
        sums: the layers under the facts declared.
        possible: the layers under every assignment of the facts requested.
    """
    amounts = [_by_measure(one) for one in possible or [sums]]
    now = _by_measure(sums)
    others = _largest_charges(sums, possible)
    layers = []
    for (measure, heading, state), total in sums.items():
        low = high = amount = total.amount
        if _is_sole(sums, measure):
            bounds = [one.get(measure, ZERO) for one in amounts]
            low, high = min(bounds), max(bounds)
        layers.append(
            QuoteLayer(
                total.priced,
                heading,
                state,
                UNDETERMINED if low != high else state,
                total.base.quantize(CENT, ROUND_HALF_UP),
                amount,
                total.owed,
                low,
                high,
                others.get(measure),
                texts,
            )
        )
    for one in possible:
        for (measure, heading, _), total in one.items():
            if measure not in now and total.amount:
                now[measure] = ZERO
                high = max(one.get(measure, ZERO) for one in amounts)
                layers.append(_latent(total.priced, heading, high, texts))
    assessed = sum([layer.amount for layer in layers], ZERO)
    owed = sum([layer.owed for layer in layers], ZERO)
    totals = [sum(one.values(), ZERO) for one in amounts]
    low, high = min((*totals, assessed)), max((*totals, assessed))
    return QuoteLayers(in_reporting_order(law, layers), assessed, owed, low, high)


def _latent(priced: PricedRow, heading: str, high: Decimal, texts: Mapping[str, str]) -> QuoteLayer:
    """Layer of a measure that is charged only under facts other than those declared."""
    return QuoteLayer(
        priced, heading, UNDETERMINED, UNDETERMINED, NOTHING, NOTHING, NOTHING, ZERO, high, None, texts
    )


def _is_sole(sums: Sums, measure: str) -> bool:
    """Test whether a measure makes one layer, so that its bounds are those of that layer."""
    return sum([key[0] == measure for key in sums]) == 1


def _by_measure(sums: Sums) -> dict[str, Decimal]:
    """Sum dollars and cents by measure."""
    amounts: dict[str, Decimal] = {}
    for (measure, _, _), total in sums.items():
        amounts[measure] = amounts.get(measure, ZERO) + total.amount
    return amounts


def _largest_charges(sums: Sums, possible: Iterable[Sums]) -> dict[str, PricedRow]:
    """Priced row of the largest charge of each single-layer measure under any of these facts; charges above 0 only."""
    largest: dict[str, MeasureSum] = {}
    for one in possible:
        for (measure, _, _), total in one.items():
            if total.raw > (largest[measure].raw if measure in largest else ZERO):
                largest[measure] = total
    return {measure: total.priced for measure, total in largest.items() if _is_sole(sums, measure)}
