"""Build the table of duty rates that were collected, from monthly figures of the Census Bureau and the Treasury.

Rates of the Census Bureau are calculated duty over customs value, weighted by the imports of 2024, so that they compare
with rates on the trade table of 2024. Those of the Treasury are customs receipts over imports of the month.

Run as `python -m tariffs.importers.collected REALISED_CSV TREASURY_CSV COUNTRIES_CSV`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tariffs.importers.output import read_csv_text, run, write_csv

COLUMNS = ("month", "origin", "source", "rate")
FIRST_MONTH = "2025-01"
_ALL = "ALL COUNTRIES"
# Names of the Census Bureau's monthly data where they differ from its list of countries.
_NAMES = {"KOREA, SOUTH": "KR", "GERMANY": "DE"}


def census_rows(rows: Sequence[Mapping[str, str]], iso: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Read monthly rates by country at the weights of 2024; months without a rate are left out."""
    for row in rows:
        name, rate = row["CTY_NAME"], row["realised_rate_2024_weights"]
        if rate and row["month"] >= FIRST_MONTH:
            origin = "" if name == _ALL else _NAMES.get(name) or iso[name]
            yield row["month"], origin, "census", f"{float(rate):.5f}"


def treasury_rows(rows: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, ...]]:
    """Read monthly receipts over imports of all countries."""
    for row in rows:
        if row["date"][:7] >= FIRST_MONTH and row["rate_pct"]:
            yield row["date"][:7], "", "treasury", f"{float(row['rate_pct']) / 100:.5f}"


def build(realised: Path, treasury: Path, countries: Path, target: Path) -> int:
    """Write the table, giving its number of rows."""
    iso = {row["name"].upper(): row["iso2"] for row in read_csv_text(countries)}
    rows = [*census_rows(read_csv_text(realised), iso), *treasury_rows(read_csv_text(treasury))]
    write_csv(target, COLUMNS, rows)
    return len(rows)


_TARGET = Path(__file__).parents[1] / "engine" / "validation" / "collected.csv"


if __name__ == "__main__":
    run(build, __doc__, _TARGET)
