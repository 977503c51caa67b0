"""Lists of the section 301 duty over forced labor: U.S. note 52 by its subdivisions."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import Universe
from tariffs.importers.listing import Lists, plain, with_renamed
from tariffs.importers.output import read_csv_text

# By the file of a subdivision: the scopes of its list, and those of the goods that a list of their own holds.
_SUBDIVISIONS = {
    "fl301_52b": {"": "FL301_52B"},
    "fl301_52c": {"": "FL301_52C"},
    "fl301_52d": {"": "FL301_52D"},
    "fl301_52e": {"": "FL301_52E", "pharmaceutical use, chapter 30": "FL301_52E_30"},
}
# By the scope of the goods agreed with a partner: what follows the partner's code in the name of the list.
_PARTNER_SCOPES = {"listed": "", "particular article": "_PARTICULAR", "entered under CAFTA-DR": "_CAFTA_DR"}


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family.

    The rows carry no first day: the lists begin with the duty, and a scenario that moves its start moves them too.
    """
    folder = ch99 / "update_2026_10"
    lists: Lists = {}
    for file, names in _SUBDIVISIONS.items():
        for row in read_csv_text(folder / f"{file}.csv"):
            _add(lists, names.get(row["scope"], names[""]), row)
    for row in read_csv_text(folder / "fl301_52j.csv"):
        _add(lists, f"FL301_52J_{row['origin']}{_PARTNER_SCOPES[row['scope']]}", row)
    return {name: with_renamed(sorted(set(rows)), universe) for name, rows in lists.items()}


def _add(lists: Lists, name: str, row: dict[str, str]) -> None:
    lists.setdefault(name, []).extend(plain([row["code"]], row["source"], scope=row["scope"]))
