"""Check a trade table: parse its contract columns, list bad rows as data, compute its digest.

A row that cannot be read is refused with the value found and a fix; it never fails the table and is never dropped
silently. Only a table that cannot be read at all raises.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from tariffs.engine.base.amounts import LARGEST_FLOAT
from tariffs.engine.law.values import RATE_FORM
from tariffs.engine.schedule.country_names import FIX as ORIGIN_FIX
from tariffs.engine.tables.columns import PLAIN, RATE_COLUMN, ROW_FAULT, Claims, contract_types, others
from tariffs.engine.tables.fingerprint import digest_of_frames
from tariffs.engine.tables.read_columns import (
    Problems,
    by_distinct,
    instants_of,
    note_commas,
    number_of,
    read_claim_code,
    read_code,
    read_mode,
    read_origin,
    read_truth,
    read_unit,
    share_of,
    sums_above_one,
    text_of,
)
from tariffs.engine.tables.sources import near_misses, read_source

REFUSED_SCHEMA = {
    "row": pl.Int64,
    "column": pl.String,
    "reason": pl.String,
    "found": pl.String,
    "message": pl.String,
}
_AMOUNT = "a number of at least 0 and below 10^15"
NOTE_SCHEMA = {"row": pl.Int64, "reason": pl.String, "message": pl.String}
Read = dict[str, pl.Series]


@dataclass(frozen=True)
class TableRules:
    """Rules for checking a table.

    Attributes:
        claims: claims of the law by name; a column of that name is read as that claim.
        first: first instant that the law covers (aware).
        last: instant at which its coverage ends.
        zone: time zone of days and of instants without an offset.
        is_code: tests whether a schedule has a code of 4 to 10 digits.
        nearest: the codes most similar to one that does not exist.
        date_format: format of date columns, one of `dates.FORMATS`; empty if each column implies it.
        refused_origins: origins whose goods are not imported, with the reason.
        lines: lines of other schedules, of another number of digits.
    """

    claims: Claims
    first: datetime
    last: datetime
    zone: ZoneInfo
    is_code: Callable[[str], bool]
    nearest: Callable[[str], list[str]]
    date_format: str = ""
    refused_origins: Mapping[str, str] = field(default_factory=dict)
    lines: Container[str] = ()


@dataclass(frozen=True)
class TablePart:
    """Rows of a table that is computed in parts, and the entry dates of all its rows, as they are written.

    The horizon path counts ages to the last entry date of a table, so that each part needs those of the others.
    """

    rows: pl.DataFrame
    entry_dates: pl.Series


Unprepared = pl.DataFrame | pl.LazyFrame | str | Path | TablePart


@dataclass(frozen=True)
class CheckedTable:
    """Table after its check.

    Attributes:
        lines: usable rows: contract columns in fixed order and type, then those of the caller unchanged. Instants are
            UTC, shares fractions, units symbols; optional columns that were absent stay absent.
        rows: for each line, its row in the source, from 0.
        refused: one entry per problem: row, column, reason, found, message.
        notes: repairs and other notes: row (null for the whole table), reason, message.
        digest: SHA-256 of the canonical form of all rows, refused ones with the values found.
        dates_elsewhere: instants of the entry dates of the other parts of the table.
    """

    lines: pl.DataFrame
    rows: pl.Series
    refused: pl.DataFrame
    notes: pl.DataFrame
    digest: str
    dates_elsewhere: tuple[datetime, ...] = ()

    @property
    def refused_count(self) -> int:
        """Number of refused rows; a row may have several problems."""
        return self.refused["row"].n_unique()


def check_table(source: Unprepared, rules: TableRules) -> CheckedTable:
    """Read and check a trade table.

    Args:
        source: a frame, the path of a CSV (read all as text), Parquet or Arrow IPC file, or a part of a table.

    Raises:
        InputError: TABLE_UNREADABLE, TABLE_EMPTY, COLUMN_MISSING or COLUMN_TYPE_MISMATCH.
    """
    if isinstance(source, TablePart):
        moments, outside = _entry_dates(source.entry_dates, rules, Problems())
        dates = moments.filter(~outside).drop_nulls().unique().sort()
        return replace(check_table(source.rows, rules), dates_elsewhere=tuple(dates))
    types = contract_types(rules.claims)
    frame = read_source(source, types)
    faults = text_of(frame[ROW_FAULT]) if ROW_FAULT in frame.columns else None
    frame = frame.drop(ROW_FAULT, strict=False)
    problems = Problems()
    read: Read = {}
    _read_goods(frame, rules, read, problems)
    _read_amounts(frame, read, problems)
    _read_dates(frame, rules, read, problems)
    _read_words(frame, read, problems)
    _read_claims(frame, rules, read, problems)
    _check_sums(frame, rules.claims, read, problems)
    extra = others(frame.columns, rules.claims)
    for message in near_misses(extra, list(types)):
        problems.remark("COLUMN_UNREAD", message)
    contract = [read[name].cast(dtype) for name, dtype in types.items() if name in read]
    if faults is not None:
        problems.refuse_whole(faults)
    return _sort_out(pl.DataFrame([*contract, *(frame[name] for name in extra)]), problems)


def _sort_out(lines: pl.DataFrame, problems: Problems) -> CheckedTable:
    rows = pl.select(pl.int_range(lines.height, dtype=pl.Int64).alias("row")).to_series()
    refused = pl.concat([pl.DataFrame(schema=REFUSED_SCHEMA), *problems.refused]).sort(
        "row", maintain_order=True
    )
    notes = pl.concat([pl.DataFrame(schema=NOTE_SCHEMA), *problems.notes]).sort("row", maintain_order=True)
    digest = digest_of_frames(lines, refused)
    if refused.height:
        good = ~rows.is_in(refused["row"].unique().implode())
        lines, rows = lines.filter(good), rows.filter(good)
    return CheckedTable(lines, rows, refused, notes, digest)


def _read_goods(frame: pl.DataFrame, rules: TableRules, read: Read, problems: Problems) -> None:
    is_code = cache(rules.is_code)
    code = partial(read_code, known=is_code, nearest=rules.nearest, lines=rules.lines)
    read["hts"] = by_distinct(frame["hts"], code, pl.String(), problems)
    read["origin"] = by_distinct(
        frame["origin"], partial(read_origin, refused=rules.refused_origins), pl.String(), problems
    )
    for name, reason, fix in (
        ("hts", "HTS_CODE_MALFORMED", ". Give an HTS code of 4 to 10 digits."),
        ("origin", "ORIGIN_UNKNOWN", f". {ORIGIN_FIX}"),
    ):
        problems.refuse(frame[name], text_of(frame[name]).is_null(), reason, fix)
    for name in ("line_id", "entry_id"):
        if name in frame.columns:
            read[name] = text_of(frame[name])


def _read_amounts(frame: pl.DataFrame, read: Read, problems: Problems) -> None:
    for name, reason, fix in (
        ("customs_value", "CUSTOMS_VALUE_INVALID", f". Give US dollars, {_AMOUNT}."),
        ("quantity", "QUANTITY_INVALID", f". Give {_AMOUNT}, or nothing."),
        ("freight", "CHARGE_INVALID", f". Give US dollars, {_AMOUNT}, or nothing."),
        ("insurance", "CHARGE_INVALID", f". Give US dollars, {_AMOUNT}, or nothing."),
    ):
        if name in frame.columns:
            required = name == "customs_value"
            read[name] = _amounts(frame[name], (reason, fix), problems, required=required)
    if RATE_COLUMN in frame.columns:
        values = share_of(frame[RATE_COLUMN])
        bad = ~(values.is_finite() & (values >= 0) & (values < 1)).fill_null(value=True)
        problems.refuse(frame[RATE_COLUMN], bad, "PARAMETER_INVALID", f". {RATE_FORM}")
        read[RATE_COLUMN] = values


def _read_dates(frame: pl.DataFrame, rules: TableRules, read: Read, problems: Problems) -> None:
    if "entry_date" not in frame.columns:
        return
    given = frame["entry_date"]
    read["entry_date"], outside = _entry_dates(given, rules, problems)
    span = f"{rules.first.astimezone(rules.zone):%Y-%m-%d} up to {rules.last.astimezone(rules.zone):%Y-%m-%d}"
    problems.refuse(given, outside, "ENTRY_DATE_OUT_OF_COVERAGE", f". The law data covers {span}.")


def _entry_dates(given: pl.Series, rules: TableRules, problems: Problems) -> tuple[pl.Series, pl.Series]:
    """Read the instants of entry dates (UTC), and mark those that the law does not cover."""
    moments = instants_of(given, rules.zone, "ENTRY_DATE_INVALID", problems, rules.date_format)
    outside = (moments < rules.first.astimezone(UTC)) | (moments >= rules.last.astimezone(UTC))
    return moments, outside.fill_null(value=False)


def _read_words(frame: pl.DataFrame, read: Read, problems: Problems) -> None:
    for name, reader in (("unit", read_unit), ("mode", read_mode)):
        if name in frame.columns:
            read[name] = by_distinct(frame[name], reader, pl.String(), problems)


def _read_claims(frame: pl.DataFrame, rules: TableRules, read: Read, problems: Problems) -> None:
    for name in sorted(rules.claims.keys() & set(frame.columns) - PLAIN.keys()):
        given, kind = frame[name], rules.claims[name].type
        if kind in {"share", "content"}:
            fault = ("CLAIM_INVALID", ". Give a share between 0 and 1.")
            values = _bounded(given, share_of(given), fault, problems, most=1.0)
        elif kind == "number":
            values = _amounts(given, ("CLAIM_INVALID", f". Give {_AMOUNT}."), problems)
        elif kind == "date":
            values = instants_of(given, rules.zone, "CLAIM_INVALID", problems, rules.date_format)
        elif kind == "bool":
            values = by_distinct(given, read_truth, pl.Boolean(), problems)
        else:
            values = by_distinct(given, read_claim_code, pl.String(), problems)
        read[name] = values


def _amounts(
    source: pl.Series, fault: tuple[str, str], problems: Problems, *, required: bool = False
) -> pl.Series:
    """Read numbers from 0 up to what entry lines take too; refuse others, and nulls if `required`."""
    values = number_of(source)
    note_commas(source, values, problems)
    return _bounded(source, values, fault, problems, most=LARGEST_FLOAT, required=required)


def _bounded(
    source: pl.Series,
    values: pl.Series,
    fault: tuple[str, str],
    problems: Problems,
    *,
    most: float,
    required: bool = False,
) -> pl.Series:
    """Refuse the values that are not finite or not from 0 to `most`, and nulls if `required`; the values."""
    bad = ~(values.is_finite() & (values >= 0) & (values <= most))
    problems.refuse(source, bad.fill_null(value=required), *fault)
    return values


def _check_sums(frame: pl.DataFrame, claims: Claims, read: Read, problems: Problems) -> None:
    partitions: dict[str, list[str]] = {}
    for name in sorted(claims.keys() & read.keys()):
        if claims[name].type in {"share", "content"} and claims[name].partition:
            partitions.setdefault(claims[name].partition, []).append(name)
    for names in partitions.values():
        if len(names) > 1:
            content = claims[names[0]].type == "content"
            problems.refuse(
                frame[names[0]],
                sums_above_one(read, names),
                "CONTENT_SHARES_EXCEED_ONE" if content else "PREFERENCE_SHARES_EXCEED_ONE",
                f", and with {', '.join(names[1:])} more than 1. Give shares that sum to at most 1.",
            )
