"""Lists of Canada's surtaxes on goods of the United States, by tariff item (8 digits)."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import LINE_DIGITS, Universe
from tariffs.importers.listing import ListRow, Lists, named, plain
from tariffs.importers.output import read_csv_text

# By the list of the source and its percentage.
_ORDERS = named("canada surtaxes")
_SAFEGUARD = "CBSA Customs Notice 26-14, Appendix A"


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family."""
    return _surtaxes(ch99) | {
        "CA_CANNED_VEGETABLES": _canned_vegetables(
            ch99.parent / "law_update_2026_11" / "ca_canned_vegetables.csv"
        )
    }


def _canned_vegetables(path: Path) -> list[ListRow]:
    """Build the tariff items of the safeguard; `scope` has the tariff numbers of 10 digits within each."""
    numbers: dict[str, list[str]] = {}
    for row in read_csv_text(path):
        numbers.setdefault(row["code"][:LINE_DIGITS], []).append(row["code"])
    return [ListRow(item, "", "", " ".join(codes), _SAFEGUARD) for item, codes in numbers.items()]


def _surtaxes(ch99: Path) -> Lists:
    rows = read_csv_text(ch99.parent / "other_direction" / "retaliation" / "canada_lists.csv")
    return {
        name: plain((row["tariff_item"] for row in rows if f"{row['list']} {row['rate_pct']}" == key), order)
        for key, (name, order) in _ORDERS.items()
    }
