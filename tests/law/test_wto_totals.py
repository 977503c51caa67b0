"""China's whole duty on goods of the United States by subheading, beside the total that the WTO publishes on nine days.

The WTO takes the mean of the lines of a subheading, leaves out the answer of 2018 to Section 232, counts vehicles at 25
and grants no tariff quota. Compared in its terms, what is left has a reason each or is named.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import Scenario, parse_scenario

SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "other_direction"
pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")
DAYS = (
    "2025-01-01", "2025-02-10", "2025-03-10", "2025-03-20", "2025-04-10", "2025-04-12", "2025-05-14", "2025-11-10",
    "2026-05-01",
)  # fmt: skip
LAW = load_law().with_switches({"cn_vehicles": "charged"})
CHINA = LAW.markets["CN"]
SOYBEANS = "120190"
"""The engine counts yellow soybeans alone, the WTO the mean of five lines."""
TOLERANCE = 0.005


def in_wto_terms() -> Scenario:
    return parse_scenario(
        "schema: tariffs.scenario/v1\nid: wto\ntitle: wto\nbasis: hypothesis\nchanges:\n"
        "  - {op: terminate, measures: {id: cn.s232}, at: 2025-01-01, cite: [a test]}\n",
        "scenario",
    )


def exports_2024() -> pl.DataFrame:
    table = pl.read_parquet(SOURCE / "exports" / "us_exports_china_hs6_2015_2025.parquet").filter(year=2024)
    return table.group_by("hs6").agg(pl.col("fas_value_usd").sum().cast(pl.Float64).alias("customs_value"))


def compared(day: str) -> pl.DataFrame:
    """Rates of the engine and the WTO by subheading, with the value of 2024."""
    totals = pl.read_parquet(SOURCE / "rates" / "china_on_us_hs6_wto_2025_2026.parquet")
    table = exports_2024().join(totals.select("hs6"), on="hs6").select(
        pl.col("hs6").alias("hts"), pl.lit("US").alias("origin"), "customs_value", pl.lit(0.0).alias("in_quota_share"),
        pl.when(pl.col("hs6").is_in([SOYBEANS, "271111"])).then(0.0).alias("cn_excluded_share"),
    )  # fmt: skip
    options = Options(response="none", direction="export", lines=True)
    found = impact(table, [Point(in_wto_terms(), f"{day}T23:00+08:00")], law=LAW, options=options)
    lines = found.scenarios[0].lines
    assert lines is not None
    column = f"pct_{day.replace('-', '_')}"
    return lines.select("hts", "customs_value", ours=pl.col("duty") / pl.col("customs_value")).join(
        totals.select(pl.col("hs6").alias("hts"), theirs=pl.col(column) / 100).drop_nulls(), on="hts"
    )


def with_reasons(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines that differ by more than the tolerance, each with its reason or none."""
    levels = {
        code: max((float(n[8:]) / 1000 for n, p in LAW.lists.items() if n.startswith("CN_S301_") and n[8:].isdigit()
                   and any(one.startswith(code) for one in p.codes)), default=0.0)
        for code in lines.filter((pl.col("ours") - pl.col("theirs")).abs() > TOLERANCE)["hts"]
    }  # fmt: skip
    apart = lines.filter((pl.col("ours") - pl.col("theirs")).abs() > TOLERANCE)
    answered = pl.Series([levels[code] > 0 for code in apart["hts"]])
    over = apart["ours"] > apart["theirs"]
    reason = (
        pl.when(pl.col("hts") == SOYBEANS).then(pl.lit("lines weighted"))
        .when(over & answered).then(pl.lit("exclusion of a part, or a provisional rate"))
    )  # fmt: skip
    return apart.with_columns(reason=reason)


def test_differences_from_the_totals_of_the_wto_have_reasons_on_nine_days() -> None:
    for day in DAYS:
        lines = compared(day)
        named = with_reasons(lines).filter(pl.col("reason").is_null())
        value = float(lines["customs_value"].sum())
        estimated = [
            code for code in lines["hts"] if any(CHINA.is_estimated(part) for part, _ in CHINA.parts_of(code))
        ]
        proven = lines.filter(~pl.col("hts").is_in(estimated))
        rest = named.filter(~pl.col("hts").is_in(estimated))
        share = 1 - float(rest["customs_value"].sum()) / float(proven["customs_value"].sum())
        apart = float(with_reasons(lines)["customs_value"].sum())
        print(
            f"{day}: {value / 1e9:.1f} bn compared, {1 - apart / value:.3f} within half a point; of "
            f"{float(proven['customs_value'].sum()) / 1e9:.1f} bn of stated rates {share:.3f} within it or with "
            f"a reason; not explained: {', '.join(rest.sort('customs_value', descending=True)['hts'].head(40))}"
        )
        assert share > 0.95


def test_the_steps_of_the_notices_are_those_of_the_wto() -> None:
    """From day to day the engine's rates move as the WTO's do, whatever the ordinary rates are."""
    for before, after in itertools.pairwise(DAYS):
        one, other = compared(before), compared(after)
        steps = one.join(other, on="hts", suffix="_after").with_columns(
            ours=pl.col("ours_after") - pl.col("ours"), theirs=pl.col("theirs_after") - pl.col("theirs")
        )
        apart = steps.filter(
            ((pl.col("ours") - pl.col("theirs")).abs() > TOLERANCE) & (pl.col("hts") != SOYBEANS)
        )
        share = float(apart["customs_value"].sum()) / float(steps["customs_value"].sum())
        print(f"{before} to {after}: {share:.4f} of value steps apart: {apart['hts'].to_list()[:20]}")
        assert share < 0.01
