"""Convert a table of exports to line arrays: goods are rated by the lines of the schedule of their destination.

The table contains the imports of one or more markets, from all origins. A code of 6 digits is split into the lines of
the destination's schedule. The ordinary rate comes from a column of the table or from the law data; a row with
neither is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.stages import stage
from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.markets import SHARED_DIGITS, Market
from tariffs.engine.law.notes import Note
from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.country_names import origins_named
from tariffs.engine.tables.columns import RATE_COLUMN
from tariffs.engine.tables.export_pieces import Part, PieceRates, Pieces
from tariffs.engine.tables.export_rates import TOO_COARSE, is_shared_code, nearest_shared, no_rate
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.mfn_rates import quantities_by_unit, stated_rates
from tariffs.engine.tables.prepare import (
    PreparedTable,
    Table,
    amount_of,
    declared_fact,
    index_of,
    prepare_table,
    reading_notes,
)
from tariffs.engine.tables.read_columns import Problems
from tariffs.engine.tables.trade_table import CheckedTable, TableRules, Unprepared, check_table

DESTINATION = "destination"


@stage("read the table")
def prepared_for(markets: Sequence[str], table: Table, law: Law, date_format: str = "") -> PreparedTable:
    """Check a table of imports or exports and convert it to arrays.

    Args:
        markets: imports alone, or destinations: rows that name none go to the first. Of the embedded table, which None
            is, the goods that go to one of them.
        date_format: the format of date columns; see `base.dates.FORMATS`.

    Raises:
        InputError: as `prepare_exports` and `prepare_table`.
    """
    if isinstance(table, PreparedTable):
        return table
    if markets[0] == IMPORT:
        return prepare_table(table, law, date_format)
    if table is None:
        return embedded_exports(law, tuple(markets))
    return prepare_exports(table, law, markets[0], date_format)


def prepare_exports(table: Unprepared, law: Law, market: str, date_format: str = "") -> PreparedTable:
    """Check a table of exports and convert it to arrays.

    Args:
        table: the table; rows without `destination` go to `market`.
        market: the ISO code of a destination; days are those of its clock.
        date_format: the format of date columns.

    Raises:
        InputError: TABLE_UNREADABLE, TABLE_EMPTY, COLUMN_MISSING or COLUMN_TYPE_MISMATCH.
    """
    first, last = law.fixed.clocked[market]
    lines = frozenset().union(*(one.odd_lines for one in law.markets.values()))
    rules = TableRules(
        law.claims, first, last, law.zones[market], is_shared_code, nearest_shared, date_format, lines=lines
    )
    checked = _of_known_markets(check_table(table, rules), law, market)
    goods = _ExportGoods(checked.lines, law, market)
    checked, goods = goods.with_rates(checked)
    return goods.prepared(checked)


# Some 2 MB each.
_EMBEDDED_KEPT = 4
_EMBEDDED: BoundedCache[tuple[str, tuple[str, ...]], PreparedTable] = BoundedCache(_EMBEDDED_KEPT)


def embedded_exports(law: Law, markets: tuple[str, ...]) -> PreparedTable:
    """Convert the embedded US exports of 2024 to some markets to arrays, without goods that cannot be rated.

    Raises:
        InputError: REQUEST_INVALID if none of the markets has an embedded table.
    """
    return _EMBEDDED.get((law.digest, markets), lambda: _prepare_embedded(law, markets))


def _prepare_embedded(law: Law, markets: tuple[str, ...]) -> PreparedTable:
    found = [_rateable(law, market) for market in markets if reference_data.exports(market).height]
    if not found:
        raise InputError(
            "REQUEST_INVALID",
            f"No table of exports to {', '.join(markets)} is embedded.",
            field="table",
            fix="Give a table with hts, origin and customs_value; see docs/exports.md.",
        )
    prepared = prepare_exports(pl.concat([table for table, _ in found]), law, markets[0])
    notes = (*(note for _, note in found), *prepared.notes)
    return replace(prepared, baseline=reference_data.baseline().isoformat(), notes=notes)


def _rateable(law: Law, market: str) -> tuple[pl.DataFrame, Note]:
    """Embedded exports to a market that can be rated, with a note on what they cover."""
    table, goods = reference_data.exports(market), law.destination_of(market)
    coded = pl.Series([is_shared_code(code) for code in table["hts"]])
    rated = coded & pl.Series(
        [all(goods.ordinary_rate(part) for part, _ in goods.parts_of(code)) for code in table["hts"]]
    )
    by_chapter = reference_data.exports_by_chapter().filter(destination=market)
    left_out = {
        "under a code outside the Harmonized System (chapter 98 and civil aircraft)": ~coded,
        "without a known ordinary rate": coded & ~rated,
    }
    worth = [f"{_value(table, mask):,.0f} USD {text}" for text, mask in left_out.items() if mask.any()]
    text = (
        f"US exports of 2024 to {market} by 6 digits: {int(rated.sum()):,} subheadings worth "
        f"{_value(table, rated):,.0f} USD of {by_chapter['customs_value'].sum():,.0f} USD to all its chapters"
    )
    note = Note("EMBEDDED_EXPORTS", f"{text}; left out: {' and '.join(worth) or 'nothing'}.")
    return table.filter(rated).with_columns(pl.lit(market).alias(DESTINATION)), note


def _value(table: pl.DataFrame, mask: pl.Series) -> float:
    return float(table.filter(mask)["customs_value"].sum())


def _of_known_markets(checked: CheckedTable, law: Law, market: str) -> CheckedTable:
    """Refuse the rows of too short a code, and those of a destination that the law data does not have.

    The rows that are left have `destination` as an ISO code.
    """
    frame, problems = checked.lines, Problems()
    coarse = frame["hts"].str.len_chars() < SHARED_DIGITS
    problems.refuse(frame["hts"], coarse, "HTS_CODE_MALFORMED", f", not 6 digits. {TOO_COARSE}")
    destination = _destinations(frame, market)
    unknown = ~destination.is_in(list(law.zones))
    known = ", ".join(law.markets)
    problems.refuse(destination, unknown, "DESTINATION_UNKNOWN", f". The law data has {known}.")
    outside = _outside(frame, destination, law, problems)
    named = replace(checked, lines=frame.with_columns(destination))
    return _without(named, problems, ~(coarse | unknown | outside))


def _outside(frame: pl.DataFrame, destination: pl.Series, law: Law, problems: Problems) -> pl.Series:
    """Refuse the rows whose own entry date is outside the days that the law data has of their destination."""
    outside = pl.repeat(value=False, n=frame.height, eager=True, dtype=pl.Boolean)
    for market in law.markets.values() if ENTRY_DATE in frame.columns else ():
        first, last = law.covered(market.code)
        moments = frame[ENTRY_DATE].dt.convert_time_zone(str(market.zone))
        apart = (destination == market.code) & ((moments < first) | (moments >= last)).fill_null(value=False)
        span = f". The law data of {market.code} covers {first:%Y-%m-%d} up to {last:%Y-%m-%d}."
        problems.refuse(moments, apart, "ENTRY_DATE_OUT_OF_COVERAGE", span)
        outside |= apart
    return outside


def _destinations(frame: pl.DataFrame, market: str) -> pl.Series:
    if DESTINATION not in frame.columns:
        return pl.repeat(market, frame.height, eager=True).alias(DESTINATION)
    named = frame[DESTINATION].cast(pl.String).str.strip_chars().replace("", None).fill_null(market)
    codes = {text: next(iter(origins_named(text)), text.upper()) for text in named.unique()}
    return named.replace(codes)


class _ExportGoods:
    """Goods of the usable rows of a table of exports: distinct codes by destination, and their parts.

    A *part* is a line of the schedule of the destination, with its weight in the code.
    """

    def __init__(self, frame: pl.DataFrame, law: Law, market: str) -> None:
        self._frame, self._law, self._market = frame, law, market
        self._destination, self._of_line = index_of(frame[DESTINATION])
        keys = pl.Series(self._of_line.astype(str)) + ":" + frame["hts"]
        distinct, self._goods_of_line = index_of(keys)
        split = [key.split(":") for key in distinct]
        self._goods = [(self._market_at(int(place)), code) for place, code in split]
        self._parts = [market.parts_of(code) for market, code in self._goods]

    def _market_at(self, place: int) -> Market:
        return self._law.destination_of(self._destination[place])

    def with_rates(self, checked: CheckedTable) -> tuple[CheckedTable, _ExportGoods]:
        """Refuse the rows that pay an ordinary rate without a number; the goods of the others."""
        rates = self._rates()
        unknown = rates.unknown(self._facts(rates)[0])
        if not unknown:
            return checked, self
        texts = dict(unknown)
        problems, without = Problems(), pl.Series([line in texts for line in range(self._frame.height)])
        message = [str(no_rate(hts, texts.get(line, ""))) for line, hts in enumerate(self._frame["hts"])]
        reason = pl.Series(["RATE_NOT_COMPUTABLE"] * self._frame.height)
        problems.refuse(_rate_column(self._frame), without, reason, pl.Series(message, dtype=pl.String))
        checked = _without(checked, problems, ~without)
        return checked, _ExportGoods(checked.lines, self._law, self._market)

    def _rates(self) -> PieceRates:
        pieces = Pieces.of(self._parts, self._goods_of_line)
        return PieceRates.of(self.parts, pieces, self.stated, self._frame["origin"])

    def prepared(self, checked: CheckedTable) -> PreparedTable:
        """Arrays of the goods."""
        frame, law = self._frame, self._law
        rates = self._rates()
        pieces = rates.pieces
        with_freight = np.array(
            [self._market_at(n).with_freight for n in range(len(self._destination))], bool
        )
        with_freight = with_freight[self._of_line]
        freight, insurance = (amount_of(frame, name, frame.height) for name in ("freight", "insurance"))
        origins, origin = index_of(frame["origin"])
        facts, notes = self._facts(rates)
        shared = [f"{market.code}:{code[:SHARED_DIGITS]}" for market, code in self._goods]
        products, product = index_of(pl.Series(shared, dtype=pl.String))
        value = amount_of(frame, "customs_value", frame.height)
        lines = LineArrays(
            codes=pieces.codes,
            origins=origins,
            origin=origin.astype(np.int32),
            value=value + np.where(with_freight, freight + insurance, 0.0),
            freight=np.where(with_freight, 0.0, freight),
            insurance=np.where(with_freight, 0.0, insurance),
            piece_line=pieces.line,
            piece_code=pieces.code,
            piece_weight=pieces.weight,
            facts=facts,
            general=rates.general,
            other=rates.general,
            special=rates.preferred,
            quantities=quantities_by_unit(frame, law),
            vat=np.array([float(market.tax_rate(code)) for market, code in self._goods])[self._goods_of_line],
        )
        return PreparedTable(
            checked,
            lines,
            [one.split(":")[1] for one in products],
            product[self._goods_of_line],
            "",
            {},
            (*reading_notes(checked), *notes, *self._coarse(lines), *self._estimated(lines)),
            SHARED_DIGITS,
            tuple(self._destination) or (self._market,),
            self._of_line.astype(np.int32) if len(self._destination) > 1 else None,
        )

    @property
    def parts(self) -> list[Part]:
        """Market and code of each part of each of the goods, in order."""
        return [
            (market, code)
            for (market, _), parts in zip(self._goods, self._parts, strict=True)
            for code, _ in parts
        ]

    @property
    def stated(self) -> F64:
        """Ordinary rates that rows state; NaN where they do not."""
        return stated_rates(self._frame)

    def _facts(self, rates: PieceRates) -> tuple[dict[str, NDArray[Any]], list[Note]]:
        """Declared facts of lines; undeclared preferences are assumed in full, with a note."""
        facts: dict[str, NDArray[Any]] = {}
        for claim in self._law.claims.values():
            declared = declared_fact(self._frame, claim.id, claim.type)
            if declared is not None:
                facts[claim.id] = declared
        notes = []
        for place, code in enumerate(self._destination):
            preference = self._law.destination_of(code).preference
            if preference is None:
                continue
            share = facts.get(preference.claim, np.full(self._frame.height, np.nan))
            preferred = rates.lines_preferred(preference.claim, self._frame.height)
            assumed = preferred & (self._of_line == place) & np.isnan(share)
            if assumed.any():
                facts[preference.claim] = np.where(assumed, 1.0, share)
                notes.append(Note(preference.note, preference.assumption))
        return facts, notes

    def _coarse(self, lines: LineArrays) -> list[Note]:
        split = np.array([len(parts) > 1 for parts in self._parts], dtype=bool)[self._goods_of_line]
        if not split.any():
            return []
        text = (
            f"{int(split.sum()):,} lines worth {lines.value[split].sum():,.0f} USD were rated by the lines of the "
            "schedule of their destination, by weight, equally where no shares of value are known."
        )
        return [Note("COARSE_CODE", text)]

    def _estimated(self, lines: LineArrays) -> list[Note]:
        doubtful = np.array([market.is_estimated(code) for market, code in self.parts], dtype=bool)
        pieces = Pieces.of(self._parts, self._goods_of_line)
        weight = pieces.weight * doubtful[pieces.source] * np.isnan(self.stated)[pieces.line]
        value = float((lines.value[pieces.line] * weight).sum())
        if value <= 0:
            return []
        text = f"The ordinary rate of goods worth {value:,.0f} USD is derived from other data, not read in a schedule."
        return [Note("RATE_ESTIMATED", text)]


def _rate_column(frame: pl.DataFrame) -> pl.Series:
    column = frame[RATE_COLUMN] if RATE_COLUMN in frame.columns else pl.repeat(None, frame.height, eager=True)
    return column.alias(RATE_COLUMN)


def _without(checked: CheckedTable, problems: Problems, good: pl.Series) -> CheckedTable:
    """Drop the refused rows from a table; their problems are numbered by the rows of the source."""
    if not problems.refused:
        return checked
    more = pl.concat(problems.refused)
    more = more.with_columns(checked.rows.gather(more["row"]).alias("row"))
    refused = pl.concat([checked.refused, more]).sort("row", maintain_order=True)
    return replace(checked, lines=checked.lines.filter(good), rows=checked.rows.filter(good), refused=refused)
