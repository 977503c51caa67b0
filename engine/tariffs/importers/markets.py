"""Import the schedules of destinations of US exports: lines with ordinary rates, for law/data/markets.

China's rates of most-favoured-nation are those of 2018-11-01 by line. Where the duty that the WTO publishes for
2025-01-01 shows another rate, it is that total less the answers to Section 301 (basis `derived`). Lines of 2018 that
the total shows to be gone are left out (`cn_totals`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from tariffs.importers.cn_totals import (
    PARTLY,
    Reading,
    by_subheading,
    check_table,
    ordinary_rates,
    read_totals,
)
from tariffs.importers.codes import LINE_DIGITS, SUBHEADING_DIGITS
from tariffs.importers.lines_japan import Rate
from tariffs.importers.lines_japan import read as read_japan
from tariffs.importers.lists_cn import separated
from tariffs.importers.output import write_csv

HEADER = ("code", "rate", "reduced", "weight", "basis")
STATED, MEAN, DERIVED, SCHEDULE = "mfn_2018", "mean_2018", "derived", "t2026"
# United States soybeans are yellow; the other lines of the subheading have had no trade worth counting.
_WEIGHTS = {"12019011": "1", "12019019": "1", "12019020": "0", "12019030": "0", "12019090": "0"}
# Over-access dairy, poultry and eggs have no free rate: their rates of most-favoured-nation are above this, in percent.
_OVER_ACCESS = 100.0
# Chapters 98 and 99 are no part of the Harmonized System.
_SPECIAL_CHAPTERS = "98"


class LineRow(NamedTuple):
    """Line of a schedule: weight within its subheading (empty is 1), basis of the rates.

    Rates are percentages of the value, or the texts of others.
    """

    code: str
    rate: str
    reduced: str
    weight: str
    basis: str


def write(folder: Path, markets: Path) -> Iterator[tuple[str, int]]:
    """Write the lines of each market from the sources in `folder`."""
    for name, rows in (
        ("cn", china(folder)),
        ("ca", canada(folder / "rates" / "canada_mfn_2026_hs10.parquet")),
        ("jp", japan(folder / "jp")),
    ):
        write_csv(markets / f"{name}_lines.csv", HEADER, rows)
        yield f"markets/{name}_lines", len(rows)


def china(folder: Path) -> list[LineRow]:
    """Lines of China's schedule, as far as sources name them."""
    listed = separated(pl.read_parquet(folder / "retaliation" / "china_lines_2025_03.parquet"))
    rates, readings = ordinary_rates(folder), read_totals(folder, listed)
    of_listed, of_old = by_subheading(listed["cn_hs8"].to_list()), by_subheading(rates)
    return [
        row
        for item in check_table(folder).iter_rows(named=True)
        for row in _subheading(
            item,
            of_listed.get(item["hs6"], []),
            of_old.get(item["hs6"], []),
            rates,
            readings.get(item["hs6"], Reading()),
        )
    ]


def _subheading(
    item: dict[str, object], listed: list[str], old: list[str], rates: dict[str, float], reading: Reading
) -> list[LineRow]:
    """Lines of a subheading: those of 2018, or the listed ones where the subheading was split after 2018."""
    renewed = any(code not in rates for code in listed)
    kept = {*listed, *(old if not renewed or item["check"] == PARTLY else [])}
    codes = sorted(kept - {*reading.gone})
    derived = _derived(item) if reading.ordinary is None else reading.ordinary
    trusted = reading.ordinary is None and item["check"] in {"agrees", PARTLY, "without_s301"}
    mean = item["mfn_2018_11_mean_pct"]
    rows = []
    for code in codes or [str(item["hs6"])]:
        same = reading.ordinary is not None and rates.get(code) == derived
        if code in rates and (trusted or same or derived is None):
            rate, basis = rates[code], STATED
        elif derived is not None:
            rate, basis = derived, DERIVED
        elif isinstance(mean, float):
            rate, basis = mean, MEAN
        else:
            continue
        rows.append(LineRow(code, _percent(rate), "", _WEIGHTS.get(code, ""), basis))
    return rows


def _derived(item: dict[str, object]) -> float | None:
    """Ordinary rate of a subheading from the total of 2025-01-01; None where that shows none."""
    stated = item["mfn_2025_est_pct"]
    if isinstance(stated, float):
        return stated
    total, answer = item["wto_2025_01_01_pct"], item["s301_mean_pct"]
    if total == 0:
        return 0.0
    if item["check"] == "no_old_mfn" and isinstance(total, float) and isinstance(answer, float):
        return total - answer if total >= answer else None
    return None


def canada(path: Path) -> list[LineRow]:
    """Tariff items of Canada with their rates of most-favoured-nation and of the United States Tariff."""
    items = (
        pl.read_parquet(path)
        .with_columns(code=pl.col("ca_hs10").str.slice(0, LINE_DIGITS))
        .filter(pl.col("code") < _SPECIAL_CHAPTERS)
        .group_by("code")
        .agg(rate=pl.col("mfn_ad_valorem_pct").first(), free=pl.col("ust_pct").drop_nulls().first())
        .with_columns(
            free=pl.when(pl.col("rate") < _OVER_ACCESS).then(pl.col("free").fill_null(0.0)).otherwise("free")
        )
    )
    rows = [
        LineRow(code, _percent(rate), "" if free is None else _percent(free), "", SCHEDULE)
        for code, rate, free in items.select("code", "rate", "free").iter_rows()
    ]
    within = {row.code[:SUBHEADING_DIGITS] for row in rows if not _over_access(row)}
    return [
        row._replace(weight="0") if _over_access(row) and row.code[:SUBHEADING_DIGITS] in within else row
        for row in rows
    ]


def japan(folder: Path) -> list[LineRow]:
    """Statistical lines of Japan with their rates of most-favoured-nation and for goods of the United States."""
    return [
        LineRow(line.code, _cell(line.general), _cell(line.agreement), "", line.basis)
        for line in read_japan(folder)
    ]


def _cell(rate: Rate | None) -> str:
    if rate is None:
        return ""
    return rate.text if rate.percent is None else _percent(rate.percent)


def _over_access(row: LineRow) -> bool:
    """Test for a prohibitive rate over an access commitment: goods are counted within it, as practically all are."""
    return float(row.rate) >= _OVER_ACCESS and float(row.reduced or row.rate) > 0


def _percent(rate: float) -> str:
    return f"{rate:.4f}".rstrip("0").rstrip(".")
