"""Read the tariff schedule from the exports of the USITC: lines with rates, codes with units, special rates.

Reads the JSON and the CSV export of the Harmonized Tariff Schedule, one row per line, an `indent` giving the tree. The
tables have no descriptions.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.schedule.units import units

LINE_DIGITS = 8
CODE_DIGITS = 10
# Chapters 98 and 99 hold provisions on other chapters' goods, not goods of their own.
LAST_CHAPTER = "97"

_PROGRAMS = re.compile(r"^(.*?)\s*\(([^)]*)\)")
_MARKUP = re.compile(r"<[^>]*>")
_CONTENT_UNIT = re.compile(r"^(\w+) (kg|g|t)$")


@dataclass(frozen=True)
class ScheduleTables:
    """Lines, codes and special rates of one or more vintages."""

    lines: pl.DataFrame
    codes: pl.DataFrame
    special: pl.DataFrame


def read_export(path: Path, vintage: str) -> ScheduleTables:
    """Read one vintage from an official JSON or CSV export."""
    return tables_of(read_rows(path), vintage)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read all rows of an official JSON or CSV export: `code`, `text`, the rate texts, inherited or its own, units."""
    return list(_inherit(_exported(path)))


def read_texts(path: Path) -> dict[str, str]:
    """Read the text of each code of an export, after the texts of the lines above it; digits alone are the key."""
    texts: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for row in _exported(path):
        indent = int(row.get("indent") or 0)
        while above and above[-1][0] >= indent:
            above.pop()
        own = " ".join(_MARKUP.sub(" ", str(row.get("description") or "")).split()).rstrip(":")
        above.append((indent, own))
        code = str(row.get("htsno") or "").replace(".", "")
        texts.setdefault(code, " > ".join(text for _, text in above if text))
    return texts


def _exported(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".json":
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return rows
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [_from_csv(row) for row in csv.DictReader(file)]


def stat_unit(words: str | None) -> str:
    """Find the symbol of units.csv for a statistical unit of the schedule; empty if there is none."""
    clean = (words or "").strip().split(" and ")[0]
    known, content = units().get(clean), _CONTENT_UNIT.match(clean)
    if known is not None:
        return known.symbol
    return f"{content[2]}-{content[1]}" if content else clean


def _from_csv(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "htsno": row["HTS Number"],
        "indent": row["Indent"],
        "description": row.get("Description", ""),
        "units": [u.strip(' "[]') for u in row["Unit of Quantity"].split(",") if u.strip(' "[]')],
        "general": row["General Rate of Duty"],
        "special": row["Special Rate of Duty"],
        "other": row["Column 2 Rate of Duty"],
    }


def _inherit(rows: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, str]]:
    """Inherit rates: a line without a general rate takes those of the nearest line above it."""
    stack: list[tuple[int, dict[str, str]]] = []
    for row in rows:
        indent = int(row.get("indent") or 0)
        while stack and stack[-1][0] >= indent:
            stack.pop()
        own = {key: str(row.get(key) or "").strip() for key in ("general", "special", "other")}
        above = stack[-1][1] if stack else dict.fromkeys(own, "")
        rates = own if own["general"] else above
        stack.append((indent, rates))
        units = [str(u) for u in row.get("units") or []] + ["", ""]
        code = str(row.get("htsno") or "").replace(".", "")
        text = str(row.get("description") or "")
        yield {"code": code, "text": text, **rates, "unit_1": units[0], "unit_2": units[1]}


def tables_of(rows: list[dict[str, Any]], vintage: str) -> ScheduleTables:
    """Build the tables from rows with `code`, the rate texts `general`, `special`, `other`, and `unit_1`, `unit_2`."""
    kept = [r for r in rows if len(r["code"]) in (LINE_DIGITS, CODE_DIGITS) and r["code"][:2] <= LAST_CHAPTER]
    lines: dict[str, tuple[str, str]] = {}
    special: dict[tuple[str, str], str] = {}
    codes = []
    for row in kept:
        hts8 = row["code"][:LINE_DIGITS]
        lines.setdefault(hts8, (row["general"] or "", row["other"] or ""))
        for program, rate in _programs(row["special"] or ""):
            special.setdefault((hts8, program), rate)
        if len(row["code"]) == CODE_DIGITS:
            codes.append((vintage, row["code"], stat_unit(row["unit_1"]), stat_unit(row["unit_2"])))
    by_program = pl.DataFrame(
        [(hts8, program, rate) for (hts8, program), rate in special.items()],
        schema={"hts8": pl.String, "program": pl.String, "rate": pl.String},
        orient="row",
    )
    return ScheduleTables(
        pl.DataFrame(
            [(vintage, hts8, general, other) for hts8, (general, other) in lines.items()],
            schema=dict.fromkeys(("vintage", "hts8", "general", "other"), pl.String),
            orient="row",
        ),
        pl.DataFrame(
            codes, schema=dict.fromkeys(("vintage", "code", "unit_1", "unit_2"), pl.String), orient="row"
        ),
        grouped_special(by_program, vintage),
    )


def _programs(text: str) -> Iterable[tuple[str, str]]:
    """Parse programs with their rates from a text such as `Free (A,AU) 3.2% (JP)`."""
    rest = text.strip()
    while found := _PROGRAMS.match(rest):
        for program in found[2].split(","):
            if program.strip():
                yield program.strip(), found[1].strip()
        rest = rest[found.end() :].strip()


def grouped_special(by_program: pl.DataFrame, vintage: str) -> pl.DataFrame:
    """Group the programs of a line by their rate, from rows `hts8, program, rate`."""
    return (
        by_program.group_by("hts8", "rate")
        .agg(pl.col("program").unique().sort().str.join(" ").alias("programs"))
        .select(pl.lit(vintage).alias("vintage"), "hts8", "programs", "rate")
    )
