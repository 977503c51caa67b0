"""Scores by fiscal year: the published method in every digit, sums, duties that end, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response.lanes.adjustment import DutyStep, RateMoves
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.duty_steps import in_force
from tariffs.engine.runs.score.budget import gdp_changes, macro_revenue, projection, tax_offset
from tariffs.engine.runs.score.score import ScoreRun
from tariffs.engine.scenario import Scenario, library
from tariffs.engine.validation.published_scores import compare_scores, published_years
from tariffs.importers import budget as importer
from tests.economics.runs import added, scenario_of

SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "outcomes"
ENGINE = Path(__file__).parents[2] / "engine" / "tariffs" / "engine"
A_YEAR = added(
    "extra", "2026-11-01T00:01-05:00", 'origins: [CN, VN, DE], rate: "5%"', period="to: 2027-10-01T00:01-04:00, ",
    measure="authority: s338",
)  # fmt: skip
ENDS = scenario_of(f"changes:\n{A_YEAR}")


def scored(*scenarios: Scenario, first: int = 2029, last: int = 2029, **options: Any) -> list[pl.DataFrame]:
    given = {"by": ("region",), "score": "2026-02", **options}
    period = f"{first - 1}-10-01", f"{last}-09-30"
    made = ScoreRun(None, scenarios or [library()["base"]], *period, law=load_law(), options=Options(**given))
    found = [made.value(index).score for index in range(made.parts)]
    return [one for one in found if one is not None]


@pytest.fixture(scope="module")
def path() -> list[pl.DataFrame]:
    return scored(library()["base"], ENDS, gdp={"2029": "-0.2%"})


def test_the_published_method_gives_its_years_to_every_digit() -> None:
    found = list(published_years())
    assert len(found) == 40
    tested = [row for row in found if " 2026 by" not in row.figure and " 2027 by" not in row.figure]
    assert len(tested) == 32
    # Its numbers have six digits, which leave less than a tenth of a million dollars.
    assert max(abs(row.ours - row.published) for row in tested) < 1e-4
    assert all(row.within for row in found)


def test_a_duty_that_ends_leaves_exactly_nothing(path: list[pl.DataFrame]) -> None:
    base, ends = path
    assert base["conventional_vs"].to_list() == ends["conventional_vs"].to_list() == [0.0]
    assert ends.drop("conventional_vs").equals(base.drop("conventional_vs"))


def test_columns_add_up_and_follow_their_projection(path: list[pl.DataFrame]) -> None:
    cbo, (row,) = projection("2026-02"), path[0].to_dicts()
    assert row["added_duty"] + row["lost_duty"] == pytest.approx(row["revenue"], rel=1e-12)
    assert row["tax_offset"] == pytest.approx(-0.23 * row["revenue"], rel=1e-12)
    assert row["refunds"] == 0.0
    assert row["conventional"] == pytest.approx(row["revenue"] + row["tax_offset"], rel=1e-12)
    assert row["customs"] == pytest.approx(row["duty_before"] + row["revenue"], rel=1e-12)
    # 3,123.77 bn of 2024 on the growth of imports of goods and services.
    assert row["imports_before"] == pytest.approx(3_123.77e9 * cbo.growth(2029), rel=1e-5)
    assert row["imports_after"] < row["imports_before"]
    assert row["lost_duty"] < 0.0 < row["added_duty"]
    assert row["cbo_customs"] == cbo.customs[2029]
    # CBO: 36.963 bn of revenue for 192.4 bn of output in 2029.
    assert row["macro"] == pytest.approx(-0.002 * 36_013.5e9 * 36.963 / 192.4, rel=1e-3)
    assert row["dynamic"] == pytest.approx(row["conventional"] + row["macro"], rel=1e-12)


def test_refunds_are_of_the_duty_that_a_scenario_leaves_void() -> None:
    base, upheld = scored(
        library()["base"], library()["ieepa-upheld-truce-kept"], first=2026, last=2027, response="none"
    )
    assert base["refunds"].to_list() == [-124.5e9, -41.5e9]
    assert upheld["refunds"].to_list() == [0.0, 0.0]
    assert (base["lost_duty"] == 0.0).all()
    assert (upheld["conventional_vs"] > 1e11).all()


def test_collected_shares_take_their_part_of_added_duty_alone() -> None:
    whole, half, without = (
        scored(response="none", collected=given, by=("origin",))[0]
        for given in ({}, {"all": "50%"}, {"CN": "0", "all": "1"})
    )
    assert half["revenue"][0] == pytest.approx(0.5 * whole["revenue"][0], rel=1e-12)
    assert half["duty_before"][0] == whole["duty_before"][0]
    assert 0.5 * whole["revenue"][0] < without["revenue"][0] < 0.9 * whole["revenue"][0]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"score": "2024-01"}, "score"),
        ({"tax_offset": "mine"}, "tax_offset"),
        ({"collected": {"CN": "2"}}, "collected"),
        ({"collected": {"CN": "0.9"}}, "collected"),
        ({"gdp": {"soon": "-1%"}}, "gdp"),
        ({"direction": "export"}, "direction"),
        ({"first": 2030, "last": 2029}, "end"),
        ({"last": 2040}, "end"),
    ],
)
def test_what_is_no_score_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        scored(**{"response": "none", **given})
    assert caught.value.field == field


def test_offsets_and_rules_are_those_published_by_year() -> None:
    assert [tax_offset("jct_2023", year) for year in (2025, 2026, 2033, 2035)] == [0.242, 0.266, 0.259, 0.259]
    assert (tax_offset("yale", 2030), tax_offset("none", 2030)) == (0.23, 0.0)
    assert macro_revenue(2030, 1e9) == pytest.approx(47.412 / (36_393.7 - 36_148.4) * 1e9, rel=1e-12)
    assert gdp_changes({"2027": "-0.1%", "2029": "0"}, range(2026, 2031)) == {
        2026: 0.0, 2027: -0.001, 2028: -0.001, 2029: 0.0, 2030: 0.0,
    }  # fmt: skip


def test_only_what_is_still_in_force_is_left_of_steps() -> None:
    rates = np.array(
        # A variety a column: up and back, up and half back, down and half back, up twice.
        [[0.1, 0.1, 0.3, 0.0], [0.4, 0.5, 0.1, 0.1], [0.4, 0.2, 0.2, 0.1], [0.1, 0.2, 0.2, 0.3]]
    )
    steps = [
        DutyStep(age, RateMoves.between(before, after))
        for age, before, after in zip((3.0, 2.0, 1.0), rates, rates[1:], strict=False)
    ]
    found = in_force(steps, rates[0])
    left = [
        (step.years, variety, round(before, 9), round(after, 9))
        for step in found
        for variety, before, after in zip(
            step.moves.variety.tolist(), step.moves.before, step.moves.after, strict=True
        )
    ]
    assert left == [(3.0, 1, 0.1, 0.2), (3.0, 2, 0.3, 0.2), (3.0, 3, 0.0, 0.1), (1.0, 3, 0.1, 0.3)]


@pytest.mark.slow
def test_ours_is_beside_the_published_years_with_reasons() -> None:
    assert all(row.within or row.reason for row in compare_scores())


@pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")
def test_the_importer_gives_the_embedded_tables(tmp_path: Path) -> None:
    importer.build(SOURCE, tmp_path)
    for made in tmp_path.rglob("*.csv"):
        assert made.read_bytes() == (ENGINE / made.relative_to(tmp_path)).read_bytes()
