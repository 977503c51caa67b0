"""Rate one atom of an entry line in exact decimals: rows that fit, stacking, unrounded amounts.

Rounding belongs to the entry line (19 CFR 159.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import Condition, Fact
from tariffs.engine.law.law import Active, InForce, Law
from tariffs.engine.law.matching import Candidates
from tariffs.engine.law.model import (
    ALUMINUM,
    CAPPED_TERM,
    COPPER,
    FULL_BASE,
    METALS,
    NO_WEIGHTS,
    PARTS,
    PROCESSING,
    REST,
    STEEL,
    US,
    US_ABOVE,
    Row,
    Tier,
    Weights,
)
from tariffs.engine.law.stacking import APPLIED, EXEMPT, PROHIBITED, Layer, walk
from tariffs.engine.schedule.lines import Schedule, ScheduleLine
from tariffs.engine.schedule.rates import FREE, Rate
from tariffs.engine.schedule.units import convert

CONTENT_CLAIMS = {STEEL: "steel_share", ALUMINUM: "aluminum_share", COPPER: "copper_share"}
US_CLAIM = "us_content_share"
PROCESSING_CLAIM = "processing_value"
PART_CLAIMS = CONTENT_CLAIMS | {US: US_CLAIM, US_ABOVE: US_CLAIM, PROCESSING: PROCESSING_CLAIM}
ZERO, ONE = Decimal(0), Decimal(1)


# Ordinary rate of a column (general, special, other) under these facts, and the special program that grants it.
RateOf = Callable[[str, Mapping[str, Fact]], tuple[Rate, str]]


@dataclass(frozen=True, slots=True)
class Goods:
    """Goods to rate: the code and its schedule line, origin, value in dollars, quantity, day.

    `is_rate_stated`: the ordinary rate is given by the caller.
    """

    code: str
    line: ScheduleLine
    origin: str
    value: Decimal
    quantity: Decimal | None
    unit: str
    day: date
    is_rate_stated: bool = False


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Ordinary rate that applies to the goods: as a fraction of value, with its text and program."""

    rate: Decimal
    text: str
    program: str


@dataclass(frozen=True, slots=True)
class PricedRow:
    """Layer with its rate (None if not ad valorem), base and amount in dollars, unrounded.

    `assumed` are the conditions of its row that hold only because the fact compared is not declared.
    """

    layer: Layer
    rate: Decimal | None
    base: Decimal
    amount: Decimal
    heading: str
    ordinary: Ordinary
    assumed: tuple[Condition, ...] = ()


