"""Lists of goods of Russia that pay a stated rate in place of column 2, from the schedule's footnotes."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tariffs.importers.codes import LINE_DIGITS, Universe
from tariffs.importers.listing import Lists, named, plain

_HEADINGS = named("column 2")
_SCHEDULES = ("hts_2025_basic", "hts_2026_rev_10")


def read(ch99: Path, _universe: Universe) -> Lists:
    """Build every list of this family; a footnote on an 8-digit line applies to all codes under it."""
    folder = ch99.parent / "hts"
    notes = pl.concat(
        pl.read_parquet(folder / f"{name}.parquet", columns=["hts", "footnote_ch99"]) for name in _SCHEDULES
    ).filter(pl.col("footnote_ch99").is_not_null())
    found: dict[str, set[str]] = {heading: set() for heading in _HEADINGS}
    for code, headings in notes.iter_rows():
        for heading in found.keys() & set(headings.split(",")):
            found[heading].add(code[:LINE_DIGITS])
    return {name: plain(found[heading], cite) for heading, (name, cite) in _HEADINGS.items()}
