"""Lists of China's answers to the duties of the United States, at the 6 digits both schedules share."""

from __future__ import annotations

import csv
from pathlib import Path

from tariffs.engine.trade.importers.codes import Universe
from tariffs.engine.trade.importers.listing import Lists, plain

# By list name: the source file and the citation.
_FILES = {
    "CN_AG15": "china-15-percent-030425.csv",
    "CN_AG10": "china-10-percent-030425.csv",
}
_CITE = "Tariff Commission announcement 2 of 2025"
_CODE_COLUMN = 1
_LINE_DIGITS, _SHARED_DIGITS = 8, 6


def read(ch99: Path, universe: Universe) -> Lists:
    """Every list of this family; the source writes codes of China's own schedule, without leading zeros."""
    folder = ch99 / "tradewartracker"
    return {name: plain(_subheadings(folder / file), _CITE) for name, file in _FILES.items()}


def _subheadings(path: Path) -> set[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        codes = [row[_CODE_COLUMN].strip().zfill(_LINE_DIGITS) for row in csv.reader(file) if row]
    return {code[:_SHARED_DIGITS] for code in codes}
