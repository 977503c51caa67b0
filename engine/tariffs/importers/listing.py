"""Normalize product lists: one row per code with its days, scope and source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tariffs.importers.codes import CODE_DIGITS, LINE_DIGITS, Universe
from tariffs.importers.output import read_csv_text, write_csv

HEADER = ("code", "from", "to", "scope", "cite")
RENAMED = "renamed"


class ListRow(NamedTuple):
    """Code on a list; `start` and `end` are legal days (end exclusive) or empty."""

    code: str
    start: str = ""
    end: str = ""
    scope: str = ""
    cite: str = ""


Lists = dict[str, list[ListRow]]


def named(family: str) -> dict[str, tuple[str, str]]:
    """Read the lists of a family from `lists.csv`: name and citation, by the key that the source has."""
    rows = read_csv_text(Path(__file__).with_name("lists.csv"))
    return {row["key"]: (row["list"], row["cite"]) for row in rows if row["family"] == family}


def digits(code: str) -> str:
    """Strip dots and spaces from a code."""
    return code.replace(".", "").replace(" ", "").strip()


def column(path: Path, name: str) -> list[str]:
    """Read one column of a CSV file as codes."""
    return [digits(row[name]) for row in read_csv_text(path)]


def plain(codes: Iterable[str], cite: str, start: str = "", end: str = "", scope: str = "") -> list[ListRow]:
    """Make the rows of one date and source."""
    return [ListRow(code, start, end, scope, cite) for code in sorted(set(codes))]


def with_renamed(rows: list[ListRow], universe: Universe) -> list[ListRow]:
    """Add the codes that goods listed at 10 digits have in other vintages, marked as such."""
    added = []
    for start, end, cite in sorted({(row.start, row.end, row.cite) for row in rows}):
        listed = {row.code for row in rows if (row.start, row.end, row.cite) == (start, end, cite)}
        reached = {code for prefix in listed for code in universe.under(prefix)}
        others = {code for row in rows for code in universe.under(row.code)}
        extra = universe.resolve(c for c in listed if len(c) == CODE_DIGITS) - reached - listed - others
        added += plain(extra, cite, start, end, RENAMED)
    return rows + added


def at_line_level(codes: Iterable[str], universe: Universe) -> list[str]:
    """Replace 10-digit codes by their 8-digit line where every current code of the line is among them."""
    listed = set(codes)
    found = []
    for line in sorted({code[:LINE_DIGITS] for code in listed}):
        own = {code for code in listed if code.startswith(line)}
        current = {code for code in universe.under(line) if code in universe.current}
        found += [line] if line in own or (current and current <= own) else sorted(own & universe.all)
    return found


def merged(rows: Iterable[ListRow]) -> list[ListRow]:
    """Keep one row per code and end, with the earliest start."""
    best: dict[tuple[str, str], ListRow] = {}
    for row in rows:
        key = (row.code, row.end)
        if key not in best or row.start < best[key].start:
            best[key] = row
    return sorted(best.values())


def write(lists: Mapping[str, list[ListRow]], directory: Path) -> None:
    """Write each list to `<name>.csv` in lower case."""
    for name, rows in lists.items():
        write_csv(directory / f"{name.lower()}.csv", HEADER, rows)
