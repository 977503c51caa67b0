"""The hindcast of 2025: a sound table, scores that are what they say, known figures, a wrong sign that fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.__main__ import run
from tariffs.client.desk.outcome_pages import BOARDS
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.response.elasticities.parameters import PATH
from tariffs.engine.validation import hindcast
from tariffs.engine.validation.hindcast import Board, Hindcast, ScoreRow, compare_trade
from tariffs.engine.validation.trade_scores import partner_growth, score, slope_of
from tariffs.importers.trade_outcomes import growth, outcomes
from tests.economics.runs import TOYS, run_of, table_of

ROOT = Path(__file__).parents[2]
AUTUMN = ("2025-09", "2025-11")
BOARD = Board("as-it-came", "entry", "as published", (AUTUMN,))


@pytest.fixture(scope="module")
def autumn() -> Hindcast:
    return compare_trade(boards=[BOARD], draws=0)


def row_of(found: Hindcast, forecast: str, cut: str = "most") -> ScoreRow:
    return next(row for row in found.scores if (row.forecast, row.cut) == (forecast, cut))


def test_the_table_has_the_totals_that_the_census_bureau_states() -> None:
    """Imports for consumption of 2024: 3,251.19 bn of all partners, China 429.43, Mexico 503.44."""
    year = hindcast.read_outcomes().filter(pl.col("month").str.starts_with("2024"))
    sums = dict(year.group_by("origin").agg(pl.col("imports").sum() / 1e9).iter_rows())
    assert len(sums) == 31
    assert (sums[""], sums["CN"], sums["MX"]) == pytest.approx((3251.19, 429.43, 503.44), abs=5e-3)
    assert hindcast.read_outcomes()["month"].max() == "2025-11"


def test_the_importer_takes_partners_and_growth_of_their_share() -> None:
    columns = ("cty_code", "naics3", "year", "month", "customs_value_usd")
    cells = [("5700", 3, 40), ("5700", 9, 30), ("0003", 3, 7), ("TOTAL", 3, 100), ("TOTAL", 9, 150)]
    given = [(code, "334", 2024, month, value) for code, month, value in cells]
    found = outcomes(pl.DataFrame(given, columns, orient="row"), {"5700": "CN"})
    assert found.rows() == [
        ("", "334", "2024-03", 100), ("", "334", "2024-09", 150),
        ("CN", "334", "2024-03", 40), ("CN", "334", "2024-09", 30),
    ]  # fmt: skip
    years = pl.DataFrame(
        {"naics": ["334111", "334111"], "year": [2023, 2024], "customs_value_usd": [100, 120]}
    )
    # The industry grew by 20 %; China's share of it fell from 40 to 20 %.
    assert sorted(growth(found, years)) == [("", "334", "0.2000"), ("CN", "334", "-0.4000")]


def test_scores_are_those_of_known_cells() -> None:
    generator = np.random.default_rng(5)
    ahead = generator.normal(-0.2, 0.1, 200)
    industry = [f"{place % 4}" for place in range(200)]
    effect = np.array([0.1 * int(one) for one in industry])
    cells = pl.DataFrame(
        {
            "origin": [f"{place // 4}" for place in range(200)],
            "industry": industry,
            "before": np.full(200, 1e8),
            "path": np.exp(ahead),
            "realised": np.exp(effect + 1.3 * ahead),
            "early": np.exp(-0.2 * ahead),
        }
    ).with_columns(after=pl.col("before") * pl.col("realised"), low=0.0, high=pl.col("realised") * 1.01)
    found = score(cells, cells, "path", 5e7, ("low", "high"))
    assert found.slope.value == pytest.approx(1.3)
    assert found.placebo.value == pytest.approx(-0.2)
    assert (found.coverage, found.cells) == (1.0, 200)
    of_partners = partner_growth(cells, "path")
    misses = (of_partners["forecast"] - of_partners["realised"]).abs().to_numpy()
    assert found.error == pytest.approx(100 * misses.mean())
    none = score(cells.filter(pl.col("industry") == "0"), cells, "path", 5e8, None)
    assert np.isnan([none.slope.value, none.rank, none.coverage]).all()
    assert none.cells == 0


def test_a_slope_has_effects_of_groups_and_errors_by_hand() -> None:
    x, y = np.array([0.0, 1.0, 0.0, 2.0]), np.array([1.0, 2.0, 5.0, 9.0])
    found = slope_of(y, [x], pl.Series(["a", "a", "b", "b"]), np.ones(4))
    # Within groups: x +-0.5 and +-1, y +-0.5 and +-2; slope 2.25 / 1.25 * ... = (0.5 + 4) / (0.5 + 2).
    assert found.value == pytest.approx(4.5 / 2.5)
    misses = np.array([-0.5, 0.5, -2.0, 2.0]) - found.value * np.array([-0.5, 0.5, -1.0, 1.0])
    meat = ((np.array([-0.5, 0.5, -1.0, 1.0]) * misses) ** 2).sum()
    assert found.error == pytest.approx(np.sqrt(meat) / 2.5)


def test_the_autumn_of_2025_is_what_was_measured(autumn: Hindcast) -> None:
    """Partners' error 8.3 points and 16.7 of no change; slope 1.30, 1.38 beside early growth; placebo -0.20.

    Measured on single days, from 8.2 on 1 October to 8.7 on 1 September; here on the middle of each month.
    """
    path, still = row_of(autumn, PATH).score, row_of(autumn, hindcast.NO_CHANGE).score
    assert path.error == pytest.approx(8.3, abs=0.3)
    assert still.error == pytest.approx(16.7, abs=0.05)
    assert path.cells == 366
    assert path.slope.value == pytest.approx(1.30, abs=0.06)
    assert path.controlled.value == pytest.approx(1.38, abs=0.06)
    assert path.placebo.value == pytest.approx(-0.20, abs=0.03)
    assert path.total == pytest.approx(-0.126, abs=0.01)
    assert path.realised_total == pytest.approx(-0.142, abs=5e-4)
    assert not autumn.wrong_signs
    assert autumn.frozen["unchanged"]
    vietnam = next(row for row in autumn.partners if (row.origin, row.cut) == ("VN", "most"))
    assert (vietnam.forecast, vietnam.realised) == pytest.approx((-0.163, 0.139), abs=5e-3)


def test_ranges_are_of_the_change_of_imports() -> None:
    toys = table_of({TOYS: {"CN": 100.0, "VN": 100.0}}).with_columns(partner="origin", industry=pl.lit("339"))
    found = run_of(toys, on="2025-10-15", by=("partner", "industry"), draws=16)
    path, ranges = hindcast._changes(found, PATH).sort("origin"), hindcast._ranges(found).sort("origin")
    assert ranges["origin"].to_list() == ["CN", "VN"]
    low, ours, high = ranges["p5"], path[PATH], ranges["p95"]
    assert ((low < ours) & (ours < high) & (high < 10.0)).all()


def test_a_wrong_sign_fails(
    autumn: Hindcast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slopes = [replace(one.score.slope, value=-one.score.slope.value) for one in autumn.scores]
    pairs = zip(autumn.scores, slopes, strict=True)
    turned = (replace(one, score=replace(one.score, slope=slope)) for one, slope in pairs)
    wrong = replace(autumn, scores=tuple(turned))
    assert wrong.wrong_signs
    for found, code in ((autumn, 0), (wrong, 1)):
        monkeypatch.setattr(hindcast, "compare_trade", lambda found=found, **given: found)
        assert run(["validate", "trade"]) == code
        assert ("Wrong sign" in capsys.readouterr().out) == bool(code)


@pytest.mark.slow
def test_reversed_changes_have_the_wrong_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = hindcast._changes

    def reversed_changes(*given: Any) -> pl.DataFrame:
        return changes(*given).with_columns((1 / pl.col(given[1])).alias(given[1]))

    monkeypatch.setattr(hindcast, "_changes", reversed_changes)
    month = replace(BOARD, windows=(("2025-10", "2025-10"),))
    assert compare_trade(boards=[month], draws=0).wrong_signs


def test_the_answer_is_json_a_page_and_a_chart(
    autumn: Hindcast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(hindcast, "compare_trade", lambda **given: autumn)
    assert run(["validate", "trade", "--json", "-o", str(tmp_path / "board.svg")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["frozen"]["on"] == "2026-11-30"
    forecasts = {row["forecast"] for row in answer["scores"]}
    assert forecasts >= {PATH, hindcast.NO_CHANGE, "one elasticity", "trend"}
    assert "<svg" in (tmp_path / "board.svg").read_text(encoding="utf-8")
    with Client.local() as client:
        found = client.hindcast()
    assert json.loads(json.dumps(found.to_json_dict())) == answer
    assert found.chart().to_dict()["vconcat"]
    report = found.report(tmp_path / "board.html")
    assert report == (tmp_path / "board.html").read_text(encoding="utf-8")
    assert "the default missed the growth of a partner by 8." in report
    assert run(["validate", "trade", "-o", "board.pdf"]) == 2
    capsys.readouterr()
    assert run(["validate", "trade", "--markdown"]) == 0
    page = (ROOT / "docs" / "hindcast.md").read_text(encoding="utf-8")
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| without")]
    assert shown
    for line in shown:
        # The page has coverage too, in the last cell, which this run without draws leaves out.
        assert line.rsplit("|", 2)[0] in page


def test_boards_are_chosen_by_day() -> None:
    with Client.local() as client, pytest.raises(InvalidRequest) as refused:
        client.hindcast("2025-06-01")
    assert refused.value.reason == "PARAMETER_INVALID"
    rules = load_yaml(hindcast.RULES)
    assert tuple(board["known_on"] for board in rules["boards"]) == BOARDS
    assert hindcast.months_between("2025-11", "2026-02") == ["2025-11", "2025-12", "2026-01", "2026-02"]


@pytest.mark.slow
def test_a_board_states_what_is_not_scored() -> None:
    february = replace(BOARD, known_on="2026-02-24", windows=(), stated=("2026-03", "2026-03"))
    found = compare_trade(boards=[february], draws=0)
    assert not found.scores
    assert {row.realised for row in found.partners} == {None}
