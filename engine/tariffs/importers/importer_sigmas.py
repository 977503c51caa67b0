"""Build sigma by importing country and HS section, from the estimates of Broda and Weinstein for 73 countries.

The long-run sigma of a section is the geometric mean of GTAP's ESUBM, ProTEE and Broda and Weinstein (2006), as in
`importers.parameters`; here the last is the importer's own: the median of its estimates by 3 digits of HS 1992, after
the 5 % at either end are set to the 5th and 95th percentile of the country. A section with fewer than three estimates
takes the median of the country. Estimates reach 16,808, so means of them say nothing.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from tariffs.importers.output import read_csv_text, write_csv
from tariffs.importers.parameters import CAP, LONG_RUN_MEAN, SHORT_RUN_MEAN

FILE = "importer_sigmas.csv"
HEADER = ("importer", "section", "short", "long", "sigma_ln_sd", "source")
_LEAST_ESTIMATES = 3
_TAIL = 0.05
# Bounds of the spread of the tables by section.
_SPREAD = (0.25, 0.70)
# The US has the same estimates at 10 digits, in hs_sections.csv; unique works are set by judgement there.
_WITHOUT = ("USA", "XXI")


def build(sections: Path, estimates: Path, countries: Sequence[Mapping[str, str]], target: Path) -> int:
    """Write the table into `target`; the number of rows."""
    iso2 = {row["iso3"]: row["iso2"] for row in countries if row["iso3"]}
    rows = list(rows_of(read_csv_text(sections), pl.read_parquet(estimates), iso2))
    write_csv(target / FILE, HEADER, rows)
    return len(rows)


def rows_of(
    sections: Sequence[Mapping[str, str]], estimates: pl.DataFrame, iso2: Mapping[str, str]
) -> Iterator[tuple[str, ...]]:
    """Compute short and long sigma, and the spread, of each importer and section."""
    for (iso3,), own in sorted(estimates.group_by("iso3")):
        if iso3 in _WITHOUT or iso3 not in iso2:
            continue
        winsorised = own.with_columns(
            sigma=pl.col("sigma").clip(
                pl.col("sigma").quantile(_TAIL, "linear"), pl.col("sigma").quantile(1 - _TAIL, "linear")
            ),
            chapter=pl.col("hs0_3d").str.slice(0, 2),
        )
        for row in sections:
            section = row["section"].split()[0]
            if section not in _WITHOUT:
                yield (iso2[iso3], section, *_sigmas(row, winsorised))


def _sigmas(row: Mapping[str, str], winsorised: pl.DataFrame) -> tuple[str, ...]:
    first, last = row["chapters"].split("-")
    found = winsorised.filter(pl.col("chapter").is_between(pl.lit(first), pl.lit(last)))["sigma"].to_list()
    enough = len(found) >= _LEAST_ESTIMATES
    own = statistics.median(found if enough else winsorised["sigma"].to_list())
    values = [min(float(value), CAP) for value in (row["gtap_esubm"], row["protee"], own)]
    logs = [math.log(value) for value in values]
    long_run = math.exp(math.fsum(logs) / len(logs))
    spread = min(max(statistics.stdev(logs), _SPREAD[0]), _SPREAD[1])
    of = f"median of {len(found)}" if enough else "median of the country"
    others = f"GTAP ESUBM {row['gtap_esubm']}, ProTEE {row['protee']}"
    source = f"geometric mean of {others}, Broda-Weinstein {own:.2f} ({of})"
    short = SHORT_RUN_MEAN * math.sqrt(long_run / LONG_RUN_MEAN)
    return (f"{short:.2f}", f"{long_run:.2f}", f"{spread:.2f}", source)
