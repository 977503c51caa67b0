"""The world under laws: tariffs by partner, answers of partners, the response of tables, client and command line."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.results.short_names import label_of
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response.world import OneSectorParameters, OneSectorWorld, baseline
from tariffs.engine.response.world.elasticity_draws import elasticity_factors, log_spread
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.sweeps.seek import Target, Vary, seek
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.runs.world import WorldSpec, world
from tariffs.engine.runs.world_tariffs import LawTariffs
from tariffs.engine.scenario import library
from tests.economics.runs import BASELINE, added, lines_of, run_of, scenario_of, total_of
from tests.economics.worlds import ON, TABLE, USA_ON_CHINA, small_sectors

HOME, NAMES, BASE = baseline().home_index, baseline().countries, library()["base"]
WORLD = Options(baseline=BASELINE, response="world")
TEN = scenario_of(f"changes:\n{added('ten', '2026-01-01T00:00', 'origins: [CN], rate: 0.1')}")
UNIFORM = scenario_of(
    f"parameters: {{rate: {{default: 10%}}}}\nchanges:\n{added('uniform', '2026-01-01T00:00', 'rate: $rate')}"
)


def run(*scenarios: Any, on: str = ON, **options: Any) -> Any:
    return run_of(TABLE, *scenarios, on=on, response="world", **options)


@pytest.fixture(scope="module")
def found() -> LawTariffs:
    return LawTariffs(load_law(), Options(), RunContext(None, None), baseline())


def test_tariffs_are_changes_of_the_mean_duty_by_partner(found: LawTariffs) -> None:
    base, more = found.imports(BASE, ON), found.imports(TEN, ON)
    gained = more - base
    assert [NAMES[place] for place in np.flatnonzero(np.abs(gained) > 1e-12)] == ["CHN"]
    assert gained[NAMES.index("CHN")] == pytest.approx(0.1, abs=0.005)
    assert np.abs(found.imports(BASE, "2025-01-01")).max() < 1e-12
    assert base[NAMES.index("CHN")] > 0.05


def test_partners_charge_what_their_law_says_over_all_exports(found: LawTariffs) -> None:
    charged = found.exports(BASE, ON)
    assert {NAMES[place] for place in np.flatnonzero(charged)} == {"CAN", "CHN"}
    assert 0.0 < charged.max() < 0.2


def test_tariffs_by_sector_are_those_of_goods_in_it() -> None:
    labels = ("Agriculture", "Auto", "Services")
    table = replace(small_sectors(1), countries=("USA", "CHN", "ROW"), sectors=labels, home="USA")
    law_tariffs = LawTariffs(load_law(), Options(), RunContext(None, None), table)
    rates = law_tariffs.imports(TEN, ON) - law_tariffs.imports(BASE, ON)
    assert rates.shape == (3, 3)
    assert rates[:2, 1] == pytest.approx(0.1, abs=0.02)
    assert np.abs(rates[:, [0, 2]]).max() < 1e-12
    assert rates[2].tolist() == [0.0, 0.0, 0.0]


def test_a_mixture_is_the_mean_of_its_components() -> None:
    law, spec = load_law(), WorldSpec()
    mixed = scenario_of("mixture: [{scenario: base, weight: 0.25}, {scenario: usmca-lapses, weight: 0.75}]\n")
    parts = [world(law, spec, library()[name], ON).countries["welfare"] for name in ("base", "usmca-lapses")]
    answer = world(law, spec, mixed, ON)
    np.testing.assert_allclose(answer.countries["welfare"], 0.25 * parts[0] + 0.75 * parts[1], atol=1e-12)
    assert len(answer.results) == 2
    (coverage,) = answer.notes
    assert coverage.reason == "WORLD_COVERAGE"
    assert "TW" in coverage.message


@pytest.mark.parametrize(
    ("spec", "scenario", "tariffs", "options", "words"),
    [
        (WorldSpec(model="sectors"), BASE, None, {}, "No table of many sectors"),
        (WorldSpec(), None, None, {}, "one of the two"),
        (WorldSpec(retaliation="law"), None, USA_ON_CHINA[:0], {}, "law"),
        (WorldSpec(retaliation="law"), BASE, None, {"players": ["USA", "CHN"]}, "none with several"),
        (WorldSpec(draws=20), None, USA_ON_CHINA, {}, "power of two"),
        (WorldSpec(draws=16), None, USA_ON_CHINA, {"players": ["USA"]}, "players"),
    ],
)
def test_questions_without_an_answer_are_refused(
    spec: WorldSpec, scenario: Any, tariffs: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        world(load_law(), spec, scenario, tariffs=tariffs, **options)


def test_an_answer_of_partners_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="not vengeful"):
        run(retaliation="vengeful")


def test_goods_of_an_origin_follow_its_trade_in_the_world() -> None:
    found = run(include_lines=True, by=("origin",))
    lines, groups, total = lines_of(found), found.scenarios[0].groups, total_of(found)
    assert lines.filter(hts="9503000073")["quantity_hat"].is_between(0.0, 1.0, closed="none").all()
    assert total["welfare"] is None
    assert total["value_after"] == pytest.approx(lines["value_after"].sum(), rel=1e-12)
    before = run_of(TABLE, on=BASELINE, response="none", by=("origin",)).scenarios[0].groups
    both = {row["origin"]: row for row in groups.join(before, on="origin", suffix="_0").to_dicts()}
    rates = np.zeros_like(baseline().trade)
    codes = {"CN": "CHN", "VN": "VNM", "CA": "CAN", "GB": "GBR"}
    for origin, code in codes.items():
        row = both[origin]
        rates[NAMES.index(code), HOME] = row["effective_rate"] - row["effective_rate_0"]
    result = OneSectorWorld(baseline(), OneSectorParameters()).run(rates)
    for origin in ("CN", "CA"):
        place = NAMES.index(codes[origin]), HOME
        hat = result.trade_after[place] / result.trade_before[place]
        assert both[origin]["value_after"] / both[origin]["customs_value"] == pytest.approx(hat, rel=1e-9)


def test_nothing_moves_without_a_change_and_a_factor_on_theta_moves_a_point() -> None:
    assert total_of(run(baseline=ON))["quantity_hat"] == pytest.approx(1.0, abs=1e-12)
    points = [{"cn": "0%"}, {"cn": "20%", "elasticity.theta": "x1.5"}, {"cn": "20%"}]
    scenario, day = library()["rates-by-country"], "2027-01-11"
    found = sweep(TABLE, scenario, points, on=day, law=load_law(), options=WORLD).totals["value_after"]
    alone = run(scenario.with_parameters({"cn": "20%"}), on=day)
    assert found[2] == total_of(alone)["value_after"]
    assert found[1] < found[2] < found[0]


def welfare_at(rate: str) -> float:
    block = run(UNIFORM.with_parameters({"rate": rate})).scenarios[0]
    return float(block.world.filter(country="USA")["welfare"].item())


def test_a_seek_finds_the_uniform_tariff_that_is_best_for_a_country() -> None:
    def sought(column: str, country: str) -> Any:
        target = Target(column, math.inf, {"country": [country]})
        vary = Vary("rate", "0%", "60%")
        return seek(TABLE, UNIFORM, vary, target, on=ON, law=load_law(), options=WORLD)

    found = sought("welfare", "USA")
    (best,) = found.roots
    assert best.achieved == pytest.approx(welfare_at(f"{best.value:.12f}"), rel=1e-9)
    for other in (best.value - 0.005, best.value + 0.005):
        assert welfare_at(f"{other:.6f}") < best.achieved
    assert found.provenance["seek"]["target"] == ["welfare", "max"]
    with pytest.raises(InputError, match="no result of countries"):
        sought("duty", "USA")
    with pytest.raises(InputError, match="no country ZZ"):
        sought("welfare", "ZZ")


def test_a_seek_finds_the_largest_and_the_least_of_any_result() -> None:
    name, day, vary = "rates-by-country", "2027-01-11", ("cn", "0%", "400%")
    asked: Any = {"vary": vary, "on": day, "baseline": BASELINE, "horizon": "long"}
    with Client.local() as client:
        found = client.seek(TABLE, name, target=("duty_after", "max"), **asked)
        least = client.seek(TABLE, name, target=("value_after", "min"), where={"origin": "CN"}, **asked)
    (best,) = found.roots
    assert isinstance(best.value, float)
    options, target = Options(baseline=BASELINE, horizon="long"), Target("duty_after", best.achieved, {})
    again = seek(TABLE, library()[name], Vary(*vary), target, on=day, law=load_law(), options=options)
    assert again.nearest.achieved == pytest.approx(best.achieved, rel=1e-9)
    assert 0.0 < best.value < 4.0
    assert best.achieved == pytest.approx(found.path["achieved"].max(), rel=1e-11)
    assert [root.value for root in least.roots] == [pytest.approx(4.0, abs=1e-6)]
    assert "largest" in found.words()[0]


@pytest.mark.parametrize("retaliation", ["none", "law", "reciprocal", "optimal"])
def test_partners_answer_in_an_impact_as_in_the_world(retaliation: str) -> None:
    run = TableRun(None, load_law(), replace(WORLD, retaliation=retaliation), RunContext(None, None))
    (outcome,) = run.outcomes(BASE, ON)
    countries = run.countries([outcome])
    assert countries is not None
    expected = world(load_law(), WorldSpec(retaliation=retaliation), BASE, ON).countries
    for column in ("welfare", "wage", "exports"):
        # Prohibited goods keep their duty of the baseline here, and bear none there.
        np.testing.assert_allclose(countries[column], expected[column], atol=1e-5)


def test_a_change_of_a_partners_law_alone_moves_a_run_from_its_day() -> None:
    scenario = scenario_of(
        "parameters: {cn: {default: 25%}}\n"
        "changes: [{op: set_rate, measures: {id: cn.s301}, from: 2026-12-10, rate: $cn}]\n"
    )
    given: dict[str, Any] = {"law": load_law(), "options": replace(WORLD, retaliation="law")}
    totals = timeline(TABLE, [scenario], "2026-12-09", "2026-12-12", **given).scenarios[0].totals
    assert totals["start"].cast(pl.String).to_list() == ["2026-12-09", "2026-12-10"]
    before, after = totals["value_after"]
    assert before != pytest.approx(after, rel=1e-6)
    swept = sweep(TABLE, scenario, [{"cn": "25%"}, {"cn": "60%"}], on="2026-12-12", **given).totals
    assert swept["value_after"][0] == pytest.approx(after, rel=1e-12)
    assert swept["value_after"][1] != pytest.approx(after, rel=1e-6)


def chinese(spec: WorldSpec, *columns: str) -> list[float]:
    countries = world(load_law(), spec, tariffs=USA_ON_CHINA).countries.filter(country="CHN")
    return [float(countries[column].item()) for column in columns]


def test_draws_give_ranges_around_the_answer() -> None:
    plain, drawn = (world(load_law(), WorldSpec(draws=n), tariffs=USA_ON_CHINA).countries for n in (0, 16))
    assert drawn.select(plain.columns).equals(plain)
    factors = elasticity_factors(16)
    assert np.prod(factors) == pytest.approx(1.0)
    assert log_spread() == pytest.approx(np.log(factors).std(), rel=0.1)
    ends = (chinese(WorldSpec(elasticity=4.0 * factors[place]), "welfare") for place in (0, 1, -2, -1))
    first, second, third, last = (found[0] for found in ends)
    low, central, high = chinese(WorldSpec(draws=16), "welfare_p5", "welfare", "welfare_p95")
    # Between 16 equally likely elasticities the fifth percent lies three quarters of a step from the last.
    expected = sorted((first + 0.75 * (second - first), last + 0.75 * (third - last)))
    assert [low, high] == pytest.approx(expected, rel=1e-9)
    assert low < central < high
    assert drawn["welfare_first_order_p5"].null_count() == len(drawn)


def test_an_impact_has_countries_in_every_form(tmp_path: Path) -> None:
    with Client.local() as client:
        found = client.impact(TABLE, ["base"], on=ON, baseline=BASELINE, response="world")
    assert found.world is not None
    assert found.world.drop("scenario", "on").equals(run().scenarios[0].world)
    document: Any = found.to_json_dict()
    assert len(document["scenarios"][0]["world"]) == len(NAMES)
    assert document["scenarios"][0]["total"]["welfare"] is None
    found.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The world in general equilibrium" in page
    bars = page.split('<table class="bars ">')[1].split("</table>")[0]
    largest = found.world.sort("gdp_before", descending=True).head(20).sort("welfare", descending=True)
    labels = [row.split("</th>")[0] for row in bars.split('<th scope="row">')[1:]]
    assert labels == [f"{label_of('country', country)}, base" for country in largest["country"]]
    assert "United States, base" in labels
