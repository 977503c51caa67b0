"""Lists of goods that may not be imported, one per measure and per scope of its annex."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import Universe
from tariffs.importers.listing import ListRow, Lists, digits
from tariffs.importers.output import read_csv_text

_SOURCE = Path("update_2026_10", "s338_prohibited.csv")
# By the source's measure and scope. The measure carries the start, so that scenarios can move it; codes are undated.
_LISTS = {
    ("s338_ca_alcohol", "any container"): "S338_ALCOHOL_BAN",
    ("s338_ca_alcohol", "packaged for direct consumption"): "S338_ALCOHOL_BAN_PACKAGED",
    ("s338_ca_dairy", ""): "S338_DAIRY_BAN",
    ("s338_ca_vehicles", ""): "S338_VEHICLES_BAN",
}


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family."""
    lists: Lists = {name: [] for name in _LISTS.values()}
    for row in read_csv_text(ch99 / _SOURCE):
        name = _LISTS[row["measure"], row["scope"]]
        lists[name].append(ListRow(digits(row["code"]), scope=row["scope"], cite=row["source"]))
    return {name: sorted(rows) for name, rows in lists.items()}
