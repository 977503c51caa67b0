"""Price the profile of a class for one line: sum layers over atoms, round to cents, bound them over unknown facts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tariffs.engine.base.named_tuples import maker
from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.stacking import EXEMPT
from tariffs.engine.line_duty.class_profile import ClassProfile, Outcome
from tariffs.engine.line_duty.entry_line import ResolvedLine
from tariffs.engine.line_duty.layer_reasons import otherwise, why, why_if, with_switches, wording
from tariffs.engine.line_duty.pricing import (
    CENT,
    NOTHING,
    PricedRow,
    Pricer,
    RowKey,
    cents,
    schedule_rates,
)

ZERO = Decimal(0)
UNDETERMINED = "undetermined"


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
        behind: switches that the answer depends on, with their values.
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
    behind: Mapping[str, str]

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
    def reason_key(self) -> Hashable | None:
        """Value that is equal for layers of a law with the same reason; None for a reason of the line alone."""
        own = wording(self.priced)
        if self.otherwise is None:
            return None if own is None else (own, self.assumed_state, *self._decided_by)
        other = wording(self.otherwise)
        return None if own is None or other is None else (own, self.assumed_state, *self._decided_by, other)

    @property
    def _decided_by(self) -> tuple[tuple[tuple[str, str], ...], bool]:
        """Switches of the period that decide the answer, and whether a duty that a void one displaced is owed."""
        own = self.priced.layer.active.switches
        named = tuple((name, self.behind[name]) for name in sorted(own & self.behind.keys())) if own else ()
        return named, self.owed > self.amount

    @property
    def why(self) -> Mapping[str, str]:
        """Reason for the layer, built on request: the rule and its operands."""
        if self.assumed_state == UNDETERMINED:
            reason = why_if(self.priced, self.rule_texts)
        else:
            reason = why(self.priced, self.rule_texts)
        if self.assumed_state == EXEMPT and self.otherwise is not None:
            reason["text"] = f"{reason['text']} {otherwise(self.otherwise, self.rule_texts)}"
        switches, revived = self._decided_by
        return with_switches(reason, dict(switches), revived=revived) if switches or revived else reason


_quote_layer = maker(QuoteLayer)


class QuoteLayers(NamedTuple):
    """Layers in reporting order, and the least and most duty over the facts requested but not declared."""

    layers: Sequence[QuoteLayer]
    assessed: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal


def layers_for(law: Law, line: ResolvedLine, profile: ClassProfile) -> QuoteLayers:
    """Compute the layers of a line by the profile of its class.

    Raises:
        InputError: QUANTITY_REQUIRED or RATE_NOT_COMPUTABLE.
    """
    return layers_priced(Pricer(line.goods, schedule_rates(law, line.goods, line.schedule)), profile)


def layers_priced(pricer: Pricer, profile: ClassProfile) -> QuoteLayers:
    """Compute the layers of goods by the profile of their class.

    Raises:
        InputError: QUANTITY_REQUIRED or RATE_NOT_COMPUTABLE.
    """
    rows = merged_rows(pricer, profile.declared)
    owed = owed_amounts(pricer, profile.declared, rows)
    tried = [_priced(pricer, outcome) for outcome in profile.possible]
    possible = [one for one in tried if one is not None]
    amounts = [_by_measure(one) for one in possible]
    layers = _declared_layers(profile, rows, owed, possible, amounts)
    assessed = least = most = sum([row.rounded for row in rows], NOTHING)
    if amounts:
        if profile.latent:
            layers += _latent_layers(profile, possible, amounts)
        decided = sum([row.rounded for row in rows if row.key[0] not in profile.undecided], NOTHING)
        totals = [assessed, *[sum(one.values(), decided) for one in amounts]]
        least, most = min(totals), max(totals)
    layers.sort(key=lambda layer: profile.places[layer.priced.key[0]])
    due = assessed if owed is None else sum(owed.values(), NOTHING)
    return QuoteLayers(layers, assessed, due, least, most)


def merged_rows(pricer: Pricer, outcome: Outcome) -> list[PricedRow]:
    """Price the rows of a line and merge those of one measure, heading and state over its atoms.

    Raises:
        InputError: QUANTITY_REQUIRED or RATE_NOT_COMPUTABLE.
    """
    if len(outcome) == 1:
        return pricer.price_all(outcome[0].assessed)
    merged: dict[RowKey, PricedRow] = {}
    for atom in outcome:
        for priced in pricer.price_all(atom.assessed):
            base, amount = atom.weight * priced.base, atom.weight * priced.amount
            first = merged.get(priced.key)
            if first is not None:
                base, amount = first.base + base, first.amount + amount
            merged[priced.key] = (first or priced)._replace(base=base, amount=amount)
    return [row._replace(rounded=cents(row.amount)) for row in merged.values()]


def _priced(pricer: Pricer, outcome: Outcome) -> list[PricedRow] | None:
    """Rows under an assignment of facts; None if the line has no quantity to price them, so that they give no bound."""
    try:
        return merged_rows(pricer, outcome)
    except InputError:
        return None


def owed_amounts(pricer: Pricer, outcome: Outcome, rows: Sequence[PricedRow]) -> dict[RowKey, Decimal] | None:
    """Dollars and cents owed by measure, heading and state of the merged rows; None if all that is assessed is owed.

    An amount is shown by the same row, else by the first of its measure, which was displaced.
    """
    if all([atom.owed is atom.assessed for atom in outcome]):  # noqa: C419 - a generator takes twice as long
        return None
    owed = {row.key: NOTHING for row in rows}
    if len(outcome) == 1:
        kept = pricer.price_all(outcome[0].owed)
        if all([row.key in owed for row in kept]):  # noqa: C419 - as above
            return owed | {row.key: row.rounded for row in kept}
    first_of = {row.key[0]: row.key for row in reversed(rows)}
    for atom in outcome:
        for priced in pricer.price_all(atom.owed):
            key = priced.key if priced.key in owed else first_of[priced.key[0]]
            owed[key] += atom.weight * priced.amount
    return {key: cents(amount) for key, amount in owed.items()}


def _declared_layers(
    profile: ClassProfile,
    rows: Sequence[PricedRow],
    owed: Mapping[RowKey, Decimal] | None,
    possible: Sequence[Sequence[PricedRow]],
    amounts: Sequence[Mapping[str, Decimal]],
) -> list[QuoteLayer]:
    """Layers under the facts declared, with their least and most amounts under the facts requested.

    The bounds of a measure are those of its layer, if it has only one.
    """
    measures, undecided = [row.key[0] for row in rows], profile.undecided
    layers = []
    for row in rows:
        measure, heading, state = row.key
        low = high = row.rounded
        largest = None
        if amounts and measure in undecided and measures.count(measure) == 1:
            bounds = [row.rounded, *[one.get(measure, NOTHING) for one in amounts]]
            low, high = min(bounds), max(bounds)
            largest = _largest_charge(measure, possible) if state == EXEMPT else None
        layers.append(
            _quote_layer(
                (
                    row,
                    heading,
                    state,
                    UNDETERMINED if low != high else state,
                    row.base.quantize(CENT, ROUND_HALF_UP) if row.base else NOTHING,
                    row.rounded,
                    row.rounded if owed is None else owed[row.key],
                    low,
                    high,
                    largest,
                    profile.rule_texts,
                    profile.switches,
                )
            )
        )
    return layers


def _latent_layers(
    profile: ClassProfile,
    possible: Sequence[Sequence[PricedRow]],
    amounts: Sequence[Mapping[str, Decimal]],
) -> list[QuoteLayer]:
    """Layers of the measures that charge only under facts other than those declared, one a measure."""
    latent: dict[str, QuoteLayer] = {}
    for row in (row for rows in possible for row in rows):
        measure, heading, _ = row.key
        if measure in profile.latent and measure not in latent and row.rounded:
            high = max([one.get(measure, NOTHING) for one in amounts])
            states, money = (UNDETERMINED, UNDETERMINED), (NOTHING, NOTHING, NOTHING, NOTHING, high)
            latent[measure] = QuoteLayer(
                row, heading, *states, *money, None, profile.rule_texts, profile.switches
            )
    return list(latent.values())


def _by_measure(rows: Iterable[PricedRow]) -> dict[str, Decimal]:
    """Sum dollars and cents by measure."""
    amounts: dict[str, Decimal] = {}
    for row in rows:
        measure = row.key[0]
        amounts[measure] = amounts[measure] + row.rounded if measure in amounts else row.rounded
    return amounts


def _largest_charge(measure: str, possible: Iterable[Iterable[PricedRow]]) -> PricedRow | None:
    """Row of the largest charge of a measure under any of these facts; None without a charge above 0."""
    charges = [row for rows in possible for row in rows if row.key[0] == measure and row.amount > ZERO]
    return max(charges, key=lambda row: row.amount, default=None)
