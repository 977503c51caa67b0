"""Published figures: the file is sound, ours are computed as they say, and whatever is outside has its reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tariffs.client.cli.__main__ import run
from tariffs.engine.law import load_law
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library
from tariffs.engine.validation import economics
from tariffs.engine.validation.economics import published_figures, reproduce, run_name
from tariffs.engine.validation.figures import Comparison, PublishedFigure
from tariffs.engine.validation.measures import MEASURES, TradeSample, weighted

PAGE = Path(__file__).parents[2] / "docs" / "reproduction.md"


@pytest.fixture(scope="module")
def reproduction() -> economics.Reproduction:
    """All figures; a run of the response for every day of a year takes most of the time."""
    return reproduce()


def _rows(reproduction: economics.Reproduction, row: str) -> list[Comparison]:
    return [one for one in reproduction.rows if one.figure.id == row]


def _figure(row: str, measure: str) -> PublishedFigure:
    return next(one for one in published_figures() if (one.id, one.measure) == (row, measure))


def test_every_figure_names_its_run_its_tolerance_and_its_source() -> None:
    """All figures of an episode have one law and one day of knowledge."""
    figures, law = published_figures(), load_law()
    assert {one.id for one in figures} >= {str(row) for row in range(20, 29)}
    days: dict[str, tuple[str, str]] = {}
    for one in figures:
        assert one.measure in MEASURES
        assert one.tolerance > 0.0
        assert one.source
        assert one.horizon in {"impact", "short", "long", "path"}
        assert one.years is None or one.horizon == "path"
        assert one.market == "sector" or "domestic" not in one.measure
        assert one.known_on
        law.with_switches(one.switches)
        for authority in filter(None, (*one.without, one.on_full_value)):
            assert any(authority in measure.parents for measure in law.measures.values())
        assert days.setdefault(one.who, (one.on, one.known_on)) == (one.on, one.known_on)


def test_the_command_prints_the_figures_and_fails_where_one_falls_out_without_a_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown(*rows: Comparison, json_wanted: bool = False) -> tuple[int, str]:
        fake = economics.Reproduction(rows, {"law_version": "x"})
        monkeypatch.setattr(economics, "reproduce", lambda progress: fake)
        code = run(["validate", "economics", *(["--json"] if json_wanted else [])])
        return code, capsys.readouterr().out

    figure, explained = _figure("20", "static_rate"), _figure("28", "static_rise")
    assert not figure.reason  # inside, so nothing explains a distance
    far = figure.value + 2 * figure.tolerance
    assert shown(Comparison(figure, *[figure.value] * 3))[0] == 0
    code, text = shown(Comparison(figure, far, far, far))
    assert code == 1
    assert "not explained" in text
    both = (Comparison(explained, explained.value, 0.1, 0.2), Comparison(explained, 0.5, 0.4, 0.6))
    code, text = shown(*both, json_wanted=True)
    rows = json.loads(text)["rows"]
    assert (code, [row["within"] for row in rows]) == (0, [True, False])
    assert rows[1]["difference"] == pytest.approx(0.5 - explained.value)
    code, text = shown(*both)
    assert code == 0
    assert "no (1)" in text
    assert explained.reason[:30] in text


def test_figures_are_measured_as_they_say() -> None:
    columns = {
        "value": [100.0, 300.0, 100.0], "base": [0.0, 0.1, 0.0], "rate": [0.5, 0.1, 0.2],
        "value_after": [40.0, 320.0, 90.0], "duty_after": [20.0, 32.0, 18.0], "quantity_hat": [0.4, 1.0, 0.9],
        "exporter_price": [0.0, 0.0, 0.0], "power": [40.0, 0.0, 20.0], "buyer_gain": [-3e10, 1e10, 0.0],
        "claimed": [0.0, 0.5, 1.0], "product": [0, 0, 1], "elasticity": [-1.5, -4.0],
        "long_value": [20.0, 340.0, 60.0], "long_duty": [10.0, 34.0, 12.0], "shipments": [1.0, 3.0, 0.0],
        "domestic_price_hat": [1.1, 0.9, 1.0], "domestic_quantity_hat": [1.2, 1.0, 1.0],
    }  # fmt: skip
    trade = TradeSample(**{name: np.array(column) for name, column in columns.items()})
    freed = replace(trade, base=trade.rate, rate=trade.base)
    everything, first = np.ones(3, dtype=bool), np.array([True, False, False])
    known = {name: measure for name, measure in MEASURES.items() if name != "value_change_by_duty"}
    found = {name: measure(trade, everything, everything) for name, measure in known.items()}
    expected = {
        "static_rate": 100 / 500,
        "static_rise": 70 / 500,
        "fall_by_response": 100 / 500 - 70 / 450,
        "claim_share": 250 / 500,
        "value_change": 450 / 500 - 1,
        "quantity_change_where_steep": -0.6,
        "domestic_price_by_duty": 1 / 0.95 - 1,
        "domestic_output_by_duty": 1 / 1.05 - 1,
        "buyers_loss_by_duty": -2e10 / 29.185e12,
        "rate_after": 70 / 450,
        "trade_elasticity": -(4 * 1.5 + 4) / 5,
        "pass_through": 1.0,  # exporters' prices stay
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert MEASURES["value_change_by_duty"](freed, everything, everything) == pytest.approx(200 / 130 - 1)
    # Of the two products one has a single rate; the other falls from 0.2 to 52 / 360, and at long to 44 / 360.
    assert found["adjusted_within"] == pytest.approx((0.2 - 52 / 360) / (0.2 - 44 / 360))
    between = [
        (0.8 - first / (first + second)) * rate + (0.2 - second / (first + second)) * 0.2
        for first, second, rate in ((360, 90, 52 / 360), (360, 60, 44 / 360))
    ]
    assert found["adjusted_between"] == pytest.approx(between[0] / between[1])
    # Together they are the fall by the response.
    assert 0.8 * (0.2 - 52 / 360) + between[0] == pytest.approx(found["fall_by_response"])
    half = replace(trade, exporter_price=-trade.power / 2)
    assert MEASURES["pass_through"](half, everything, everything) == pytest.approx(0.5)
    assert MEASURES["share_before"](trade, first, everything) == pytest.approx(0.2)
    assert MEASURES["share_after"](trade, first, everything) == pytest.approx(40 / 450)


def test_the_text_of_the_page_has_the_figures_of_its_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    cells = [
        [cell.strip() for cell in line.split("|")] for line in page.splitlines() if line.count("|") == 14
    ]
    found = {(row[2], row[3], row[6]): row[8:11] for row in cells}
    ours, low, high = found["Yale 2025-04-09", "share after CN", "long"]
    later, later_low, later_high = found["Yale 2025-05-12", "share after CN", "long"]
    short, path = (found["Census 2025", "value change CN", name][0].lstrip("-") for name in ("short", "path"))
    text = " ".join(page.split())
    assert (
        f"Ours are {ours} % ({high} with the set high, {low} with low) and {later} % ({later_high} to {later_low})."
    ) in text
    assert f"by the horizons `short` ({short} %) and `path` ({path} %)" in text
    assert f"ours after the response is {found['PWBM 2026-02', 'rate after', 'short'][0]} %" in text
    assert (
        f"the claims of 2024 ({found['Yale 2026-02 with IEEPA', 'static rate usmca_basis=2024', 'long'][0]} %)"
        in text
    )


@pytest.mark.slow
def test_an_episode_has_its_range(reproduction: economics.Reproduction) -> None:
    name = run_name(_figure("20", "share_after"))
    chosen = [row for row in reproduction.rows if run_name(row.figure) == name]
    before, after = (
        next(row for row in chosen if row.figure.measure == name) for name in ("share_before", "share_after")
    )
    assert before.ours == before.low == before.high
    assert after.high < after.ours < after.low < before.ours
    assert after.within == (abs(after.difference) <= after.figure.tolerance)
    assert reproduction.provenance["law_digest"] == load_law().digest


@pytest.mark.slow
def test_the_duties_of_2018_cost_buyers_what_was_published(reproduction: economics.Reproduction) -> None:
    imports, loss = _rows(reproduction, "30")
    assert -0.32 < imports.ours < -0.25
    assert loss.within


@pytest.mark.slow
def test_the_decision_on_ieepa_lies_between_metal_content_and_full_value(
    reproduction: economics.Reproduction,
) -> None:
    rows = _rows(reproduction, "27")
    content, full = (row for row in rows if row.figure.without and not row.figure.switches)
    assert (content.figure.on_full_value, full.figure.on_full_value) == ("", "s232.metals")
    assert content.ours < content.figure.value < full.ours
    assert f"{full.ours * 100:.1f} %" in content.figure.reason


@pytest.mark.slow
def test_all_figures_are_near_or_have_a_reason_and_are_those_of_the_page(
    reproduction: economics.Reproduction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A reason belongs to a distance: a row that is inside must fall out loudly.
    assert [row.figure for row in reproduction.rows if row.within and row.figure.reason] == []
    monkeypatch.setattr(economics, "reproduce", lambda progress: reproduction)
    assert run(["validate", "economics", "--markdown"]) == 0
    printed = capsys.readouterr().out.strip()
    page = PAGE.read_text(encoding="utf-8")
    for line in printed.splitlines():
        assert line in page


def test_samples_are_summed_with_weights() -> None:
    fields = {name: np.array([1.0, 2.0]) for name in TradeSample.__dataclass_fields__}
    one = TradeSample(**{**fields, "product": np.array([0, 1])})
    other = replace(one, value_after=np.array([5.0, 6.0]))
    mean = weighted([(0.25, one), (0.75, other)])
    assert mean.value_after.tolist() == [4.0, 5.0]
    assert mean.value.tolist() == [1.0, 2.0]
    assert mean.product.tolist() == [0, 1]


@pytest.mark.slow
def test_the_trade_of_a_year_is_the_mean_over_its_days(reproduction: economics.Reproduction) -> None:
    (row,) = (row for row in _rows(reproduction, "33") if row.figure.horizon == "path")
    options = Options(known_on=row.figure.known_on, by=("origin",))
    found = timeline(
        None, [library()["base"]], row.figure.on, row.figure.until, law=load_law(), options=options
    )
    china = found.scenarios[0].averages.filter(origin="CN")
    assert row.ours == pytest.approx((china["value_after"] / china["customs_value"]).item() - 1.0, rel=1e-9)
