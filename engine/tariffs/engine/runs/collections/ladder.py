"""Compute the rungs from duty assessed to duty collected, by month, origin, industry and authority.

All steps are linear in the duty that a timeline gives for the trade of 2024, times the imports of a month over those of
2024 of the same origin and industry.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

import polars as pl

from tariffs.engine.response.industries import sector_of
from tariffs.engine.runs.collections.frozen import (
    REST,
    SPECIAL,
    claims,
    frozen,
    imports,
    sailing_days,
    special_in_2024,
)
from tariffs.engine.schedule.reference_data import reference_table

RUNGS = ("claims", "exemptions", "afloat", "rest")
"""Steps from `assessed` to `collected`, in their order."""
CELL = ("origin", "sector", "authority")
_KEYS = ("month", *CELL)


def days_of(month: str) -> tuple[date, date]:
    """First day of a month and of the next one."""
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1)


def monthly(segments: pl.DataFrame, months: Sequence[str], column: str) -> pl.DataFrame:
    """Average yearly amounts of segments over the days of each month, by cell."""
    keys = [name for name in CELL if name in segments.columns]
    start = pl.col("start").str.to_date()
    found = []
    for month in months:
        first, after = days_of(month)
        end = pl.min_horizontal(start + pl.duration(days=pl.col("days")), pl.lit(after))
        days = (end - pl.max_horizontal(start, pl.lit(first))).dt.total_days()
        rows = segments.with_columns(share=days / (after - first).days).filter(pl.col("share") > 0)
        mean = rows.group_by(keys, maintain_order=True).agg((pl.col(column) * pl.col("share")).sum())
        found.append(mean.select(pl.lit(month).alias("month"), *keys, column))
    return pl.concat(found)


def afloat_share(segments: pl.DataFrame, loaded: pl.DataFrame, months: Sequence[str]) -> pl.DataFrame:
    """Average the duty that goods loaded before it do not pay, times the part of the goods that is still arriving.

    A relief for goods in transit runs from its first day without a gap. After `t` days the part of an origin's imports
    that was loaded before is the ocean share times the part of voyages longer than `t`, uniform between the days to the
    nearer and to the farther coast, plus the lag of loading and entry.

    Segments have duty by cell; `loaded` is the same, were all goods loaded before the first relief.
    """
    parameters = frozen()
    voyages = pl.DataFrame(
        [(origin, *days) for origin, days in sailing_days().items()],
        schema={"origin": pl.String, "near": pl.Float64, "far": pl.Float64},
        orient="row",
    )
    relief = (
        segments.join(loaded.select("start", *CELL, free="duty"), on=["start", *CELL], how="left")
        .with_columns(pl.col("start").str.to_date(), spared=pl.col("duty") - pl.col("free").fill_null(0.0))
        .filter(pl.col("spared").abs() > 1.0)
        .join(voyages, on="origin")
        .sort(*CELL, "start")
        .with_columns(before=(pl.col("start") + pl.duration(days=pl.col("days"))).shift(1).over(CELL))
        .with_columns(
            since=pl.when(pl.col("before").ne_missing(pl.col("start")))
            .then(pl.col("start"))
            .forward_fill()
            .over(CELL)
        )
    )
    last = pl.col("start") + pl.duration(days=pl.col("days") - 1)
    passed = (pl.col("day") - pl.col("since")).dt.total_days()
    at_sea = ((pl.col("far") + parameters.lag_days - passed) / (pl.col("far") - pl.col("near"))).clip(0, 1)
    daily = relief.with_columns(day=pl.date_ranges("start", last)).explode("day")
    daily = daily.select(
        *CELL, start=pl.col("day").dt.to_string("%Y-%m-%d"), days=1, spared=pl.col("spared") * at_sea
    )
    return monthly(daily, months, "spared").with_columns(pl.col("spared") * parameters.ocean_share)


def scales(months: Sequence[str]) -> pl.DataFrame:
    """Compute imports of a month over those of 2024 (`scale`) and what special chapters took (`grossed`), by cell.

    `value` is the customs value of the cell in the month, USD. Origins without monthly figures have the scale of all of
    them together. Goods of chapters 98 and 99 are an industry of their own without a scale.
    """
    table = reference_table()
    codes = table["hts"].unique()
    sectors = pl.DataFrame({"hts": codes, "sector": sector_of(codes.to_list())})
    cells = (
        table.join(sectors, on="hts")
        .with_columns(pl.col("sector").fill_null(""))
        .group_by("origin", "sector")
        .agg(pl.col("customs_value").sum())
    )
    trade = imports(tuple(months))
    named = trade["origin"].unique().to_list()
    cells = cells.with_columns(
        pool=pl.when(pl.col("origin").is_in(named)).then("origin").otherwise(pl.lit(REST))
    )
    trade = trade.rename({"origin": "pool"})
    special = (
        trade.group_by("month", "pool")
        .agg(
            part=pl.col("value").filter(pl.col("sector") == SPECIAL).sum() / pl.col("value").sum(),
            special=pl.col("value").filter(pl.col("sector") == SPECIAL).sum(),
        )
        .with_columns(usual=pl.col("pool").replace_strict(special_in_2024(), default=0.0))
        .with_columns(grossed=(1 - pl.col("usual")) / (1 - pl.col("part")))
    )
    of_pool = cells.group_by("pool", "sector").agg(pl.col("customs_value").sum().alias("pooled"))
    scaled = (
        trade.filter(pl.col("sector") != SPECIAL)
        .join(of_pool, on=["pool", "sector"])
        .with_columns(scale=pl.col("value") / pl.col("pooled"))
        .join(special, on=["month", "pool"])
        .join(cells, on=["pool", "sector"])
    )
    whole = cells.with_columns(part=pl.col("customs_value") / pl.col("customs_value").sum().over("pool"))
    apart = (
        special.join(whole.group_by("pool", "origin").agg(pl.col("part").sum().alias("of_pool")), on="pool")
        .with_columns(value=pl.col("special") * pl.col("of_pool"), sector=pl.lit(SPECIAL))
        .with_columns(scale=pl.lit(None, pl.Float64), grossed=pl.lit(1.0))
    )
    columns = ["month", "origin", "sector", "scale", "grossed", "value"]
    scaled = scaled.with_columns(value=pl.col("scale") * pl.col("customs_value"))
    return pl.concat([scaled.select(columns), apart.select(columns)])


def rungs(
    segments: pl.DataFrame,
    loaded: pl.DataFrame,
    claimed: pl.DataFrame,
    months: Sequence[str],
    without: Collection[str] = (),
) -> pl.DataFrame:
    """Compute `assessed`, the steps of RUNGS and `collected` by month, origin, industry and authority, USD.

    Args:
        segments: duty by cell and segment of a timeline.
        loaded: the same, were all goods loaded before the first relief.
        claimed: the same of members of the USMCA, were all goods claimed.
        months: those to compute.
        without: steps to leave out, which are then 0.
    """
    parameters = frozen()
    duty = monthly(segments, months, "duty")
    all_claimed = monthly(claimed, months, "duty").rename({"duty": "least"})
    frame = (
        duty.join(afloat_share(segments, loaded, months), on=_KEYS, how="left")
        .join(all_claimed, on=_KEYS, how="left")
        .join(claims(tuple(months)), on=["month", "origin", "sector"], how="left")
        .join(scales(months), on=["month", "origin", "sector"])
        .with_columns(
            assessed=pl.col("duty") * pl.col("scale") * pl.col("grossed"),
            kept=pl.col("sector").replace_strict(parameters.industries, default=1.0, return_dtype=pl.Float64),
            share=pl.col("origin").replace_strict(
                parameters.shares, default=parameters.shares[REST], return_dtype=pl.Float64
            ),
        )
    )
    # A ratio is of a member's goods alone; an authority without a row charges nothing on claimed goods.
    saved = (pl.col("duty") - pl.col("least").fill_null(0.0)).clip(0)
    step = saved * pl.col("scale") * pl.col("grossed") * (pl.col("ratio").fill_null(1.0) - 1)
    frame = frame.with_columns(claims=_unless("claims", without, step))
    left = pl.col("assessed") + pl.col("claims")
    exempt = left * (pl.col("kept") / pl.col("grossed") - 1)
    frame = frame.with_columns(exemptions=_unless("exemptions", without, exempt))
    on_sea = pl.col("spared").fill_null(0.0) * pl.col("scale") * pl.col("kept")
    frame = frame.with_columns(afloat=_unless("afloat", without, -on_sea))
    left = left + pl.col("exemptions") + pl.col("afloat")
    frame = frame.with_columns(rest=_unless("rest", without, left * (pl.col("share") - 1)))
    return frame.select(*_KEYS, "assessed", *RUNGS, collected=left + pl.col("rest"))


def _unless(name: str, without: Collection[str], step: pl.Expr) -> pl.Expr:
    return pl.lit(0.0) if name in without else step
