"""Draw forecasts of imports beside what was imported: by partner, and the error of each forecast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from tariffs.client.errors import module_of
from tariffs.client.results.charts import Chart
from tariffs.client.results.palette import PALETTE

CUTS = {
    "all": "all goods",
    "most": "without computers, drugs and metals",
    "computers": "computers",
    "drugs": "drugs and chemicals",
    "metals": "primary metals",
}
"""Names of the cuts of goods."""
_WIDTH, _HEIGHT = 480, 380
_BARS = 150
_PERCENT = 100.0


def hindcast_chart(answer: Mapping[str, Any]) -> Chart:
    """Draw growth realised on growth forecast by partner, and below it the error of each forecast, of the first board.

    Args:
        answer: document of `tariffs validate trade --json`.

    Raises:
        ExtraMissing: the extra `notebook` is not installed.
    """
    alt = module_of("notebook", "altair")
    board = answer["boards"][0]
    first, last = (board["windows"] or [board["stated"]])[0]

    def rows(name: str) -> pl.DataFrame:
        frame = pl.DataFrame(answer[name], infer_schema_length=None)
        if frame.is_empty():
            return frame
        return frame.filter(board=board["id"], first=first, last=last)

    partners = rows("partners").filter((pl.col("cut") == "most") & (pl.col("origin") != ""))
    points = partners.select(
        "origin",
        before=pl.col("before") / 1e9,
        forecast=pl.col("forecast") * _PERCENT,
        realised=pl.col("realised").cast(pl.Float64) * _PERCENT,
    )
    ahead = alt.X("forecast:Q", title="growth forecast, percent", scale=alt.Scale(zero=False))
    came = alt.Y("realised:Q", title="growth realised, percent", scale=alt.Scale(zero=False))
    circles = (
        alt.Chart(points, width=_WIDTH, height=_HEIGHT)
        .mark_circle(opacity=0.6, color=PALETTE[0])
        .encode(x=ahead, y=came, size=alt.Size("before:Q", title="imports of 2024, bn"))
    )
    names = alt.Chart(points).mark_text(dx=12, fontSize=10).encode(x=ahead, y=came, text="origin:N")
    ends = [float(points["forecast"].min() or 0.0), float(points["forecast"].max() or 0.0)]  # type: ignore[arg-type] # percent
    line = (
        alt.Chart(pl.DataFrame({"forecast": ends, "realised": ends}))
        .mark_line(strokeDash=[4, 4], color=PALETTE[4])
        .encode(x=ahead, y=came)
    )
    above = line + circles + names
    scores = rows("scores")
    if scores.is_empty():
        return above
    errors = scores.filter(pl.col("cut").is_in(["all", "most"])).select(
        "forecast", "error", goods=pl.col("cut").replace(CUTS)
    )
    bars = (
        alt.Chart(errors, width=_WIDTH, height=_BARS)
        .mark_bar()
        .encode(
            x=alt.X("error:Q", title="mean error of 30 partners, points"),
            y=alt.Y("forecast:N", sort=None, title=None),
            yOffset=alt.YOffset("goods:N", sort=None),
            color=alt.Color(
                "goods:N",
                sort=None,
                title=None,
                legend=alt.Legend(orient="bottom", labelLimit=_WIDTH),
                scale=alt.Scale(range=list(PALETTE[:2])),
            ),
        )
    )
    return (above & bars).resolve_scale(color="independent")
