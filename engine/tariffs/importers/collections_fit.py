"""Estimate the frozen parameters of collections from duty collected by origin, industry and month.

Window: 2025-06 to 2025-11 by origin and industry; figures to 2026-02 have totals alone and are not fitted. The order is
that of the ladder: industries without entries, then goods afloat and lag by least squares over origins and months, then
one share an origin. What is not listed here is not estimated.

Run as `python -m tariffs.importers.collections_fit DAY`, after `collections_data` and `sailing_days`.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import product
from pathlib import Path
from unittest.mock import patch

import polars as pl

from tariffs.engine.law import load_law
from tariffs.engine.runs.collections import collect, ladder
from tariffs.engine.runs.collections.frozen import ALL, DATA, REST, Frozen
from tariffs.engine.runs.stepwise_run import RunArguments
from tariffs.engine.scenario import library
from tariffs.importers.output import run, write_csv

FIRST, LAST_BY_ORIGIN, LAST = "2025-06", "2025-11", "2026-02"
VOID_PAID = 166e9
# Oil and gas, refined products, and goods without an industry: electricity, art, scrap, used goods.
_WITHOUT_ENTRIES = ("", "211", "324")
_OCEAN = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0)
_LAGS = (0.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0)
_STEPS = ("assessed", "claims", "exemptions", "afloat")
_INPUTS = (
    "imports.parquet",
    "claims.parquet",
    "collected.parquet",
    "collected_industries.parquet",
    "sailing_days.csv",
)


def fit(day: str, target: Path) -> None:
    """Estimate and write `frozen.yaml` and `collected_shares.csv`."""
    months = collect.months_between(FIRST, LAST)
    how = RunArguments(law=load_law())
    base = library()["base"]
    runs = {
        name: collect._timeline(table, base, months, how)
        .scenarios[0]
        .segments.with_columns(pl.col("sector").fill_null(""))
        for name, table in (
            ("segments", None),
            ("loaded", collect._loaded_before()),
            ("claimed", collect._all_claimed()),
        )
    }
    fitted = [month for month in months if FIRST <= month <= LAST_BY_ORIGIN]
    found = Frozen({}, 0.0, 0.0, {}, {REST: 1.0}, 1.0, VOID_PAID)

    def explained(parameters: Frozen, wanted: list[str]) -> pl.DataFrame:
        with patch.object(ladder, "frozen", lambda: parameters):
            cells = ladder.rungs(runs["segments"], runs["loaded"], runs["claimed"], wanted)
        return cells.with_columns(explained=pl.sum_horizontal(_STEPS))

    found = replace(found, industries=_industries(explained(found, fitted)))
    tried = [replace(found, ocean_share=ocean, lag_days=lag) for ocean, lag in product(_OCEAN, _LAGS)]
    found = min(tried, key=lambda one: _loss(explained(one, fitted)))
    found = replace(found, shares=_shares(explained(found, fitted)))
    cells = explained(found, list(months))
    known = collect._timeline(None, base, months, how, by=("origin", "authority"), known_on="")
    void = collect.void_shares(known.scenarios[0].segments, months)
    paid = (
        cells.group_by("month", "origin", "authority")
        .agg(pl.col("collected").sum())
        .join(void, on=["month", "origin", "authority"])
    )
    _write(day, replace(found, void_collected=float((paid["collected"] * paid["void"]).sum())), target)


def _industries(cells: pl.DataFrame) -> dict[str, float]:
    """Part of the explained duty that was collected in industries whose goods enter without entries."""
    collected = pl.read_parquet(DATA / "collected_industries.parquet").filter(
        pl.col("month").is_between(pl.lit(FIRST), pl.lit(LAST_BY_ORIGIN)),
        pl.col("sector").is_in(_WITHOUT_ENTRIES),
    )
    ours = cells.group_by("sector").agg(pl.col("explained").sum())
    shares = collected.group_by("sector").agg(pl.col("duty").sum()).join(ours, on="sector")
    return {sector: round(duty / total, 4) for sector, duty, total in sorted(shares.iter_rows())}


def _by_origin(cells: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    collected = pl.read_parquet(DATA / "collected.parquet").filter(pl.col("origin") != ALL)
    named = collected["origin"].unique().to_list()
    cells = cells.with_columns(pl.when(pl.col("origin").is_in(named)).then("origin").otherwise(pl.lit(REST)))
    ours = cells.group_by("month", "origin").agg(pl.col("explained").sum())
    return (
        collected.join(ours, on=["month", "origin"])
        .group_by(keys)
        .agg(pl.col("value", "duty", "explained").sum())
    )


def _shares(cells: pl.DataFrame) -> dict[str, float]:
    rows = _by_origin(cells, ["origin"]).select("origin", pl.col("duty") / pl.col("explained"))
    return {origin: round(share, 4) for origin, share in sorted(rows.iter_rows())}


def _loss(cells: pl.DataFrame) -> float:
    """Sum squared errors of the rate over origins and months, weighted by value, at the best share of each origin."""
    shares = _shares(cells)
    rows = _by_origin(cells, ["month", "origin"]).with_columns(share=pl.col("origin").replace_strict(shares))
    error = (pl.col("explained") * pl.col("share") - pl.col("duty")) ** 2 / pl.col("value")
    return float(rows.select(error.sum()).item())


def _write(day: str, found: Frozen, target: Path) -> None:
    rows = [(origin, f"{share:.4f}") for origin, share in found.shares.items()]
    write_csv(target / "collected_shares.csv", ("origin", "share"), rows)
    digests = "".join(
        f"  {name}: {hashlib.sha256((target / name).read_bytes()).hexdigest()}\n" for name in _INPUTS
    )
    industries = "".join(f'  "{sector}": {share}\n' for sector, share in found.industries.items())
    (target / "frozen.yaml").write_text(
        "# Made by `python -m tariffs.importers.collections_fit`; docs/models/collections.md says how.\n"
        f"frozen: {day}\nfitted_on: {FIRST} to {LAST_BY_ORIGIN}\nlast_month: {LAST}\n"
        f"ocean_share: {found.ocean_share}\nlag_days: {found.lag_days}\nindustries:\n{industries}"
        f"void_collected: {found.void_collected:.0f}\nvoid_paid: {found.void_paid:.0f}\ninputs:\n{digests}",
        encoding="utf-8",
    )


if __name__ == "__main__":
    run(fit, __doc__, DATA)
