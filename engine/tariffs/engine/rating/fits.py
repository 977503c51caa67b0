"""Fit and stack the rows of the law that reach a class of goods, without amounts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from tariffs.engine.law.conditions import Condition, Fact
from tariffs.engine.law.law import Active, InForce, Law
from tariffs.engine.law.matching import Candidates
from tariffs.engine.law.model import (
    ALUMINUM,
    CAPPED_TERM,
    COPPER,
    FULL_BASE,
    NO_WEIGHTS,
    PARTS,
    PROCESSING,
    REST,
    STEEL,
    US,
    US_ABOVE,
    Row,
    Weights,
    treats_metal_apart,
)
from tariffs.engine.law.stacking import APPLIED, EXEMPT, PROHIBITED, Layer, walk

CONTENT_CLAIMS = {STEEL: "steel_share", ALUMINUM: "aluminum_share", COPPER: "copper_share"}
US_CLAIM = "us_content_share"
PROCESSING_CLAIM = "processing_value"
PART_CLAIMS = CONTENT_CLAIMS | {US: US_CLAIM, US_ABOVE: US_CLAIM, PROCESSING: PROCESSING_CLAIM}
ZERO, ONE = Decimal(0), Decimal(1)


class OrdinarySource(NamedTuple):
    """Column of the ordinary rate, empty for none, and the claims that may change it.

    `needed`: some layer is charged by the rate as a number.
    """

    column: str
    claimed: frozenset[str]
    needed: bool


class Share(NamedTuple):
    """Part of the value of a line: a fraction of the value, and one of the processing value declared in dollars."""

    value: Decimal
    processing: Decimal

    def of(self, value: Decimal, processing: Decimal) -> Decimal:
        """Dollars of this part."""
        amount = self.value * value
        return amount + self.processing * processing if self.processing else amount


@dataclass(frozen=True, slots=True, eq=False)
class StackedRow:
    """Layer of an atom of a class of goods, without rate and amounts.

    Attributes:
        layer: the layer after stacking.
        key: its measure, heading and state, where the line does not decide them.
        base: the part of the value that it is charged on.
        processing: processing value in dollars, if declared.
        ordinary: where the ordinary rate of the goods comes from.
        assumed: conditions of its row that hold only because the fact compared is not declared.
        citations: legal sources.
        left_out: the part of the value that the base excludes, where it is reported under a separate heading.
        number: tells rows apart in the keys of caches, which would otherwise keep a row and its law alive.
        derived: what other modules work out from the row alone, by name, kept as long as it.
    """

    layer: Layer
    key: tuple[str, str, str]
    base: Share
    processing: Decimal | None
    ordinary: OrdinarySource
    assumed: tuple[Condition, ...] = ()
    citations: tuple[str, ...] = ()
    left_out: StackedRow | None = None
    number: int = field(default_factory=itertools.count().__next__, repr=False)
    derived: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def identity(self) -> Hashable:
        """Value that is equal for rows of one law with the same price and reasons."""
        layer = self.layer
        steps = tuple((step.rule, step.by, step.heading) for step in layer.steps)
        state = layer.weights, layer.state, layer.heading, steps, layer.charged
        base = self.base, self.processing, self.left_out and self.left_out.base
        return layer.active.index, id(layer.row), state, base, self.ordinary, self.assumed


class Stacker:
    """Fits and stacks the rows that reach a class of goods, under one law at one instant.

    Args:
        in_force: the law at the instant.
        rows: the rows that reach the goods, by measure.
        ordinary_claims: the claims that may change the ordinary rate.
    """

    def __init__(
        self, law: Law, in_force: InForce, rows: Candidates, ordinary_claims: frozenset[str]
    ) -> None:
        self._law = law
        self._in_force = in_force
        self._rows = rows
        self._ordinary_claims = ordinary_claims
        # Most rules are about measures that do not reach the goods: no atom need look at them.
        reaching = frozenset([active.index for active, _ in rows])
        self._rules = [rule for rule in in_force.rules if rule.touches(reaching)]
        self._has_metals = any(row.metals for _, fitting in rows for row in fitting)

    def assessed(self, facts: Mapping[str, Fact]) -> list[StackedRow]:
        """Stack the rows of an atom with these facts, in the order of the law."""
        facts = {**facts, **self._content(facts)}
        return self._stacked(self._fitting(facts), facts)

    def owed(self, assessed: Sequence[StackedRow], facts: Mapping[str, Fact]) -> list[StackedRow]:
        """Rows of the owed duty of an atom, given the rows assessed.

        They are the rows that are not void; where the law revives displaced duties, stacking is repeated without the
        void rows.
        """
        if self._in_force.revive and any(stacked.layer.row.void for stacked in assessed):
            facts = {**facts, **self._content(facts)}
            return self._stacked([fit for fit in self._fitting(facts) if not fit[1].void], facts)
        return [stacked for stacked in assessed if not stacked.layer.row.void]

    def prohibitions(self, facts: Mapping[str, Fact]) -> list[tuple[Active, Row]]:
        """Measures that prohibit importing an atom with these facts, with the row that fits."""
        return [fit for fit in self._fitting({**facts, **self._content(facts)}) if fit[1].prohibits]

    def layers(self, facts: Mapping[str, Fact]) -> list[Layer]:
        """Layers of an atom after stacking; none for prohibited goods."""
        facts = {**facts, **self._content(facts)}
        fits = self._fitting(facts)
        return [] if any(row.prohibits for _, row in fits) else self._walked(fits, facts)

    def _stacked(self, fits: Sequence[tuple[Active, Row]], facts: Mapping[str, Fact]) -> list[StackedRow]:
        prohibited = [fit for fit in fits if fit[1].prohibits]
        if prohibited:
            return [_prohibited(*fit) for fit in prohibited]
        layers = self._walked(fits, facts)
        contents, processing = _contents(facts), facts.get(PROCESSING_CLAIM)
        parts = self._parts(contents, facts)
        of_whole = self._parts({}, facts) if any(contents.values()) else parts

        def parts_of(base: Weights) -> Weights:
            return parts if parts is of_whole or treats_metal_apart(base) else of_whole

        in_dollars = processing if isinstance(processing, Decimal) else None
        ordinary = self._ordinary(layers, facts)
        return [_stacked_row(layer, parts_of, in_dollars, ordinary, facts) for layer in layers]

    def _walked(self, fits: Sequence[tuple[Active, Row]], facts: Mapping[str, Fact]) -> list[Layer]:
        content = frozenset(part for part, claim in CONTENT_CLAIMS.items() if facts.get(claim))
        return walk(fits, self._rules, lambda condition: condition.holds(facts), content)

    def _fitting(self, facts: Mapping[str, Fact]) -> list[tuple[Active, Row]]:
        fits = []
        for active, rows in self._rows:
            row = first_fit(rows, facts)
            if row is not None and not row.absent:
                fits.append((active, row))
        return fits

    def _content(self, facts: Mapping[str, Fact]) -> dict[str, Decimal]:
        """Content shares as declared; if none is, all value is in the listed metal with the highest rate.

        Where no row has a metal in its base either, they stay undeclared: no comparison holds for them.
        """
        declared = {
            claim: share
            for claim in CONTENT_CLAIMS.values()
            if isinstance(share := facts.get(claim), Decimal)
        }
        if not declared:
            listed = [
                (stated_rate(row), -part, CONTENT_CLAIMS[part])
                for _, row in (self._fitting(facts) if self._has_metals else ())
                for part in row.metals
            ]
            if not listed:
                return {}
            declared = {max(listed)[2]: ONE}
        return dict.fromkeys(CONTENT_CLAIMS.values(), ZERO) | declared

    def _parts(self, metals: Mapping[int, Decimal], facts: Mapping[str, Fact]) -> Weights:
        """Parts of the value as fractions; US content counts only outside these metal contents."""
        metal = sum(metals.values(), ZERO)
        declared = facts.get(US_CLAIM)
        us = min(declared if isinstance(declared, Decimal) else ZERO, ONE - metal)
        capped = min(us, self._law.caps.get(CAPPED_TERM, ONE))
        parts = [ZERO] * len(PARTS)
        for part, share in metals.items():
            parts[part] = share
        parts[US] = capped
        parts[US_ABOVE] = us - capped
        parts[REST] = ONE - metal - us
        parts[PROCESSING] = ONE
        return tuple(parts)

    def _ordinary(self, layers: Iterable[Layer], facts: Mapping[str, Fact]) -> OrdinarySource:
        """Source of the ordinary rate; it is computed only if a layer needs it."""
        needs = any(layer.charged and layer.row.kind in {"ordinary", "topup_to"} for layer in layers)
        column = next((layer.row.column for layer in layers if layer.row.kind == "ordinary"), "")
        claimed = frozenset(name for name in self._ordinary_claims if facts.get(name) is True)
        return OrdinarySource(column, claimed, needs)


def _contents(facts: Mapping[str, Fact]) -> dict[int, Decimal]:
    """Contents of the metals as fractions of the value."""
    shares = {part: facts.get(claim, ZERO) for part, claim in CONTENT_CLAIMS.items()}
    return {part: share for part, share in shares.items() if isinstance(share, Decimal)}


def _stacked_row(
    layer: Layer,
    parts_of: Callable[[Weights], Weights],
    processing: Decimal | None,
    ordinary: OrdinarySource,
    facts: Mapping[str, Fact],
) -> StackedRow:
    """Make a stacked row of a layer; `parts_of` gives the parts of the value that a base divides it into."""
    row = layer.row
    base = _share(layer.weights, parts_of(layer.weights), processing)
    if layer.state == APPLIED and layer.steps and not base.of(ONE, processing or ZERO):
        layer.displace()
    assumed = tuple(condition for condition in row.conditions if condition.is_assumed(facts))
    cites = layer.active.citations(row)
    left_out = None
    if row.split_heading and layer.charged:
        weights = tuple(full - left for full, left in zip(FULL_BASE, row.base, strict=True))
        part = Layer(layer.active, row, weights, EXEMPT, row.split_heading)
        share = _share(weights, parts_of(row.base), processing)
        left_out = StackedRow(part, _key(part), share, processing, ordinary, assumed, cites)
    return StackedRow(layer, _key(layer), base, processing, ordinary, assumed, cites, left_out)


def _prohibited(active: Active, row: Row) -> StackedRow:
    """Make the layer of a prohibition: no duty is computed on goods that may not be entered."""
    layer = Layer(active, row, NO_WEIGHTS, PROHIBITED, row.heading)
    source = OrdinarySource("", frozenset(), needed=False)
    return StackedRow(layer, _key(layer), Share(ONE, ZERO), None, source, citations=active.citations(row))


def _key(layer: Layer) -> tuple[str, str, str]:
    return layer.active.measure.id, layer.heading or layer.row.heading, layer.state


def _share(weights: Weights, parts: Weights, processing: Decimal | None) -> Share:
    """Weighted sum of the parts of the value; processing counts in dollars where it is declared in dollars."""
    whole = ZERO
    for weight, part in zip(weights, parts, strict=True):
        # Most parts are empty: to multiply by them too would take a tenth of the time of a class.
        if part:
            whole += weight * part
    if processing is None:
        return Share(whole, ZERO)
    weight = weights[PROCESSING]
    return Share(whole - weight, weight)


def stated_rate(row: Row) -> Decimal:
    """Rate by which undeclared metals are ranked: as stated; 0 while suspended or not ad valorem."""
    return ZERO if row.suspended else row.rate or ZERO


def first_fit(rows: Iterable[Row], facts: Mapping[str, Fact]) -> Row | None:
    """Find the first row whose conditions all hold."""
    for row in rows:
        # A plain loop takes half the time of a generator.
        for condition in row.conditions:
            if not condition.holds(facts, undeclared=row.undeclared_applies):
                break
        else:
            return row
    return None


def dotted(code: str) -> str:
    """Format HTS digits with the customary dots."""
    parts = [code[:4], code[4:6], code[6:8], code[8:]]
    return ".".join(part for part in parts[:3] if part) + (f".{parts[3]}" if parts[3] else "")


def claims_read(rows: Candidates, in_force: InForce, conditions: Iterable[Condition]) -> frozenset[str]:
    """Claims that conditions (those of `conditions_read`) or bases may read on a line with these measures."""
    claims = {condition.claim for condition in conditions}
    for base in _bases(rows, in_force):
        whole = base[REST]
        claims |= {
            claim for part, claim in PART_CLAIMS.items() if base[part] != (0 if part == PROCESSING else whole)
        }
    return frozenset(claims)


def _bases(rows: Candidates, in_force: InForce) -> list[Weights]:
    present = {active.index for active, _ in rows}
    bases = [row.base for _, fitting in rows for row in fitting]
    return bases + [
        r.rule.base for r in in_force.rules if r.rule.replaces_base and not present.isdisjoint(r.on)
    ]


def conditions_read(rows: Candidates, in_force: InForce) -> list[Condition]:
    """Conditions that rows or rules may test on a line with these measures."""
    present = {active.index for active, _ in rows}
    conditions = [condition for _, fitting in rows for row in fitting for condition in row.conditions]
    for rule in in_force.rules:
        if not present.isdisjoint(rule.touched):
            conditions.extend((*rule.rule.conditions, *rule.rule.unless))
    return conditions
