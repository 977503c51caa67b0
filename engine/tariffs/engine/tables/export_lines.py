"""Convert a table of exports to line arrays: codes have 6 digits, freight and insurance are part of the base.

The table contains the imports of the importing country, from all origins. The ordinary rate comes from a column of the
table or from the law data; a row with neither is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, Bools
from tariffs.engine.errors import InputError
from tariffs.engine.law.fee_tables import SHARED_DIGITS
from tariffs.engine.law.law import EXPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.schedule.countries import is_country
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.tables.columns import RATE_COLUMN
from tariffs.engine.tables.export_rates import (
    QUOTA_CLAIM,
    TOO_COARSE,
    WITHIN_QUOTA,
    is_shared_code,
    no_rate,
    ordinary_rate,
    vat_rate,
)
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
from tariffs.engine.tables.trade_table import CheckedTable, TableRules, check_table


def prepared_for(direction: str, table: Table, law: Law, date_format: str = "") -> PreparedTable:
    """Check a table of imports or exports and convert it to arrays.

    `date_format` is the format of date columns; see `base.dates.FORMATS`.

    Raises:
        InputError: as `prepare_exports` and `prepare_table`.
    """
    prepare = prepare_exports if direction == EXPORT else prepare_table
    return prepare(table, law, date_format)


def prepare_exports(table: Table, law: Law, date_format: str = "") -> PreparedTable:
    """Check a table of exports and convert it to arrays.

    Raises:
        InputError: REQUEST_INVALID without a table; TABLE_UNREADABLE, TABLE_EMPTY, COLUMN_MISSING or
            COLUMN_TYPE_MISMATCH.
    """
    if table is None:
        raise InputError(
            "REQUEST_INVALID",
            "A table of exports must be given; none is embedded.",
            field="table",
            fix="Give a table with hts, origin and customs_value; see docs/exports.md.",
        )
    first, last = law.covered(EXPORT)
    zone = law.zones[EXPORT]
    rules = TableRules(law.claims, first, last, zone, is_shared_code, _nearest, is_country, date_format)
    checked, rates = _rated(check_table(table, rules), law)
    frame, count = checked.lines, checked.lines.height
    products, product_of_line = index_of(frame["hts"].str.slice(0, SHARED_DIGITS))
    codes, code = index_of(frame["hts"])
    origins, origin = index_of(frame["origin"])
    freight, insurance = amount_of(frame, "freight", count), amount_of(frame, "insurance", count)
    facts, taken = _facts(frame, law, rates)
    lines = LineArrays(
        codes=codes,
        origins=origins,
        origin=origin.astype(np.int32),
        value=amount_of(frame, "customs_value", count) + freight + insurance,
        freight=np.zeros(count),
        insurance=np.zeros(count),
        piece_line=np.arange(count, dtype=np.int64),
        piece_code=code.astype(np.int32),
        piece_weight=np.ones(count),
        facts=facts,
        general=rates.rate,
        other=rates.rate,
        special={QUOTA_CLAIM: rates.in_quota},
        quantities=quantities_by_unit(frame, law),
        vat=_numbers([vat_rate(law, product) for product in products])[product_of_line],
    )
    notes = (*reading_notes(checked), *taken)
    return PreparedTable(checked, lines, products, product_of_line, "", {}, notes, SHARED_DIGITS)


def _nearest(code: str) -> list[str]:
    return list(dict.fromkeys(one[:SHARED_DIGITS] for one in load_schedule().nearest(code)))


@dataclass(frozen=True, slots=True)
class _Rates:
    """Ordinary rates per line; `quota` marks lines with a tariff quota, `in_quota` is the rate within it."""

    rate: F64
    in_quota: F64
    quota: Bools


def _rated(checked: CheckedTable, law: Law) -> tuple[CheckedTable, _Rates]:
    """Keep the rows with a known ordinary rate, and refuse the others."""
    frame, problems = checked.lines, Problems()
    products, product_of_line = index_of(frame["hts"].str.slice(0, SHARED_DIGITS))
    known = [ordinary_rate(law, product) for product in products]
    rate = _numbers([one.rate if one else None for one in known])[product_of_line]
    in_quota = _numbers([one.in_quota if one else None for one in known])[product_of_line]
    given = stated_rates(frame)
    coarse = frame["hts"].str.len_chars() < SHARED_DIGITS
    problems.refuse(frame["hts"], coarse, "HTS_CODE_MALFORMED", f", not 6 digits. {TOO_COARSE}")
    unknown = pl.Series(np.isnan(rate) & np.isnan(given)) & ~coarse
    message = pl.Series([str(no_rate(hts)) for hts in frame["hts"].to_list()], dtype=pl.String)
    problems.refuse(_column(frame), unknown, pl.Series(["RATE_NOT_COMPUTABLE"] * frame.height), message)
    own = ~np.isnan(given)
    ordinary, quota = np.where(own, given, rate), ~own & ~np.isnan(in_quota)
    good = ~(coarse | unknown)
    usable = good.to_numpy()
    rates = _Rates(ordinary[usable], np.where(quota, in_quota, ordinary)[usable], quota[usable])
    return _without(checked, problems, good), rates


def _column(frame: pl.DataFrame) -> pl.Series:
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


def _facts(frame: pl.DataFrame, law: Law, rates: _Rates) -> tuple[dict[str, NDArray[Any]], tuple[Note, ...]]:
    """Declared facts of lines; goods with a tariff quota and no declared share are within it, with a note."""
    facts: dict[str, NDArray[Any]] = {}
    for claim in law.claims.values():
        declared = declared_fact(frame, claim.id, claim.type)
        if declared is not None:
            facts[claim.id] = declared
    share = facts.get(QUOTA_CLAIM, np.full(frame.height, np.nan))
    silent = rates.quota & np.isnan(share)
    if not silent.any():
        return facts, ()
    return {**facts, QUOTA_CLAIM: np.where(silent, 1.0, share)}, (Note("WITHIN_QUOTA", WITHIN_QUOTA),)


def _numbers(values: Sequence[Decimal | None]) -> F64:
    return np.array([np.nan if value is None else float(value) for value in values])
