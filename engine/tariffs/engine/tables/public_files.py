"""Make tables of a user's own from public files: imports of the Census Bureau, and the schedule of the USITC."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.schedule.countries import countries
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.rates import AD_VALOREM, FREE, parse_rate
from tariffs.engine.schedule.usitc_export import (
    CODE_DIGITS,
    LAST_CHAPTER,
    LINE_DIGITS,
    read_export,
    read_texts,
)

Result = TypeVar("Result")
CENSUS, SCHEDULE = "census", "hts"
_DETAIL_SUFFIXES = (".txt", ".dat")
_CODE, _COUNTRY = "I_COMMODITY", "CTY_CODE"
_VALUES = {"CON_VAL_MO": "CAL_DUT_MO", "CON_VAL_YR": "CAL_DUT_YR"}
"""Columns of value with the column of duty of the same period: the month, the year to date."""
_YEAR_TO_DATE = "CON_VAL_YR"
_MONTHS = ("MONTH", "time")
_COLUMNS = ("hts", "census", "customs_value", "calculated_duty")
# Start and width, in characters, of the fields of an IMP_DETL record.
_DETAIL_FIELDS = {"hts": (0, 10), "census": (10, 4), "customs_value": (73, 15), "calculated_duty": (103, 15)}


@dataclass(frozen=True, slots=True)
class PublicTable:
    """Table made from public files; `notes` say what was left out, and why."""

    frame: pl.DataFrame
    notes: tuple[str, ...]


def import_public(kind: str, paths: Sequence[str | Path]) -> PublicTable:
    """Read public files as a table of the user's own.

    Args:
        kind: `census`: monthly or yearly imports for consumption, as `hts, origin, customs_value, calculated_duty`;
            files of several months are summed. `hts`: an export of the schedule, as `hts, general, column2, unit_1,
            unit_2, ordinary_rate, text`, the rate a fraction, null for rates that value alone does not give, the text
            after those of the lines above it.

    Raises:
        InputError: REQUEST_INVALID or TABLE_UNREADABLE.
    """
    makers: Mapping[str, Callable[[Sequence[Path]], PublicTable]] = {
        CENSUS: _census,
        SCHEDULE: _schedule,
    }
    if kind not in makers:
        raise InputError(
            "REQUEST_INVALID", f"There are no public files of kind {kind!r}.", field="kind",
            fix=f"Give one of {', '.join(makers)}.",
        )  # fmt: skip
    return makers[kind]([Path(path) for path in paths])


def _census(paths: Sequence[Path]) -> PublicTable:
    frame = pl.concat([_readable(path, _read_census) for path in paths])
    code, value = pl.col("hts"), pl.col("customs_value")
    reasons = {
        "rows of codes of fewer than 10 digits, which sum others": code.str.len_chars() != CODE_DIGITS,
        "goods of chapters 98 and 99": code.str.slice(0, 2) > LAST_CHAPTER,
        "rows of groups of countries or unknown countries": ~pl.col("census").is_in(list(_origins())),
    }
    notes = []
    for text, left_out in reasons.items():
        rows = frame.filter(left_out)
        if rows.height:
            notes.append(f"Left out: {text} ({rows.height:,}), {rows['customs_value'].sum():,.0f} USD.")
            frame = frame.filter(~left_out)
    unknown = sorted(one for one in frame["hts"].unique() if not load_schedule().accepts(one))
    if unknown:
        worth = frame.filter(code.is_in(unknown))["customs_value"].sum()
        notes.append(
            f"{len(unknown):,} codes that no embedded schedule has, {worth:,.0f} USD: a run refuses them, such as "
            f"{unknown[0]}."
        )
    table = (
        frame.with_columns(pl.col("census").replace_strict(_origins()).alias("origin"))
        .group_by("hts", "origin")
        .agg(value.sum(), pl.col("calculated_duty").sum())
        .sort("hts", "origin")
    )
    if not table.height:
        raise _unreadable(paths[0], "it has no imports by 10-digit code and country")
    return PublicTable(table, tuple(notes))


def _read_census(path: Path) -> pl.DataFrame:
    kind = path.suffix.lower()
    if kind == ".zip":
        return _from_zip(path)
    if kind in _DETAIL_SUFFIXES:
        return _read_detail(path)
    if kind == ".json":
        header, *rows = json.loads(path.read_text(encoding="utf-8"))
        named = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    else:
        named = pl.read_csv(path, infer_schema=False)
    fields = _fields(named, path)
    return shaped(named.select(list(fields)).rename(fields))


def _read_detail(path: Path) -> pl.DataFrame:
    """Read the fixed-width monthly detail file; rows of one code and origin (districts, programs) are summed."""
    lines = pl.Series("line", path.read_text(encoding="latin-1").splitlines())
    frame = pl.DataFrame([lines]).select(
        pl.col("line").str.slice(start, width).str.strip_chars().alias(name)
        for name, (start, width) in _DETAIL_FIELDS.items()
    )
    return shaped(frame)


def shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Bring a frame of imports to one form, summed by code and country.

    Columns: `hts` (10 digits), `census` (Census country code), `customs_value` (US dollars), `calculated_duty` (US
    dollars, null where not published).
    """
    for name in _COLUMNS:
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias(name))
    numbers = [pl.col(name).cast(pl.Float64) for name in ("customs_value", "calculated_duty")]
    frame = frame.with_columns(pl.col("hts").str.replace_all(".", "", literal=True), *numbers).select(
        _COLUMNS
    )
    known = pl.col("calculated_duty").is_not_null().any()
    duty = pl.when(known).then(pl.col("calculated_duty").sum()).alias("calculated_duty")
    return frame.group_by("hts", "census").agg(pl.col("customs_value").sum(), duty).sort("hts", "census")


