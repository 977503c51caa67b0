"""Lists of Canada's surtaxes on goods of the United States, by tariff item (8 digits)."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import LINE_DIGITS, Universe
from tariffs.importers.listing import ListRow, Lists, plain
from tariffs.importers.output import read_csv_text

# By list name: the list of the source, its percentage, and the order.
_ORDERS = {
    "CA_SURTAX_2025_1": ("us_surtax_2025_1", "25", "SOR/2025-66"),
    "CA_METALS_2025": ("metals_2025", "25", "SOR/2025-95, steel and aluminum"),
    "CA_METALS_2025_OTHER": ("metals_2025_other_goods", "25", "SOR/2025-95, other goods"),
    "CA_SURTAX_2026_15": ("us_surtax_2026", "15", "P.C. 2026-0785"),
    "CA_SURTAX_2026_25": ("us_surtax_2026", "25", "P.C. 2026-0785"),
    "CA_SURTAX_2026_50": ("us_surtax_2026", "50", "P.C. 2026-0785"),
    "CA_METALS_2026_25": ("metals_2026", "25", "P.C. 2026-0786"),
    "CA_METALS_2026_50": ("metals_2026", "50", "P.C. 2026-0786"),
    "CA_STEEL_DERIVATIVES": ("steel_derivative_2025_all_origins", "25", "SOR/2025-267"),
    "CA_PROPOSED_2025": (
        "proposed_125bn_never_in_force",
        "25",
        "Finance Canada, notice of intent of 2025-03-04",
    ),
}


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
        name: plain(
            (row["tariff_item"] for row in rows if (row["list"], row["rate_pct"]) == (source, percent)), order
        )
        for name, (source, percent, order) in _ORDERS.items()
    }
