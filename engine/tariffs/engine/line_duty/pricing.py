"""Price the stacked rows of a class of goods for one entry line, in exact decimals, unrounded.

Rounding belongs to the entry line (19 CFR 159.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from tariffs.engine.base.named_tuples import maker
from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Row, Tier
from tariffs.engine.law.stacking import APPLIED, Layer
from tariffs.engine.rating.fits import ZERO, OrdinarySource, StackedRow, dotted
from tariffs.engine.schedule.lines import Schedule, ScheduleLine
from tariffs.engine.schedule.rates import FREE, Rate
from tariffs.engine.schedule.units import convert

CENT, NANO, NOTHING = Decimal("0.01"), Decimal("1e-9"), Decimal("0.00")

# Ordinary rate of a column (general, special, other) under these claims, and the special program that grants it.
RateOf = Callable[[str, frozenset[str]], tuple[Rate, str]]


class Goods(NamedTuple):
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


class Ordinary(NamedTuple):
    """Ordinary rate that applies to the goods: as a fraction of value, with its text and program."""

    rate: Decimal
    text: str
    program: str


_ordinary = maker(Ordinary)
NO_ORDINARY = Ordinary(ZERO, "", "")
_BY_ORDINARY = frozenset({"ordinary", "topup_to"})
_FLAT = frozenset({"add", "total"})
_AD_VALOREM = _FLAT | {"topup_to"}
_NANO_EXPONENT = -9
_FORM = "form of its price"
_HEADINGS_KEPT = 4_096
"""Headings of ordinary rates that are cached; one takes some 0.2 KB."""
_RATES_KEPT = 16_384
"""Special rates of codes that are cached, by edition of the schedule; one takes some 0.3 KB."""
RowKey = tuple[str, str, str]


class PricedRow(NamedTuple):
    """Stacked row with its layer, rate (None if not ad valorem), base and amount in dollars, unrounded.

    `key` is its measure, heading and state; `rounded` its amount in dollars and cents; `ordinary` is the ordinary rate,
    for rows that depend on it.
    """

    row: StackedRow
    layer: Layer
    key: RowKey
    rate: Decimal | None
    base: Decimal
    amount: Decimal
    rounded: Decimal
    ordinary: Ordinary

    @property
    def heading(self) -> str:
        """Heading it is reported under."""
        return self.key[1]


_priced_row = maker(PricedRow)


class Pricer:
    """Prices stacked rows for the value and quantity of one line, each row once.

    Args:
        rate_of: the ordinary rates of its code.
    """

    def __init__(self, goods: Goods, rate_of: RateOf) -> None:
        self._goods = goods
        self._rate_of = rate_of
        self._ordinary: dict[OrdinarySource, Ordinary] = {}
        self._priced: dict[StackedRow, PricedRow] = {}

    def price_all(self, rows: Iterable[StackedRow]) -> list[PricedRow]:
        """Price rows, each with the part of the value that its base excludes.

        Raises:
            InputError: RATE_NOT_COMPUTABLE, or QUANTITY_REQUIRED without a quantity that converts.
        """
        known, found = self._priced, list[PricedRow]()
        for row in rows:
            priced = known.get(row)
            if priced is None:
                priced = known[row] = self._price(row)
            found.append(priced)
            if row.left_out is not None and priced.layer.charged:
                found += self._left_out(row.left_out, priced.ordinary)
        return found

    def _left_out(self, row: StackedRow, ordinary: Ordinary) -> list[PricedRow]:
        base = self._base(row)
        return [PricedRow(row, row.layer, row.key, ZERO, base, ZERO, NOTHING, ordinary)] if base else []

    def _base(self, row: StackedRow) -> Decimal:
        value = self._goods.value
        return row.base.of(value, value if row.processing is None else min(row.processing, value))

    def _price(self, stacked: StackedRow) -> PricedRow:
        value = self._goods.value
        rate, charges = _form(stacked)
        if not charges:
            stated = stacked.layer.row.rate
            return _priced_row(
                (stacked, stacked.layer, stacked.key, stated, ZERO, ZERO, NOTHING, NO_ORDINARY)
            )
        if rate is not None:
            amount = value * rate
            rounded = amount.quantize(CENT, ROUND_HALF_UP)
            return _priced_row(
                (stacked, stacked.layer, stacked.key, rate, value, amount, rounded, NO_ORDINARY)
            )
        return self._price_part(stacked, value)

    def _price_part(self, stacked: StackedRow, value: Decimal) -> PricedRow:
        layer, key = stacked.layer, stacked.key
        row, base, ordinary = layer.row, self._base(stacked), NO_ORDINARY
        if row.kind in _BY_ORDINARY:
            ordinary = self._ordinary_rate(stacked.ordinary)
        if layer.steps and not base and layer.state == APPLIED:
            layer = replace(layer)
            layer.displace()
            key = key[0], layer.heading or row.heading, layer.state
        rate: Decimal | None = None
        amount = ZERO
        if row.kind == "ordinary":
            key = key[0], _ordinary_heading(self._goods.line.hts8, ordinary.program), key[2]
            rate, amount = ordinary.rate, base * ordinary.rate
        elif row.kind == "topup_to" and not row.suspended:
            rate = max(ZERO, (row.rate or ZERO) - ordinary.rate)
            if row.heading_at_zero and not rate and layer.charged:
                key = key[0], row.heading_at_zero, key[2]
            amount = base * rate
        elif row.kind in _AD_VALOREM:
            rate = row.rate
            if base and rate:
                amount = base * rate
        elif value and layer.charged:
            amount = self._by_quantity(row) * base / value
        rounded = cents(amount) if amount else NOTHING
        return _priced_row((stacked, layer, key, rate, base, amount, rounded, ordinary))

    def _by_quantity(self, row: Row) -> Decimal:
        """Specific duty, or shortfall to a minimum price, on the whole line."""
        if row.price is not None:
            return max(ZERO, row.price.usd * self._in(row.price.unit) - self._goods.value)
        return tiered(row.tiers, self._in(row.tiers[0].rate.unit))

    def _ordinary_rate(self, source: OrdinarySource) -> Ordinary:
        found = self._ordinary.get(source)
        if found is None:
            if source.column:
                rate, program = self._rate_of(source.column, source.claimed)
                found = _ordinary((self._ad_valorem(rate) if source.needed else ZERO, rate.text, program))
            else:
                found = NO_ORDINARY
            self._ordinary[source] = found
        return found

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
        total = rate.ad_valorem
        for usd, unit in rate.specific:
            if self._goods.value:
                total += usd * self._in(unit) / self._goods.value
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


def _form(row: StackedRow) -> tuple[Decimal | None, bool]:
    """Return the rate of a row on the whole value, None for other rows, and whether it charges anything."""
    form: tuple[Decimal | None, bool] | None = row.derived.get(_FORM)
    if form is None:
        form = row.derived[_FORM] = _whole_rate(row), _charges(row)
    return form


def _whole_rate(row: StackedRow) -> Decimal | None:
    """Rate of a row that is charged on the whole value, if the amount in nanodollars is exact; None for other rows."""
    rate, share = row.layer.row.rate, row.base
    is_whole = share.value == 1 and not share.processing and not row.layer.steps
    if row.layer.row.kind not in _FLAT or rate is None or not is_whole:
        return None
    exponent = rate.as_tuple().exponent
    return rate if isinstance(exponent, int) and exponent >= _NANO_EXPONENT else None


def _charges(row: StackedRow) -> bool:
    """Test whether a row may charge something; False if it charges nothing whatever the line."""
    share, kind = row.base, row.layer.row.kind
    return kind not in _FLAT or bool(share.value or share.processing) or row.layer.state == APPLIED


@lru_cache(maxsize=_HEADINGS_KEPT)
def _ordinary_heading(hts8: str, program: str) -> str:
    return f"{dotted(hts8)} {program}".strip()


def cents(amount: Decimal) -> Decimal:
    """Dollars rounded half up to the cent."""
    # A quotient of decimals is inexact in its last digit; an exact half cent must still round up.
    return amount.quantize(NANO).quantize(CENT, ROUND_HALF_UP)


def schedule_rates(law: Law, goods: Goods, schedule: Schedule) -> RateOf:
    """Ordinary rates of goods by their schedule line and the special programs of a law."""

    def rate_of(column: str, claimed: frozenset[str]) -> tuple[Rate, str]:
        if column == "other":
            return goods.line.other, ""
        if column == "special":
            symbols = tuple(
                [
                    program.symbol
                    for program in law.programs.values()
                    if program.claim in claimed and goods.origin in program.members
                ]
            )
            special = _special_rate(schedule, goods.code, symbols, schedule.edition_day(goods.day))
            if special is not None and (special[0].computable or not goods.is_rate_stated):
                return special
            # A line that is free in column 1 is still entered under the program claimed.
            return goods.line.general, symbols[0] if symbols and goods.line.general.kind == FREE else ""
        return goods.line.general, ""

    return rate_of


@lru_cache(maxsize=_RATES_KEPT)
def _special_rate(
    schedule: Schedule, code: str, symbols: tuple[str, ...], day: date
) -> tuple[Rate, str] | None:
    return schedule.special(code, symbols, day)


def tiered(tiers: Iterable[Tier], quantity: Decimal) -> Decimal:
    """Compute a specific duty in dollars: the rate of each tier on the quantity within it."""
    total, below = ZERO, ZERO
    for tier in tiers:
        top = quantity if tier.up_to is None else min(quantity, tier.up_to)
        if top > below:
            total += tier.rate.usd * (top - below)
            below = top
    return total