def _from_zip(path: Path) -> pl.DataFrame:
    """Read the detail file of the archive that the Census Bureau publishes for a month."""
    with zipfile.ZipFile(path) as archive, TemporaryDirectory() as folder:
        names = [name for name in archive.namelist() if Path(name).name.upper() == "IMP_DETL.TXT"]
        if not names:
            raise _unreadable(path, "it has no file IMP_DETL.TXT")
        return _read_detail(Path(archive.extract(names[0], folder)))


def _fields(rows: pl.DataFrame, path: Path) -> dict[str, str]:
    """Columns of an interface answer by the name that they take; the month's value before that of the year to date."""
    value = next((name for name in _VALUES if name in rows.columns), None)
    if value is None or _CODE not in rows.columns or _COUNTRY not in rows.columns:
        raise _unreadable(path, f"it lacks {_CODE}, {_COUNTRY} or one of {', '.join(_VALUES)}")
    months = next((rows[name].n_unique() for name in _MONTHS if name in rows.columns), 1)
    if value == _YEAR_TO_DATE and months > 1:
        raise _unreadable(
            path, f"it has {_YEAR_TO_DATE} of {months} months, each of which has those before it"
        )
    duty = _VALUES[value]
    fields = {_CODE: "hts", _COUNTRY: "census", value: "customs_value"}
    return fields | ({duty: "calculated_duty"} if duty in rows.columns else {})


def _schedule(paths: Sequence[Path]) -> PublicTable:
    if len(paths) != 1:
        raise InputError(
            "REQUEST_INVALID", f"{len(paths)} exports of the schedule were given.", field="paths",
            fix="Give one edition at a time.",
        )  # fmt: skip
    tables = _readable(paths[0], lambda path: read_export(path, ""))
    if not tables.lines.height:
        raise _unreadable(paths[0], "it has no lines of 8 digits")
    lines = tables.lines.select("hts8", "general", pl.col("other").alias("column2"))
    codes = tables.codes.select(
        "code", "unit_1", "unit_2", pl.col("code").str.slice(0, LINE_DIGITS).alias("hts8")
    )
    whole = lines.join(codes, on="hts8", how="anti").select(
        pl.col("hts8").alias("hts"), "general", "column2", unit_1=pl.lit(""), unit_2=pl.lit("")
    )
    coded = codes.join(lines, on="hts8").select(
        pl.col("code").alias("hts"), "general", "column2", "unit_1", "unit_2"
    )
    table = pl.concat([coded, whole]).sort("hts")
    rates = {text: _share(text) for text in table["general"].unique()}
    table = table.with_columns(
        pl.col("general").replace_strict(rates, return_dtype=pl.Float64).alias("ordinary_rate"),
        pl.col("hts").replace_strict(read_texts(paths[0]), default="", return_dtype=pl.String).alias("text"),
    )
    stated = table["ordinary_rate"].count()
    new = sorted(code for code in table["hts"] if not load_schedule().accepts(code))
    notes = [f"{stated:,} of {table.height:,} codes have an ordinary rate that value alone gives."]
    if new:
        notes.append(f"{len(new):,} codes that no embedded schedule has, such as {new[0]}.")
    return PublicTable(table, tuple(notes))


def _share(text: str) -> float | None:
    """Rate as a fraction; None unless value alone gives it."""
    rate = parse_rate(text)
    return float(rate.ad_valorem) if rate.kind in {FREE, AD_VALOREM} else None


def _readable(path: Path, read: Callable[[Path], Result]) -> Result:
    """Read a file; whatever its format lacks is the error TABLE_UNREADABLE."""
    try:
        return read(path)
    except InputError:
        raise
    except KeyError as error:
        raise _unreadable(path, f"it lacks the column {error}") from error
    except OSError as error:
        raise _unreadable(path, (error.strerror or type(error).__name__).lower()) from error
    except (ValueError, TypeError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        first = str(error).strip().splitlines()[:1]
        raise _unreadable(path, first[0].rstrip(".") if first else type(error).__name__) from error


@cache
def _origins() -> dict[str, str]:
    """ISO codes of countries by their Census codes."""
    rows = countries().select("iso2", "census").explode("census").iter_rows()
    return {census: iso2 for iso2, census in rows}


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        "TABLE_UNREADABLE",
        f"{path} cannot be read: {why}.",
        field="paths",
        fix="Give a file as the Census Bureau or the USITC publishes it; see docs/tables.md.",
        metadata={"path": str(path)},
    )
