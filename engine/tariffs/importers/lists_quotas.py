"""Lists of goods that proclamations exempt within a quota."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import Universe
from tariffs.importers.listing import ListRow, Lists, with_renamed
from tariffs.importers.output import read_csv_text

_BEEF_CITE = "HTS U.S. note 7(c); Proc 11059"


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family."""
    rows = read_csv_text(ch99 / "update_2026_10" / "beef_trimmings_7c.csv")
    beef = [ListRow(row["code"], row["from"], row["to"], "within the quota", _BEEF_CITE) for row in rows]
    return {"BEEF_TRIMMINGS_7C": with_renamed(beef, universe)}
