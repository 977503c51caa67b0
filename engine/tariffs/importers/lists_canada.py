"""Lists of the section 338 duties on Canada: as first proclaimed, and as amended from 2026-09-15."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import Universe
from tariffs.importers.listing import ListRow, Lists, column, plain, with_renamed
from tariffs.importers.output import read_csv_text

_AMENDED = "2026-09-15"
_DATED = {"s338_alcohol": "S338_ALCOHOL", "s338_dairy": "S338_DAIRY", "s338_vehicles": "S338_VEHICLES"}
_AIRCRAFT = "canada-338-aircraft-exempt.csv"


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family.

    An amended list is a list of its own, without days: the amendment was published before it held, and only a period
    of the measure can be known from a day.
    """
    lists: Lists = {}
    for file, name in _DATED.items():
        rows = read_csv_text(ch99 / "update_2026_10" / f"{file}.csv")
        first = [row for row in rows if row["from"] != _AMENDED]
        lists[name] = _listed(first)
        if len(first) < len(rows):
            lists[f"{name}_2026_09_15"] = _listed([row for row in rows if row["to"] != _AMENDED])
    aircraft = column(ch99 / "tradewartracker" / _AIRCRAFT, "HTSUS")
    lists["S338_AIRCRAFT"] = plain(aircraft, "Proc 11048; 11056; 11064; 11065")
    return {name: with_renamed(sorted(set(rows)), universe) for name, rows in lists.items()}


def _listed(rows: list[dict[str, str]]) -> list[ListRow]:
    return [ListRow(row["code"], cite=row["source"]) for row in rows]
