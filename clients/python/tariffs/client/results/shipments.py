"""Draw shipments by month: the year before, the model and the observation on one chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tariffs.client.errors import module_of
from tariffs.client.results.charts import Chart
from tariffs.client.results.palette import PALETTE

BEFORE, MODEL, OBSERVED, MEAN = "2024", "model 2025", "observed 2025", "observed 2025, mean of months"
_SERIES = (BEFORE, MODEL, OBSERVED, MEAN)
_COLOURS = (PALETTE[4], PALETTE[0], PALETTE[1], "#f0c38e")
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WIDTH, _HEIGHT = 620, 220
_TONS = 1e6


def months_chart(rows: pl.DataFrame, origin: str = "US") -> Chart:
    """Draw shipments of one origin by month as bars, and their sums since January as lines below.

    Args:
        rows: rows of `tariffs validate soybeans`: first, last, origin, before, model, observed (tons).
        origin: exporting country.

    Raises:
        ExtraMissing: the extra `notebook` is not installed.
    """
    alt = module_of("notebook", "altair")
    frame = shown_months(rows.filter(origin=origin).to_dicts())
    colour = alt.Color(
        "series:N", sort=None, title=None, scale=alt.Scale(domain=list(_SERIES), range=list(_COLOURS))
    )
    months = alt.X("month:N", sort=list(_NAMES), title=None)
    bars = (
        alt.Chart(frame, width=_WIDTH, height=_HEIGHT)
        .mark_bar()
        .encode(
            x=months,
            xOffset=alt.XOffset("year:N", sort=[BEFORE, MODEL, OBSERVED]),
            y=alt.Y("tons:Q", title="million tons"),
            color=colour,
        )
    )
    sums = (
        alt.Chart(frame, width=_WIDTH, height=_HEIGHT)
        .mark_line(point=True)
        .encode(
            x=months,
            y=alt.Y("sum:Q", title="million tons since January"),
            color=alt.Color(
                "year:N",
                sort=None,
                legend=None,
                scale=alt.Scale(domain=[BEFORE, MODEL, OBSERVED], range=list(_COLOURS[:3])),
            ),
        )
    )
    return (bars & sums).resolve_scale(color="independent")


def shown_months(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of the chart: `month, series, year` (the series without its mean), `tons` and `sum`, in millions.

    Months of which only the sum was observed have its mean.
    """
    sums = [row for row in rows if row["last"] > row["first"] and row["observed"] is not None]
    single = sorted((row for row in rows if row["first"] == row["last"]), key=lambda row: row["first"])
    shown: list[dict[str, object]] = []
    totals = dict.fromkeys((BEFORE, MODEL, OBSERVED), 0.0)
    for row in single:
        observed, series = row["observed"], OBSERVED
        if observed is None:
            observed, series = _mean(row["first"], sums), MEAN
        for year, name, tons in (
            (BEFORE, BEFORE, row["before"]),
            (MODEL, MODEL, row["model"]),
            (OBSERVED, series, observed),
        ):
            if tons is None:
                continue
            totals[year] += tons / _TONS
            month = _NAMES[row["first"] - 1]
            shown.append(
                {"month": month, "series": name, "year": year, "tons": tons / _TONS, "sum": totals[year]}
            )
    return pl.DataFrame(shown)


def _mean(month: int, sums: Sequence[Mapping[str, Any]]) -> float | None:
    """Mean of the shortest span of months with an observed sum that a month is in."""
    found = [row for row in sums if row["first"] <= month <= row["last"]]
    if not found:
        return None
    row = min(found, key=lambda one: one["last"] - one["first"])
    return float(row["observed"]) / float(row["last"] - row["first"] + 1)