class Rater:
    """Rater of the atoms of one line under one law at one instant."""

    def __init__(
        self,
        law: Law,
        in_force: InForce,
        goods: Goods,
        rows: Candidates,
        rate_of: RateOf,
    ):
        self._law = law
        self._in_force = in_force
        self._goods = goods
        self._rows = rows
        self._rate_of = rate_of

    def rate(self, facts: Mapping[str, Fact]) -> list[PricedRow]:
        """Compute the layers of an atom with these facts, in the order of the law."""
        facts = {**facts, **self._content(facts)}
        return self._stacked(self._fitting(facts), facts)

    def owed(self, assessed: Sequence[PricedRow], facts: Mapping[str, Fact]) -> list[PricedRow]:
        """Layers of the owed duty of an atom, given the layers assessed.

        They are the layers that are not void; where the law revives displaced duties, stacking is repeated without the
        void rows.
        """
        if self._in_force.revive and any(priced.layer.row.void for priced in assessed):
            facts = {**facts, **self._content(facts)}
            return self._stacked([fit for fit in self._fitting(facts) if not fit[1].void], facts)
        return [priced for priced in assessed if not priced.layer.row.void]

    def prohibitions(self, facts: Mapping[str, Fact]) -> list[tuple[Active, Row]]:
        """Measures that prohibit importing an atom with these facts, with the row that fits."""
        return [fit for fit in self._fitting({**facts, **self._content(facts)}) if fit[1].prohibits]

    def layers(self, facts: Mapping[str, Fact]) -> list[Layer]:
        """Layers of an atom after stacking, not priced; none for prohibited goods."""
        facts = {**facts, **self._content(facts)}
        fits = self._fitting(facts)
        return [] if any(row.prohibits for _, row in fits) else self._walked(fits, facts)

    def _stacked(self, fits: Sequence[tuple[Active, Row]], facts: Mapping[str, Fact]) -> list[PricedRow]:
        prohibited = [fit for fit in fits if fit[1].prohibits]
        if prohibited:
            return [self._prohibited(*fit) for fit in prohibited]
        layers = self._walked(fits, facts)
        parts = self._parts(facts)
        ordinary = self._ordinary(layers, facts)
        priced = [_with_assumed(self._price(layer, parts, ordinary), facts) for layer in layers]
        return [part for one in priced for part in (one, *self._left_out(one, parts))]

    def _walked(self, fits: Sequence[tuple[Active, Row]], facts: Mapping[str, Fact]) -> list[Layer]:
        content = frozenset(part for part, claim in CONTENT_CLAIMS.items() if facts[claim])
        return walk(fits, self._in_force.rules, lambda condition: condition.holds(facts), content)

    def _prohibited(self, active: Active, row: Row) -> PricedRow:
        """Make the layer of a prohibition: no duty is computed on goods that may not be entered."""
        layer = Layer(active, row, NO_WEIGHTS, PROHIBITED, row.heading)
        return PricedRow(layer, None, self._goods.value, ZERO, row.heading, Ordinary(ZERO, "", ""))

    def _left_out(self, priced: PricedRow, parts: Weights) -> list[PricedRow]:
        """Part of the value that the base of a row excludes, where it is reported under a separate heading."""
        layer, row = priced.layer, priced.layer.row
        if not row.split_heading or not layer.charged:
            return []
        weights = tuple(full - left for full, left in zip(FULL_BASE, row.base, strict=True))
        base = sum((w * t for w, t in zip(weights, parts, strict=True)), ZERO)
        part = Layer(layer.active, row, weights, EXEMPT, row.split_heading)
        return (
            [replace(priced, layer=part, rate=ZERO, base=base, amount=ZERO, heading=part.heading)]
            if base
            else []
        )

    def _fitting(self, facts: Mapping[str, Fact]) -> list[tuple[Active, Row]]:
        fits = []
        for active, rows in self._rows:
            row = first_fit(rows, facts)
            if row is not None and not row.absent:
                fits.append((active, row))
        return fits

    def _content(self, facts: Mapping[str, Fact]) -> dict[str, Decimal]:
        """Content shares as declared; if none is, all value is in the listed metal with the highest rate."""
        declared = {
            claim: share
            for claim in CONTENT_CLAIMS.values()
            if isinstance(share := facts.get(claim), Decimal)
        }
        shares = dict.fromkeys(CONTENT_CLAIMS.values(), ZERO) | declared
        if not declared:
            listed = [
                (stated_rate(row), -part, CONTENT_CLAIMS[part])
                for _, row in self._fitting(facts)
                for part in row.metals
            ]
            if listed:
                shares[max(listed)[2]] = ONE
        return shares

    def _parts(self, facts: Mapping[str, Fact]) -> Weights:
        """Parts of the value of the line in dollars; US content counts only outside the metal content."""
        value = self._goods.value
        metals = {
            part: share
            for part, claim in CONTENT_CLAIMS.items()
            if isinstance(share := facts[claim], Decimal)
        }
        metal = sum(metals.values(), ZERO)
        declared = facts.get(US_CLAIM)
        us = min(declared if isinstance(declared, Decimal) else ZERO, ONE - metal)
        capped = min(us, self._law.caps.get(CAPPED_TERM, ONE))
        processing = facts.get(PROCESSING_CLAIM)
        parts = [ZERO] * len(PARTS)
        for part in METALS:
            parts[part] = value * metals[part]
        parts[US] = value * capped
        parts[US_ABOVE] = value * (us - capped)
        parts[REST] = value * (ONE - metal - us)
        parts[PROCESSING] = min(processing, value) if isinstance(processing, Decimal) else value
        return tuple(parts)

    # -- rates and amounts -------------------------------------------------------------------------------------

    def _ordinary(self, layers: Iterable[Layer], facts: Mapping[str, Fact]) -> Ordinary:
        """Ordinary rate, computed only if a layer needs it."""
        needs = any(layer.charged and layer.row.kind in {"ordinary", "topup_to"} for layer in layers)
        row = next((layer.row for layer in layers if layer.row.kind == "ordinary"), None)
        if row is None:
            return Ordinary(ZERO, "", "")
        rate, program = self._rate_of(row.column, facts)
        return Ordinary(self._ad_valorem(rate) if needs else ZERO, rate.text, program)

    def _ad_valorem(self, rate: Rate) -> Decimal:
        """Express a schedule rate as a fraction of the value of these goods."""
        if not rate.computable:
            raise InputError(
                "RATE_NOT_COMPUTABLE",
                f"The schedule states the rate of {self._goods.code} as {rate.text!r}.",
                field="hts",
                fix="State it: ordinary_rate (--ordinary-rate 9.8%); tables use the 2024 equivalent.",
                metadata={"rate": rate.text},
            )
        total = Decimal(str(rate.ad_valorem))
        for usd, unit in rate.specific:
            if self._goods.value:
                total += Decimal(str(usd)) * self._in(unit) / self._goods.value
        return total

    def _in(self, unit: str) -> Decimal:
        goods = self._goods
        if goods.quantity is not None:
            converted = convert(goods.quantity, goods.unit or unit, unit)
            if converted is not None:
                return converted
        raise InputError(
            "QUANTITY_REQUIRED",
            f"The duty of {goods.code} needs the quantity in {unit}"
            + (f"; {goods.unit} does not convert." if goods.quantity is not None else "."),
            field="quantity",
            fix=f"Give the quantity and a unit that converts to {unit}.",
            metadata={"unit": unit},
        )

    def _price(self, layer: Layer, parts: Weights, ordinary: Ordinary) -> PricedRow:
        row, value = layer.row, self._goods.value
        base = sum((w * t for w, t in zip(layer.weights, parts, strict=True)), ZERO)
        if layer.state == APPLIED and layer.steps and not base:
            layer.displace()
        heading = layer.heading or row.heading
        if row.kind == "ordinary":
            heading = " ".join(part for part in (dotted(self._goods.line.hts8), ordinary.program) if part)
            return PricedRow(layer, ordinary.rate, base, base * ordinary.rate, heading, ordinary)
        if row.kind == "topup_to" and not row.suspended:
            rate = max(ZERO, (row.rate or ZERO) - ordinary.rate)
            if layer.charged and not rate:
                heading = row.heading_at_zero or heading
            return PricedRow(layer, rate, base, base * rate, heading, ordinary)
        if row.kind in {"add", "total", "topup_to"}:
            return PricedRow(layer, row.rate, base, base * (row.rate or ZERO), heading, ordinary)
        if not layer.charged or not value:
            return PricedRow(layer, None, base, ZERO, heading, ordinary)
        if row.price is not None:
            whole = max(ZERO, row.price.usd * self._in(row.price.unit) - value)
        else:
            whole = tiered(row.tiers, self._in(row.tiers[0].rate.unit))
        return PricedRow(layer, None, base, whole * base / value, heading, ordinary)


