"""China's whole duty on goods of the United States by subheading, beside the total that the WTO publishes on nine days.

The WTO takes the mean of the lines of a subheading, leaves out the answer of 2018 to Section 232, counts vehicles at 25
and grants no tariff quota. Compared in its terms, what is left has a reason each or is named.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import parse_scenario

SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "other_direction"
pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")
DAYS = (
    "2025-01-01", "2025-02-10", "2025-03-10", "2025-03-20", "2025-04-10", "2025-04-12", "2025-05-14", "2025-11-10",
    "2026-05-01",
)  # fmt: skip
LAW = load_law().with_switches({"cn_vehicles": "charged"})
CHINA = LAW.markets["CN"]
EQUAL = ("120190",)
"""Subheadings of which the engine counts the lines with trade alone, and the WTO all, equally."""
TOLERANCE = 0.005


IN_WTO_TERMS = (
    "schema: tariffs.scenario/v1\nid: wto\ntitle: wto\nbasis: hypothesis\nchanges:\n"
    "  - {op: terminate, measures: {id: cn.s232}, at: 2025-01-01, cite: [a test]}\n"
)


def exports_2024() -> pl.DataFrame:
    table = pl.read_parquet(SOURCE / "exports" / "us_exports_china_hs6_2015_2025.parquet").filter(year=2024)
    return table.group_by("hs6").agg(pl.col("fas_value_usd").sum().cast(pl.Float64).alias("customs_value"))


def compared(day: str) -> pl.DataFrame:
    """Rates of the engine and the WTO by subheading, with the value of 2024."""
    totals = pl.read_parquet(SOURCE / "rates" / "china_on_us_hs6_wto_2025_2026.parquet")
    parts = {code: [line for line in CHINA.lines if line.startswith(code)] for code in EQUAL}
    table = exports_2024().join(totals.select("hs6"), on="hs6").select(
        pl.col("hs6").replace_strict(parts, default=pl.concat_list("hs6")).alias("hts"),
        pl.col("customs_value") / pl.col("hs6").replace_strict({c: len(parts[c]) for c in EQUAL}, default=1),
        pl.lit("US").alias("origin"), pl.lit(0.0).alias("in_quota_share"),
        pl.when(pl.col("hs6") == "271111").then(0.0).alias("cn_excluded_share"),
    ).explode("hts")  # fmt: skip
    options = Options(response="none", direction="export", include_lines=True)
    found = impact(
        table, [Point(parse_scenario(IN_WTO_TERMS), f"{day}T23:00+08:00")], law=LAW, options=options
    )
    lines = found.scenarios[0].lines
    assert lines is not None
    column = f"pct_{day.replace('-', '_')}"
    sums = lines.group_by(hts=pl.col("hts").str.slice(0, 6)).agg(pl.col("customs_value", "duty").sum())
    return sums.select("hts", "customs_value", ours=pl.col("duty") / pl.col("customs_value")).join(
        totals.select(pl.col("hs6").alias("hts"), theirs=pl.col(column) / 100).drop_nulls(), on="hts"
    )


def with_reasons(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines that differ by more than the tolerance, each with its reason or none."""
    apart = lines.filter((pl.col("ours") - pl.col("theirs")).abs() > TOLERANCE)
    codes = {
        code for name in LAW.lists if re.fullmatch(r"CN_S301_\d+", name) for code in LAW.lists[name].codes
    }
    answered = pl.Series([any(one.startswith(code) for one in codes) for code in apart["hts"]])
    over = apart["ours"] > apart["theirs"]
    reason = pl.when(over & answered).then(pl.lit("exclusion of a part, or a provisional rate"))
    return apart.with_columns(reason=reason)


def is_estimated(code: str) -> bool:
    return any(CHINA.is_estimated(part) for part, _ in CHINA.parts_of(code))


@pytest.mark.parametrize("day", DAYS)
def test_ninety_five_percent_of_value_has_the_total_of_the_wto(day: str) -> None:
    lines = compared(day)
    apart = with_reasons(lines)
    value, estimated = (
        {code: float(worth) for code, worth in one.select("hts", "customs_value").iter_rows()}
        for one in (lines, lines.filter(pl.col("hts").map_elements(is_estimated, pl.Boolean)))
    )
    total = sum(value.values())
    within = 1 - sum(value[code] for code in apart["hts"]) / total
    assert within > 0.95
    # Totals of derived rates come from the same source and prove nothing: without them.
    proven = {code: worth for code, worth in value.items() if code not in estimated}
    others = [row for row in apart.to_dicts() if row["hts"] in proven]
    unexplained = [row["hts"] for row in others if row["reason"] is None]
    assert 1 - sum(proven[row["hts"]] for row in others) / sum(proven.values()) > 0.94
    assert sum(proven[code] for code in unexplained) / sum(proven.values()) < 0.01


def test_the_page_names_every_subheading_that_is_apart(root: Path) -> None:
    page = (root / "docs" / "exports.md").read_text(encoding="utf-8")
    apart = with_reasons(compared(DAYS[0]))
    for reason, start in ((False, "Not explained are"), (True, "The WTO has less in")):
        rows = apart.filter(pl.col("reason").is_not_null() == reason)["hts"].to_list()
        told = page[page.index(start) :].split("\n- ")[0]
        named = set(re.findall(r"\b\d{4}\.\d\d\b", told))
        assert named == {f"{code[:4]}.{code[4:]}" for code in rows if not is_estimated(code)}
