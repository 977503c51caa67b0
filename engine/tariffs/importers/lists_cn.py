"""Lists of China's retaliatory duties on US goods, at the 6 digits common to both schedules."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.importers.codes import SUBHEADING_DIGITS, Universe
from tariffs.importers.listing import Lists, plain

# By list name: the column of the source with the duty of a notice, its percentage, and the citation.
_NOTICES = {
    "CN_ENERGY15": ("feb2025_pct", 15.0, "Tariff Commission announcement 1 of 2025"),
    "CN_MACHINERY10": ("feb2025_pct", 10.0, "Tariff Commission announcement 1 of 2025"),
    "CN_AG15": ("mar2025_pct", 15.0, "Tariff Commission announcement 2 of 2025"),
    "CN_AG10": ("mar2025_pct", 10.0, "Tariff Commission announcement 2 of 2025"),
}


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family; the source has the lines of China's schedule of 2025 by 8 digits."""
    lines = pl.read_parquet(ch99.parent / "other_direction" / "retaliation" / "china_lines_2025_03.parquet")
    return {
        name: plain(_subheadings(lines.filter(pl.col(column) == percent)), cite)
        for name, (column, percent, cite) in _NOTICES.items()
    }


def _subheadings(lines: pl.DataFrame) -> list[str]:
    return lines["cn_hs8"].str.slice(0, SUBHEADING_DIGITS).to_list()
