"""Parse the columns of a trade table into their contract form and refuse cells that cannot be parsed.

Text is parsed once per distinct value and joined back, so that messages can be complete and a large table costs only
its distinct values; numbers are parsed as whole columns.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from datetime import datetime, time
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from tariffs.engine.base.amounts import LONE_COMMA, NUMBER, NUMBER_MARKS, SHARE, WORDS, comma_note
from tariffs.engine.errors import InputError
from tariffs.engine.law.values import read_yes
from tariffs.engine.schedule.codes import parse_code
from tariffs.engine.schedule.country_names import read_country
from tariffs.engine.schedule.lines import LINE_DIGITS
from tariffs.engine.schedule.transport import MODES, find_mode
from tariffs.engine.schedule.units import find_unit
from tariffs.engine.tables.calendar import off_calendar
from tariffs.engine.tables.columns import instant_type
from tariffs.engine.tables.dates import FIX, DateError, format_of, read_moment

_ROUNDING = 1e-9
_SETTLED = r",[0-9]{3}[.,]"
"""A comma before three digits and a point or another comma: it stands before thousands."""


class CellReading(NamedTuple):
    """Result of parsing one distinct text: a value, or a reason and message; `note` reports a repair."""

    value: str | datetime | bool | None = None
    reason: str | None = None
    message: str | None = None
    note: str | None = None
    note_reason: str = ""


class Problems:
    """Refusals and notes collected for one table."""

    def __init__(self) -> None:
        self.refused: list[pl.DataFrame] = []
        self.notes: list[pl.DataFrame] = []

    def refuse(
        self, source: pl.Series, bad: pl.Series, reason: str | pl.Series, message: str | pl.Series
    ) -> None:
        """Refuse the rows where `bad` is true; a text `message` follows the value found."""
        if not bad.any():
            return
        found = source.filter(bad).cast(pl.String, strict=False).alias("found")
        rows = bad.arg_true()
        if isinstance(message, str):
            text: pl.Expr = pl.concat_str(
                pl.lit(f"{source.name} is "), pl.col("found").fill_null("missing"), pl.lit(message)
            )
        else:
            text = pl.lit(message.filter(bad))
        why = pl.lit(reason) if isinstance(reason, str) else pl.lit(reason.filter(bad))
        frame = pl.DataFrame({"row": rows.cast(pl.Int64), "found": found})
        self.refused.append(
            frame.select(
                "row",
                pl.lit(source.name).alias("column"),
                why.alias("reason"),
                pl.col("found").fill_null(""),
                text.alias("message"),
            )
        )

    def refuse_whole(self, faults: pl.Series) -> None:
        """Refuse the rows that could not be read at all, with the reasons in `faults`; drops their other refusals."""
        rows = pl.DataFrame({"row": faults.is_not_null().arg_true().cast(pl.Int64)})
        if not rows.height:
            return
        self.refused = [
            frame.join(rows, on="row", how="anti", maintain_order="left") for frame in self.refused
        ]
        self.refused.append(
            rows.select(
                "row",
                pl.lit("").alias("column"),
                pl.lit("ROW_UNREADABLE").alias("reason"),
                pl.lit("").alias("found"),
                faults.drop_nulls().alias("message"),
            )
        )

    def note(self, rows: pl.Series, reason: str | pl.Series, messages: pl.Series) -> None:
        """Add a note on some rows."""
        if len(rows):
            why = reason if isinstance(reason, pl.Series) else pl.Series([reason] * len(rows))
            self.notes.append(pl.DataFrame({"row": rows.cast(pl.Int64), "reason": why, "message": messages}))

    def remark(self, reason: str, message: str) -> None:
        """Add a note on the whole table."""
        self.notes.append(
            pl.DataFrame(
                {"row": [None], "reason": [reason], "message": [message]}, schema_overrides={"row": pl.Int64}
            )
        )


def text_of(values: pl.Series) -> pl.Series:
    """Convert a column to stripped text, null where empty; whole floats lose their fraction.

    Raises:
        InputError: COLUMN_TYPE_MISMATCH for lists, structs, bytes and objects.
    """
    dtype = values.dtype
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        raise _mismatch(values, "text or numbers")
    if dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        exact = (whole.cast(dtype) == values).fill_null(value=False)
        return whole.cast(pl.String).zip_with(exact, values.cast(pl.String))
    if dtype != pl.String:
        return values.cast(pl.String)
    stripped = values.str.strip_chars()
    return stripped.set(stripped.str.len_bytes() == 0, None)


def number_of(values: pl.Series) -> pl.Series:
    """Parse a column as float64; NaN where the text is no number.

    Raises:
        InputError: COLUMN_TYPE_MISMATCH for anything but numbers, text and yes or no.
    """
    if values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null):
        return values.cast(pl.Float64)
    if values.dtype.is_temporal():
        raise _mismatch(values, "numbers")
    text = text_of(values)
    read = text.cast(pl.Float64, strict=False)
    if read.null_count() > text.null_count():
        read = _matching(text, NUMBER, NUMBER_MARKS)
    return read.alias(values.name)


def note_commas(values: pl.Series, read: pl.Series, problems: Problems) -> None:
    """Note numbers whose comma could be meant as a decimal one, unless others of the column show what it is."""
    if values.dtype != pl.String:
        return
    text = text_of(values)
    lone = (text.str.contains(LONE_COMMA) & read.is_finite()).fill_null(value=False)
    if lone.any() and not text.str.contains(_SETTLED).any():
        notes = [comma_note(values.name, one) for one in text.filter(lone)]
        problems.note(lone.arg_true(), "COMMA_READ", pl.Series(notes))


def share_of(values: pl.Series) -> pl.Series:
    """Parse a column as shares: numbers, percentages (`25%`), yes or no; NaN for other text."""
    if values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null):
        return values.cast(pl.Float64)
    if values.dtype.is_temporal():
        raise _mismatch(values, "shares between 0 and 1")
    text = text_of(values)
    read = _matching(text.str.to_lowercase().replace(WORDS), SHARE, r" ?%$")
    percent = text.str.ends_with("%").fill_null(value=False)
    return (read / 100).zip_with(percent, read).alias(values.name)


def _matching(text: pl.Series, form: str, dropped: str) -> pl.Series:
    """Parse texts of a form as numbers, after removing `dropped`; NaN for other texts, null for nulls."""
    number = text.str.replace_all(dropped, "").cast(pl.Float64, strict=False)
    fits = text.str.contains(form)
    return pl.select(
        pl.when(pl.lit(fits)).then(pl.lit(number)).when(pl.lit(text).is_not_null()).then(float("nan"))
    ).to_series()


def _mismatch(values: pl.Series, wanted: str) -> InputError:
    return InputError(
        "COLUMN_TYPE_MISMATCH",
        f"The column {values.name!r} is of type {values.dtype}.",
        field=values.name,
        fix=f"Give {wanted}.",
        metadata={"column": values.name, "expected": wanted, "found": str(values.dtype)},
    )


def by_distinct(
    values: pl.Series, read: Callable[[str], CellReading], dtype: pl.DataType, problems: Problems
) -> pl.Series:
    """Parse a column of text once per distinct value; refuse cells that cannot be parsed."""
    text = text_of(values)
    distinct = text.drop_nulls().unique()
    readings = [read(value) for value in distinct]
    results = pl.DataFrame(
        {
            "text": distinct,
            "value": pl.Series([r.value for r in readings], dtype=dtype),
            "reason": pl.Series([r.reason for r in readings], dtype=pl.String),
            "message": pl.Series([r.message for r in readings], dtype=pl.String),
            "note": pl.Series([r.note for r in readings], dtype=pl.String),
            "note_reason": pl.Series([r.note_reason for r in readings], dtype=pl.String),
        }
    )
    joined = pl.DataFrame({"text": text}).join(results, on="text", how="left", maintain_order="left")
    if results["reason"].null_count() < results.height:
        problems.refuse(values, joined["reason"].is_not_null(), joined["reason"], joined["message"])
    if results["note"].null_count() < results.height:
        noted = joined["note"].is_not_null()
        problems.note(noted.arg_true(), joined["note_reason"].filter(noted), joined["note"].filter(noted))
    return joined["value"].alias(values.name)


def read_code(
    text: str, known: Callable[[str], bool], nearest: Callable[[str], list[str]], lines: Container[str] = ()
) -> CellReading:
    """Parse an HTS code, or one of the lines of other schedules."""
    try:
        code, note = parse_code(text, known, lines)
    except InputError as error:
        return CellReading(None, error.reason, str(error))
    if not known(code):
        near = ", ".join(nearest(code))
        return CellReading(
            None,
            "HTS_CODE_UNKNOWN",
            f"The schedule has no code {code}." + (f" Nearest codes: {near}." if near else ""),
        )
    return CellReading(code, note=note or None, note_reason="HTS_CODE_REPAIRED")


def read_origin(text: str, refused: Mapping[str, str]) -> CellReading:
    """Parse an origin: its code in either letter case, or its name; `refused` are origins without imports, with why."""
    try:
        code, note = read_country(text)
    except InputError as error:
        return CellReading(None, error.reason, str(error))
    if code in refused:
        return CellReading(None, "ORIGIN_NOT_FOREIGN", f"{refused[code]} Leave the line out.")
    return CellReading(code, note=note or None, note_reason="ORIGIN_NAMED")


def read_instant(text: str, zone: ZoneInfo, date_format: str, reason: str) -> CellReading:
    """Parse a day (its noon in `zone`) or an instant."""
    try:
        moment = read_moment(text, zone, date_format)
    except DateError as error:
        return CellReading(None, reason, f"{error}. {error.fix}")
    return CellReading(moment.instant, note=moment.note or None, note_reason=moment.reason)


def read_unit(text: str) -> CellReading:
    """Parse a unit as its symbol."""
    unit = find_unit(text)
    if unit:
        return CellReading(unit.symbol)
    return CellReading(
        None, "UNIT_UNKNOWN", f"{text!r} is not a unit. Give a symbol such as kg, L, m2, no or doz."
    )


def read_mode(text: str) -> CellReading:
    """Parse a mode of transport."""
    mode = find_mode(text)
    if mode:
        return CellReading(mode)
    return CellReading(
        None, "CLAIM_INVALID", f"{text!r} is not a mode of transport. Give {', '.join(MODES)}, or nothing."
    )


def read_truth(text: str) -> CellReading:
    """Parse yes or no."""
    try:
        return CellReading(read_yes(text))
    except ValueError as error:
        return CellReading(None, "CLAIM_INVALID", f"{error}.")


def read_claim_code(text: str) -> CellReading:
    """Parse a claim that is a code: letters in upper case, an HTS code without dots and statistical suffix."""
    bare = text.replace(".", "")
    return CellReading(bare[:LINE_DIGITS] if bare.isdigit() else text.upper())


def instants_of(
    values: pl.Series, zone: ZoneInfo, reason: str, problems: Problems, date_format: str = ""
) -> pl.Series:
    """Parse a column of days or instants as UTC; a day, and a midnight without an offset, means its noon in `zone`.

    Days written with their year last are in the order of `date_format`, else in the order that the column implies.
    """
    dtype = values.dtype
    if dtype == pl.Null:
        return values.cast(instant_type())
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        values = _without_bad_days(values, reason, problems)
    if dtype == pl.Date:
        return _to_utc(_noons(values), zone)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone:
            return values.dt.convert_time_zone("UTC").cast(instant_type())
        return _naive_instants(values, zone, reason, problems)
    if dtype == pl.Boolean:
        raise _mismatch(values, "days or instants")
    shown = date_format or format_of(text_of(values).drop_nulls().unique())
    read = partial(read_instant, zone=zone, date_format=shown, reason=reason)
    return by_distinct(values, read, instant_type(), problems)


def _naive_instants(values: pl.Series, zone: ZoneInfo, reason: str, problems: Problems) -> pl.Series:
    """Convert instants without an offset: midnights are days, others are local times of `zone`."""
    midnight = (values.dt.time() == time(0)).fill_null(value=False)
    days = values.filter(midnight).dt.date().cast(pl.String)
    messages = f"{values.name}: " + days + " without a time of day was read as its noon."
    problems.note(midnight.arg_true(), "DAYS_READ_AS_NOON", messages)
    read = _to_utc(_noons(values.dt.date()).zip_with(midnight, values.cast(pl.Datetime("us"))), zone)
    missing = read.is_null() & values.is_not_null()
    problems.refuse(values, missing, reason, f", a local time that does not exist in {zone}. {FIX}")
    return read


def _noons(days: pl.Series) -> pl.Series:
    return pl.select(days.cast(pl.Datetime("us")) + pl.duration(hours=12)).to_series().alias(days.name)


def _to_utc(moments: pl.Series, zone: ZoneInfo) -> pl.Series:
    local = moments.dt.replace_time_zone(str(zone), ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC").cast(instant_type())


def _without_bad_days(values: pl.Series, reason: str, problems: Problems) -> pl.Series:
    """Refuse the rows with days outside the years 1 to 9999, and set these to null."""
    beyond = off_calendar(values)
    if not beyond.any():
        return values
    # Shown as numbers: Polars cannot format them.
    shown = values.to_physical().alias(values.name)
    problems.refuse(shown, beyond, reason, ", which is no day of the years 1 to 9999. Write 2025-11-10.")
    return values.set(beyond, None)


def sums_above_one(read: Mapping[str, pl.Series], names: list[str]) -> pl.Series:
    """Mark the rows whose shares of `names` sum to more than 1."""
    total = pl.DataFrame([read[name].fill_null(0.0) for name in names]).sum_horizontal()
    return total > 1 + _ROUNDING
