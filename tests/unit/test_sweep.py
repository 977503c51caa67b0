"""Sweeps: ranges and grids of points, of which every one is the impact of the scenario with its values."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tariffs.engine.errors import InputError, ScenarioError, ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.law.notes import Note
from tariffs.engine.response.elasticities.parameters import parameters_for
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.sweeps import sweep as sweep_module
from tariffs.engine.runs.sweeps.sweep import Sweep, shortened, sweep
from tariffs.engine.runs.sweeps.sweep_points import (
    POINTS_AT_MOST,
    Points,
    check_count,
    expand,
    grid,
    point_frame,
)
from tariffs.engine.scenario import Scenario, library, parse_scenario
from tests.unit.result_frames import assert_agree
from tests.unit.scenario_tables import DAY, HEAD, TABLE


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0%:1.5%:0.5%", ["0%", "0.5%", "1%", "1.5%"]),
        ("0%:1%:0.3%", ["0%", "0.3%", "0.6%", "0.9%"]),
        ("0:0.3:0.1", ["0", "0.1", "0.2", "0.3"]),
        ("-5pp:+5pp:5pp", ["-5pp", "+0pp", "+5pp"]),
        ("x0.5:x1.5:0.5", ["x0.5", "x1", "x1.5"]),
        ("7%:7%:1%", ["7%"]),
        ("2026-12-30:2027-01-02", ["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]),
        ("2026-11-01:2026-11-20:7d", ["2026-11-01", "2026-11-08", "2026-11-15"]),
        ("2026-11-01:2026-11-20:7", ["2026-11-01", "2026-11-08", "2026-11-15"]),
        ("12.5%", ["12.5%"]),
        ("2026-02-24T00:00-05:00", ["2026-02-24T00:00-05:00"]),
        ("off", ["off"]),
    ],
)
def test_a_range_has_both_ends_and_exact_steps(text: str, values: list[str]) -> None:
    assert expand("cn", [text]) == values


def test_ranges_of_rates_have_no_rounding() -> None:
    values = [Decimal(value.rstrip("%")) for value in expand("cn", ["0%:100%:0.1%"])]
    assert values == [Decimal(index) / 10 for index in range(1001)]


@pytest.mark.parametrize(
    "texts",
    [
        ["0%:50%"], ["50%:0%:1%"], ["0%:50%:0%"], ["0%:50%:-1%"], ["0%:0.5:1%"], ["x1:2:x1"], ["0%:50%:0.01"],
        ["2026-01-01:5%"], ["2026-01-02:2026-01-01"], ["2026-01-01:2026-02-01:0"], ["2026-01-01:2026-02-01:1w"],
        ["0%:100%:0.00001%"], [], [""], ["5%", " "],
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_read_is_an_error(texts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        expand("cn", texts)
    assert caught.value.reason == "PARAMETER_INVALID"
    assert caught.value.fix


def test_a_grid_has_all_combinations_the_last_parameter_fastest() -> None:
    points = grid({"cn": ["0%:20%:10%"], "vn": ["5%", "x2"]})
    expected = itertools.product(["0%", "10%", "20%"], ["5%", "x2"])
    assert [(point["cn"], point["vn"]) for point in points] == list(expected)


def test_one_point_more_than_the_limit_is_refused() -> None:
    check_count(POINTS_AT_MOST)
    assert len(grid({"cn": ["0%:99.9%:0.1%"], "vn": ["0%:99%:1%"]})) == POINTS_AT_MOST
    for count in (0, POINTS_AT_MOST + 1):
        with pytest.raises(InputError) as caught:
            check_count(count)
        assert caught.value.reason == "PARAMETER_INVALID"
    with pytest.raises(InputError, match="101,000 points"):
        grid({"cn": ["0%:100.9%:0.1%"], "vn": ["0%:99%:1%", "5%"][:1]})


def test_numbers_and_switches_are_columns_of_floats_and_days_of_text() -> None:
    points = [
        {"rate": "12.5%", "step": "+10pp", "factor": "x0.5", "act": "on", "day": "2026-11-10"},
        {"rate": "0.25", "factor": "x2", "act": "no"},
    ]
    frame = point_frame(points, {"step": "-5pp", "day": "2027-01-01", "unused": "1%"})
    assert frame.equals(
        pl.DataFrame(
            {
                "rate": [0.125, 0.25],
                "step": [0.1, -0.05],
                "factor": [0.5, 2.0],
                "act": [1.0, 0.0],
                "day": ["2026-11-10", "2027-01-01"],
            }
        )
    )


TEXT = HEAD.format(id="family") + (
    "parameters:\n"
    "  cn: {default: 12.5%}\n"
    "  india: {default: 12.5%}\n"
    "  truce: {default: on}\n"
    "  start: {default: 2026-12-01}\nchanges:\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-09-01, rate: $cn, when: $truce}\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [IN]}, from: $start, rate: $india}\n"
    "  - {op: invalidate, measures: {id: s232_auto}, at: 2027-01-05, from_beginning: on, collection_stop: 2027-02-01}\n"
)
STATIC = Options(response="none", by=("origin",))


def family() -> Scenario:
    return parse_scenario(TEXT)


def swept(points: Points, options: Options = STATIC, fixed: Mapping[str, str] | None = None) -> Sweep:
    return sweep(TABLE, family(), points, parameters=fixed, on=DAY, law=load_law(), options=options)


RESPONDING = Options(response="armington", baseline="2025-01-01", horizon="long")
BY_DAY = [{"start": f"2027-01-{day}", "india": f"{day}%", "truce": "off"} for day in ("05", "11", "12", "20")]


@pytest.mark.parametrize(
    ("points", "options"),
    [
        (grid({"cn": ["0%", "33%"], "start": ["2026-12-01", "2027-02-01"]}), STATIC),
        ([{"truce": "off"}, {"cn": "7.5%"}], replace(STATIC, by=("authority", "origin"))),
        ([*BY_DAY, {"start": "2027-01-05", "cn": "3%"}], replace(RESPONDING, by=("hts6",))),
    ],
)
def test_a_sweep_is_the_impact_of_every_point(points: Points, options: Options) -> None:
    found = swept(points, options)
    groups, totals = [], []
    for values in points:
        point = Point(family().with_parameters(values), DAY)
        (block,) = impact(TABLE, [point], law=load_law(), options=options).scenarios
        groups.append(block.groups)
        totals.append(pl.DataFrame([dict(block.total)]).cast(pl.Float64))
    names = found.points.columns
    for ours, theirs in ((found.groups, groups), (found.totals, totals)):
        results = [name for name in ours.columns if name not in names]
        assert_agree(ours.select(results), pl.concat(theirs).select(results))
    assert found.totals.select(names).equals(found.points)


def test_rows_begin_with_the_values_of_their_point() -> None:
    found = swept([{"cn": "20%"}, {"truce": "off", "start": "2027-02-01"}], fixed={"india": "3%"})
    points = pl.DataFrame({"cn": [0.2, 0.125], "truce": [1.0, 0.0], "start": ["2026-12-01", "2027-02-01"]})
    assert found.points.equals(points)
    assert found.groups.columns[:4] == ["cn", "truce", "start", "origin"]
    assert found.groups.select("cn", "truce", "start").unique(maintain_order=True).equals(points)
    assert found.provenance["scenario_parameters"] == {
        "family": {"cn": "12.5%", "india": "3%", "truce": "on", "start": "2026-12-01"}
    }


@pytest.mark.parametrize(
    ("points", "options", "block"),
    [
        # A parameter that the first block leaves alone moves later ones.
        (grid({"india": ["5%", "20%", "0%"], "cn": ["1%:4%:1%"]}), STATIC, 4),
        (grid({"cn": ["1%:40%:3%"]}), replace(RESPONDING, by=("origin", "authority")), 5),
    ],
)
def test_blocks_and_threads_change_no_bit(
    points: Points, options: Options, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARIFFS_THREADS", "1")
    whole = swept(points, options)
    monkeypatch.setenv("TARIFFS_THREADS", "2")
    monkeypatch.setattr(sweep_module, "BLOCK_POINTS", block)
    parted = swept(points, options)
    assert parted.groups.equals(whole.groups)
    assert parted.totals.equals(whole.totals)
    assert whole.totals["duty"].n_unique() == len(points)


def test_a_factor_multiplies_the_elasticities(tmp_path: Path) -> None:
    options = Options(baseline="2025-01-01", by=("origin",), horizon="short")
    codes = TABLE["hts"].str.slice(0, 6).unique(maintain_order=True).to_list()
    central = parameters_for(codes)
    file = tmp_path / "own.csv"
    rows = zip(codes, (2.0 * central.sigma).tolist(), (0.5 * central.eta).tolist(), strict=True)
    file.write_text("hts,sigma,eta\n" + "".join(f"{c},{s!r},{e!r}\n" for c, s, e in rows), encoding="utf-8")
    factors = {"elasticity.sigma": "x2", "elasticity.eta": "x0.5"}
    found = swept([factors, {}], options)
    own = replace(options, parameter_set=str(file))
    for index, expected in enumerate((own, options)):
        (block,) = impact(TABLE, [Point(family(), DAY)], law=load_law(), options=expected).scenarios
        row = found.totals.drop(found.points.columns).row(index, named=True)
        assert row == pytest.approx({name: block.total[name] for name in row}, rel=1e-12)
    assert found.points.rows() == [(2.0, 0.5), (1.0, 1.0)]


def test_weights_of_a_mixture_may_be_swept() -> None:
    names = ("forced-labor-20-on-china", "base")
    text = HEAD.format(id="odds") + "parameters: {lapse: {default: 50%}, extend: {default: 50%}}\nmixture:\n"
    text += "".join(
        f"  - {{scenario: {name}, weight: ${w}}}\n"
        for name, w in zip(names, ("lapse", "extend"), strict=True)
    )
    points = [{"lapse": "25%", "extend": "75%"}, {"lapse": "90%", "extend": "10%"}]
    found = sweep(TABLE, parse_scenario(text), points, on=DAY, law=load_law(), options=STATIC)
    parts = [Point(library()[name], DAY) for name in names]
    lapse, extend = (
        block.total["duty"] or 0.0 for block in impact(TABLE, parts, law=load_law(), options=STATIC).scenarios
    )
    assert lapse > extend > 0.0
    expected = [0.25 * lapse + 0.75 * extend, 0.9 * lapse + 0.1 * extend]
    assert found.totals["duty"].to_list() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("points", "fixed", "reason"),
    [
        ([], {}, "PARAMETER_INVALID"),
        ([{}], {}, "PARAMETER_INVALID"),
        ([{"cn": "1%"}] * (POINTS_AT_MOST + 1), {}, "PARAMETER_INVALID"),
        ([{"cn": "1%"}, {"cm": "1%"}], {}, "PARAMETER_UNKNOWN"),
        ([{"cn": "1%"}], {"cm": "1%"}, "PARAMETER_UNKNOWN"),
        ([{"cn": "1%"}], {"cn": "2%"}, "PARAMETER_INVALID"),
        ([{"cn": "much"}], {}, "PARAMETER_INVALID"),
        ([{"elasticity.rho": "x2"}], {}, "PARAMETER_INVALID"),
        ([{"elasticity.sigma": "2"}], {}, "PARAMETER_INVALID"),
        ([{"elasticity.sigma": "x0"}], {}, "PARAMETER_INVALID"),
    ],
)
def test_points_that_cannot_be_computed_are_errors(
    points: Points, fixed: Mapping[str, str], reason: str
) -> None:
    with pytest.raises((InputError, ScenarioError)) as caught:
        swept(points, fixed=fixed)
    assert caught.value.reason == reason
    assert caught.value.fix


def test_a_name_of_a_result_and_too_many_groups_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXT.replace("cn:", "duty:").replace("$cn", "$duty")
    with pytest.raises(InputError) as caught:
        sweep(TABLE, parse_scenario(text), [{"duty": "5%"}], law=load_law(), options=STATIC)
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", "duty")
    monkeypatch.setattr(sweep_module, "ROWS_AT_MOST", 23)
    with pytest.raises(InputError) as caught:
        swept(grid({"cn": ["0%:2%:1%"]}))
    assert (caught.value.reason, caught.value.metadata["found"]) == ("BATCH_TOO_LARGE", "24")


def test_a_sweep_can_be_cancelled_between_points() -> None:
    stages: list[str] = []
    with pytest.raises(ServiceError) as caught:
        sweep(
            TABLE, family(), grid({"cn": ["0%:9%:1%"]}), on=DAY, law=load_law(), options=STATIC,
            progress=lambda stage, _: stages.append(stage), cancelled=lambda: len(stages) > 2,
        )  # fmt: skip
    assert caught.value.reason == "CANCELLED"
    assert stages[1:] == ["point 1 of 10", "point 2 of 10"]


def test_notes_that_differ_at_every_point_are_few() -> None:
    notes = [Note("QUANTITY_LIMIT", f"point {index}") for index in range(1000)] + [Note("PROHIBITED", "one")]
    kept = shortened(notes)
    assert len(kept) == 22
    assert shortened([*kept, *notes]) == kept
