"""Lists of China's retaliatory duties on US goods, by the 8-digit lines of its schedule of 2025."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tariffs.importers.cn_totals import check_table, read_totals
from tariffs.importers.codes import SUBHEADING_DIGITS, Universe
from tariffs.importers.listing import ListRow, Lists, plain

_MATRIX = "ITA Retaliation Product Matrix of 2025-03-28"
# By list name: the column of the source with the duty of a notice, its percentage, and the citation.
_NOTICES = {
    "CN_ENERGY15": ("feb2025_pct", 15.0, "Tariff Commission announcement 1 of 2025"),
    "CN_MACHINERY10": ("feb2025_pct", 10.0, "Tariff Commission announcement 1 of 2025"),
    "CN_AG15": ("mar2025_pct", 15.0, "Tariff Commission announcement 2 of 2025"),
    "CN_AG10": ("mar2025_pct", 10.0, "Tariff Commission announcement 2 of 2025"),
    "CN_S232_15": ("s232_2018_pct", 15.0, f"cn_tariff_2018_13; {_MATRIX}"),
    "CN_S232_25": ("s232_2018_pct", 25.0, f"cn_tariff_2018_13; {_MATRIX}"),
}
# Levels of the answers to Section 301 since 2020-02-14, in percent.
S301_LEVELS = (2.5, 5.0, 7.5, 10.0, 12.5, 15.0, 20.0, 22.5, 25.0, 27.5, 30.0)
_ANNOUNCED = ("5 of 2018", "8 of 2018", "4 of 2019", "1 of 2020")
_S301 = "; ".join((*(f"Tariff Commission announcement {one}" for one in _ANNOUNCED), _MATRIX))
_SUSPENDED = "; ".join(
    f"Tariff Commission announcement of {day}" for day in ("2018-12-14", "2019-03-31", "2019-12-15")
)
_STANDING = "inferred: WTO Tariff and Trade Data of 2025-01-01 without the duty of the lists"
# In the matrix 45 is 30 with the 15 of nuts, whose codes of 2018 were split in 2022.
_SPLIT = (45.0, 15.0)


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family."""
    folder = ch99.parent / "other_direction"
    lines = separated(pl.read_parquet(folder / "retaliation" / "china_lines_2025_03.parquet"))
    lists = {
        name: plain(lines.filter(pl.col(column) == percent)["cn_hs8"], cite)
        for name, (column, percent, cite) in _NOTICES.items()
    }
    for level in S301_LEVELS:
        lists[s301_list(level)] = plain(lines.filter(pl.col("s301_pct") == level)["cn_hs8"], _S301)
    lists["CN_S301_VEHICLES"] = plain(lines.filter("s301_suspended_vehicle")["cn_hs8"], _SUSPENDED)
    excluded = [code for one in read_totals(folder, lines).values() for code in one.excluded]
    lists["CN_S301_STANDING"] = _standing(lines, check_table(folder), excluded)
    return lists


def s301_list(level: float) -> str:
    """Name of the list of a level: CN_S301_275 for 27.5 percent."""
    return f"CN_S301_{round(level * 10):03}"


def separated(lines: pl.DataFrame) -> pl.DataFrame:
    """Separate the answer to Section 232 of lines of which the source has only the sum."""
    whole, part = _SPLIT
    mixed = pl.col("s301_pct") == whole
    return lines.with_columns(
        s301_pct=pl.when(mixed).then(whole - part).otherwise("s301_pct"),
        s232_2018_pct=pl.when(mixed).then(part).otherwise("s232_2018_pct"),
    )


def _standing(lines: pl.DataFrame, check: pl.DataFrame, excluded: Sequence[str]) -> list[ListRow]:
    """Lines that bear a duty of the lists and, by the total that the WTO publishes, do not pay it.

    They are all lines of a subheading, or those `excluded` that alone explain its total.
    """
    free = (pl.col("wto_2025_01_01_pct") == 0) & (pl.col("s301_mean_pct") > 0)
    subheadings = check.filter((pl.col("check") == "without_s301") | free)["hs6"].implode()
    whole = pl.col("cn_hs8").str.slice(0, SUBHEADING_DIGITS).is_in(subheadings)
    mine = lines.filter((pl.col("s301_pct") > 0) & (whole | pl.col("cn_hs8").is_in(excluded)))
    return plain(mine["cn_hs8"], _STANDING)