def schedule_rates(law: Law, goods: Goods, schedule: Schedule) -> RateOf:
    """Ordinary rates of goods by their schedule line and the special programs of a law."""

    def rate_of(column: str, facts: Mapping[str, Fact]) -> tuple[Rate, str]:
        if column == "other":
            return goods.line.other, ""
        if column == "special":
            symbols = [
                program.symbol
                for program in law.programs.values()
                if goods.origin in program.members and facts.get(program.claim) is True
            ]
            special = schedule.special(goods.code, symbols, goods.day)
            if special is not None and (special[0].computable or not goods.is_rate_stated):
                return special
            # A line that is free in column 1 is still entered under the program claimed.
            return goods.line.general, symbols[0] if symbols and goods.line.general.kind == FREE else ""
        return goods.line.general, ""

    return rate_of


def stated_rate(row: Row) -> Decimal:
    """Rate by which undeclared metals are ranked: as stated; 0 while suspended or not ad valorem."""
    return ZERO if row.suspended else row.rate or ZERO


def first_fit(rows: Iterable[Row], facts: Mapping[str, Fact]) -> Row | None:
    """Find the first row whose conditions all hold."""
    for row in rows:
        if all(c.holds(facts, undeclared=row.undeclared_applies) for c in row.conditions):
            return row
    return None


def tiered(tiers: Iterable[Tier], quantity: Decimal) -> Decimal:
    """Compute a specific duty in dollars: the rate of each tier on the quantity within it."""
    total, below = ZERO, ZERO
    for tier in tiers:
        top = quantity if tier.up_to is None else min(quantity, tier.up_to)
        if top > below:
            total += tier.rate.usd * (top - below)
            below = top
    return total


def _with_assumed(priced: PricedRow, facts: Mapping[str, Fact]) -> PricedRow:
    assumed = tuple(condition for condition in priced.layer.row.conditions if condition.is_assumed(facts))
    return replace(priced, assumed=assumed) if assumed else priced


def dotted(code: str) -> str:
    """Format HTS digits with the customary dots."""
    parts = [code[:4], code[4:6], code[6:8], code[8:]]
    return ".".join(part for part in parts[:3] if part) + (f".{parts[3]}" if parts[3] else "")


def claims_read(rows: Candidates, in_force: InForce) -> frozenset[str]:
    """Claims that rows, rules or bases may read on a line with these measures."""
    claims = {condition.claim for condition in conditions_read(rows, in_force)}
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
        r.rule.base for r in in_force.rules if r.rule.take == "base" and not present.isdisjoint(r.on)
    ]


def conditions_read(rows: Candidates, in_force: InForce) -> list[Condition]:
    """Conditions that rows or rules may test on a line with these measures."""
    present = {active.index for active, _ in rows}
    conditions = [condition for _, fitting in rows for row in fitting for condition in row.conditions]
    for rule in in_force.rules:
        touched = rule.on.union(*rule.members)
        if not present.isdisjoint(touched):
            conditions.extend((*rule.rule.conditions, *rule.rule.unless))
    return conditions
