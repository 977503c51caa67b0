"""Reactions of partners: the mean duty on their goods, the rate that they add, and what is not computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Impact, Options, ScenarioImpact
from tariffs.engine.runs.sweeps.seek import Target, Vary, seek
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, library
from tests.economics.runs import added, ranges_of, row_of, run_of, scenario_of, table_of, total_of

DAY, HIGHER, LOWER = "2027-02-01", "forced-labor-20-on-china", "fentanyl-zero"
BEANS = table_of({"1201.90": {"US": 10e9, "BR": 30e9}}).with_columns(
    freight=pl.Series([1e9, 0.0]), destination=pl.lit("CN")
)
NO_RATES = {"CA": 0.0, "CN": 0.0, "JP": 0.0}


def run(*scenarios: str | Scenario, table: pl.DataFrame | None = None, **given: Any) -> Impact:
    options = {"direction": "export", "horizon": "short", "by": ("destination",)}
    return run_of(table, *(scenarios or ("base", HIGHER)), on=DAY, **{**options, **given})


def rates_of(found: Impact, name: str = HIGHER) -> dict[str, float]:
    facts: Any = found.provenance["reaction"]
    rates: dict[str, float] = facts["rates"][f"{name}@{DAY}"]
    return rates


def notes_of(block: ScenarioImpact, reason: str) -> list[str]:
    return [note.message for note in block.notes if note.reason == reason]


def mean_duty(scenario: str) -> float:
    """Mean duty on the embedded imports from China, from sums by chapter."""
    found = run_of(None, scenario, on=DAY, baseline="", response="none", by=("origin", "hts2"))
    rows = found.scenarios[0].groups.filter(origin="CN").to_dicts()
    entered = math.fsum(row["customs_value"] - row["prohibited_value"] for row in rows)
    return math.fsum(row["duty"] for row in rows) / entered


def answered(rate: float) -> Scenario:
    """Write the scenario whose author adds a rate of China to all goods of the United States."""
    by_hand = added(
        "by_hand", f'"{DAY}T00:00"', f'origins: [US], rate: "{rate!r}"',
        measure="authority: reaction, direction: export, destination: CN",
    )  # fmt: skip
    return scenario_of(f"parents: [{HIGHER}]\nchanges:\n{by_hand}")


@pytest.fixture(scope="module")
def found() -> Impact:
    return run(reaction=1.0)


def test_the_rate_is_the_rise_of_the_mean_duty_on_all_goods(found: Impact) -> None:
    rise = mean_duty(HIGHER) - mean_duty("base")
    assert rise > 0.02
    assert rates_of(found) == {**NO_RATES, "CN": pytest.approx(rise, abs=1e-9)}
    assert rates_of(run(reaction=2.0)) == {**NO_RATES, "CN": pytest.approx(2 * rise, abs=2e-9)}
    assert rates_of(run(table=BEANS, reaction=1.0)) == rates_of(found)


@pytest.mark.parametrize("response", ["none", "armington", "passthrough", "gsim"])
def test_it_is_the_scenario_that_adds_the_rate_by_hand(found: Impact, response: str) -> None:
    reacted = run(reaction=1.0, response=response)
    by_hand = run("base", answered(rates_of(found)["CN"]), response=response)
    for name, value in total_of(by_hand, 1).items():
        expected = None if value is None else pytest.approx(value, rel=1e-12, abs=1e-3)
        assert total_of(reacted, 1)[name] == expected, name
    ours, theirs = (one.scenarios[1].groups.drop("destination") for one in (reacted, by_hand))
    assert ours.equals(theirs)
    if response != "none":
        assert total_of(reacted, 1)["value_vs"] < -1e9


def test_goods_of_the_united_states_alone_pay_it_on_the_value_at_the_border() -> None:
    given: Any = {"table": BEANS, "by": ("origin",), "response": "none"}
    reacted, plain = (run(reaction=slope, **given) for slope in (1.0, 0.0))
    duty, before = (
        dict(each.scenarios[1].groups.select("origin", "duty").iter_rows()) for each in (reacted, plain)
    )
    assert duty["BR"] == before["BR"]
    assert duty["US"] - before["US"] == pytest.approx(rates_of(reacted)["CN"] * 11e9, rel=1e-12)


def test_without_a_rise_or_a_slope_nothing_changes(found: Impact) -> None:
    plain = run()
    assert found.scenarios[0].total == plain.scenarios[0].total
    assert found.scenarios[0].groups.equals(plain.scenarios[0].groups)
    assert run(reaction=0.0).provenance["run_digest"] == plain.provenance["run_digest"]
    assert found.provenance["run_digest"] != plain.provenance["run_digest"]
    lower = run(LOWER, reaction=1.0)
    assert total_of(lower) == total_of(run(LOWER))
    assert any("adds nothing" in text for text in notes_of(lower.scenarios[0], "REACTION"))


def test_authorities_attribution_and_draws_have_the_answer() -> None:
    reacted = run(reaction=1.0, by=("destination", "authority"), attribute=True).scenarios[1]
    rows = reacted.groups.filter(authority="reaction")
    assert rows["destination"].to_list() == ["CN"]
    assert rows["duty"][0] > 1e9
    assert reacted.attribution is not None
    own = reacted.attribution.filter(pl.col("text").str.contains("reaction.cn"))
    assert own["duty"].sum() == pytest.approx(rows["duty"][0], rel=1e-9)
    high, without = (ranges_of(run(reaction=slope, draws=16), 1).total for slope in (1.0, 0.0))
    assert row_of(high, "value_after")["p95"] < row_of(without, "value_after")["p95"]


def test_notes_say_what_is_answered_and_whose_answers_are_not_computed() -> None:
    ten = added("ten", "2027-01-01T00:01-05:00", "origins: [CN, VN], rate: 10%", measure="authority: ten")
    higher = scenario_of(f"changes:\n{ten}")
    found, half = (run(higher, reaction=slope) for slope in (1.0, 0.5))
    block = found.scenarios[0]
    canada, china, japan = notes_of(block, "REACTION")
    assert canada.startswith("CA: ")
    assert canada.endswith("it adds nothing.")
    assert japan.startswith("JP: ")
    assert "slope of 1, an assumption" in china
    (unknown,) = notes_of(block, "REACTION_UNKNOWN")
    assert unknown.startswith("Not computed: answers of 1 other origins")
    assert "VN" in unknown
    facts: list[Any] = [one.provenance["reaction"] for one in (found, half)]
    assert "assumption" in facts[0]["source"]
    assert (facts[1]["slope"], facts[1]["source"]) == (0.5, "given")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reaction": -1.0}, "slope of reactions is -1"),
        ({"reaction": math.inf}, "slope of reactions is inf"),
        ({"to": "VN"}, "no market 'VN'"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(**{"reaction": 1.0, **given})


def test_each_component_of_a_mixture_has_an_answer_of_its_own() -> None:
    parts = f"mixture: [{{scenario: {HIGHER}, weight: 25%}}, {{scenario: base, weight: 75%}}]"
    found = run("base", HIGHER, scenario_of(parts, "odds"), reaction=1.0)
    for name in ("duty", "value_after", "landed_after"):
        columns = [block.groups.sort("destination")[name].to_numpy() for block in found.scenarios]
        np.testing.assert_allclose(columns[2], 0.75 * columns[0] + 0.25 * columns[1], rtol=1e-12)
    assert rates_of(found, f"odds/{HIGHER}") == rates_of(found)
    assert rates_of(found, "odds/base") == NO_RATES
    assert any(text.startswith(f"{HIGHER}: CN: ") for text in notes_of(found.scenarios[2], "REACTION"))


RATES = library()["rates-by-country"]
GIVEN: Any = {"law": load_law(), "options": Options(direction="export", horizon="short", reaction=1.0)}


@pytest.mark.parametrize(
    "asked",
    [
        lambda: timeline(None, [RATES], DAY, DAY, **GIVEN),
        lambda: sweep(None, RATES, [{"cn": "20%"}], on=DAY, **GIVEN),
        lambda: seek(None, RATES, Vary("cn", "0%", "20%"), Target("duty", 5e8, {}), on=DAY, **GIVEN),
    ],
)
def test_runs_over_many_days_or_points_have_no_reactions(asked: Callable[[], object]) -> None:
    with pytest.raises(InputError, match="takes no reaction"):
        asked()
