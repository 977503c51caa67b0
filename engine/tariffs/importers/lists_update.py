"""Lists of acts read in 2026: section 338 on Canada, prohibited goods, section 301 over forced labor, beef quota."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import Universe
from tariffs.importers.listing import ListRow, Lists, column, digits, plain, with_renamed
from tariffs.importers.output import read_csv_text

_FOLDER = "update_2026_10"
# Section 338: by file, as first proclaimed; amended lists are those of 2026-09-15.
_AMENDED = "2026-09-15"
_DATED = {"s338_alcohol": "S338_ALCOHOL", "s338_dairy": "S338_DAIRY", "s338_vehicles": "S338_VEHICLES"}
_AIRCRAFT = "canada-338-aircraft-exempt.csv"
# Prohibitions: by the source's measure and scope.
_PROHIBITED = {
    ("s338_ca_alcohol", "any container"): "S338_ALCOHOL_BAN",
    ("s338_ca_alcohol", "packaged for direct consumption"): "S338_ALCOHOL_BAN_PACKAGED",
    ("s338_ca_dairy", ""): "S338_DAIRY_BAN",
    ("s338_ca_vehicles", ""): "S338_VEHICLES_BAN",
}
# U.S. note 52: by the file of a subdivision its list; goods of chapter 30 for pharmaceutical use have one of their own.
_SUBDIVISIONS = {name: name.upper() for name in ("fl301_52b", "fl301_52c", "fl301_52d", "fl301_52e")}
_PHARMACEUTICAL = ("fl301_52e", "pharmaceutical use, chapter 30")
# By the scope of the goods agreed with a partner: what follows the partner's code in the name of the list.
_PARTNER_SCOPES = {"listed": "", "particular article": "_PARTICULAR", "entered under CAFTA-DR": "_CAFTA_DR"}
_BEEF_CITE = "HTS U.S. note 7(c); Proc 11059"


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family.

    Lists of a duty or prohibition carry no first day of their own: the measure does, so that a scenario that moves its
    start moves them too.
    """
    folder = ch99 / _FOLDER
    lists = _section_338(folder) | _forced_labor(folder)
    aircraft = column(ch99 / "tradewartracker" / _AIRCRAFT, "HTSUS")
    lists["S338_AIRCRAFT"] = plain(aircraft, "Proc 11048; 11056; 11064; 11065")
    lists = {name: sorted(set(rows)) for name, rows in lists.items()}
    lists["BEEF_TRIMMINGS_7C"] = [
        ListRow(row["code"], row["from"], row["to"], "within the quota", _BEEF_CITE)
        for row in read_csv_text(folder / "beef_trimmings_7c.csv")
    ]
    return {name: with_renamed(rows, universe) for name, rows in lists.items()} | _prohibited(folder)


def _section_338(folder: Path) -> Lists:
    """Read the duties on Canada.

    An amended list is a list of its own, without days: the amendment was published before it held, and only a period
    of the measure can be known from a day.
    """
    lists: Lists = {}
    for file, name in _DATED.items():
        rows = read_csv_text(folder / f"{file}.csv")
        first = [row for row in rows if row["from"] != _AMENDED]
        lists[name] = _listed(first)
        if len(first) < len(rows):
            lists[f"{name}_2026_09_15"] = _listed([row for row in rows if row["to"] != _AMENDED])
    return lists


def _listed(rows: list[dict[str, str]]) -> list[ListRow]:
    return [ListRow(row["code"], cite=row["source"]) for row in rows]


def _forced_labor(folder: Path) -> Lists:
    lists: Lists = {}
    for file, name in _SUBDIVISIONS.items():
        for row in read_csv_text(folder / f"{file}.csv"):
            _add(lists, f"{name}_30" if (file, row["scope"]) == _PHARMACEUTICAL else name, row)
    for row in read_csv_text(folder / "fl301_52j.csv"):
        _add(lists, f"FL301_52J_{row['origin']}{_PARTNER_SCOPES[row['scope']]}", row)
    return lists


def _prohibited(folder: Path) -> Lists:
    lists: Lists = {}
    for row in read_csv_text(folder / "s338_prohibited.csv"):
        _add(lists, _PROHIBITED[row["measure"], row["scope"]], row)
    return {name: sorted(rows) for name, rows in lists.items()}


def _add(lists: Lists, name: str, row: dict[str, str]) -> None:
    lists.setdefault(name, []).append(ListRow(digits(row["code"]), "", "", row["scope"], row["source"]))
