"""Reactions of partners: the mean duty on their goods, the rate that they add, and what is not computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Impact, Options, Point, ScenarioImpact, impact
from tariffs.engine.runs.sweeps.seek import Target, Vary, seek
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, library, parse_scenario

DAY, HIGHER, LOWER = "2027-02-01", "forced-labor-20-on-china", "fentanyl-zero"
BEANS = pl.DataFrame(
    {
        "hts": ["1201.90"] * 2,
        "origin": ["US", "BR"],
        "customs_value": [10e9, 30e9],
        "freight": [1e9, 0.0],
        "destination": ["CN"] * 2,
    }
)


def run_of(
    names: Sequence[str | Scenario] = ("base", HIGHER), table: pl.DataFrame | None = None, **given: Any
) -> Impact:
    points = [Point(library()[name] if isinstance(name, str) else name, DAY) for name in names]
    options = {"direction": "export", "horizon": "short", "by": ("destination",), "baseline": "2025-01-01"}
    return impact(table, points, law=load_law(), options=Options(**{**options, **given}))


def rates_of(found: Impact, name: str = HIGHER) -> dict[str, float]:
    facts: Any = found.provenance["reaction"]
    rates: dict[str, float] = facts["rates"][f"{name}@{found.scenarios[0].on}"]
    return rates


def notes_of(block: ScenarioImpact, reason: str) -> list[str]:
    return [note.message for note in block.notes if note.reason == reason]


def mean_duty(scenario: str, origin: str) -> float:
    """Mean duty on the embedded imports of an origin, from sums by chapter."""
    options = Options(response="none", by=("origin", "hts2"))
    found = impact(None, [Point(library()[scenario], DAY)], law=load_law(), options=options)
    rows = found.scenarios[0].groups.filter(origin=origin).to_dicts()
    entered = math.fsum(row["customs_value"] - row["prohibited_value"] for row in rows)
    return math.fsum(row["duty"] for row in rows) / entered


def answered(rate: float, market: str = "CN") -> Scenario:
    """Write the scenario whose author adds a rate to all goods of the United States."""
    return parse_scenario(
        f"""
schema: tariffs.scenario/v1
id: answered
title: Answered by hand
basis: hypothesis
parents: [{HIGHER}]
changes:
  - op: add
    measure:
      id: by_hand
      title: By hand
      authority: reaction
      direction: export
      destination: {market}
      periods:
        - {{id: by_hand, from: "{DAY}T00:00", rows: [{{origins: [US], rate: "{rate!r}"}}]}}
""",
        "test",
    )


@pytest.fixture(scope="module")
def found() -> Impact:
    return run_of(reaction=1.0)


def test_the_rate_is_the_rise_of_the_mean_duty(found: Impact) -> None:
    rise = mean_duty(HIGHER, "CN") - mean_duty("base", "CN")
    assert rise > 0.02
    assert rates_of(found) == {"CA": 0.0, "CN": pytest.approx(rise, abs=1e-9), "JP": 0.0}
    assert rates_of(run_of(reaction=2.0)) == {"CA": 0.0, "CN": pytest.approx(2 * rise, abs=2e-9), "JP": 0.0}


@pytest.mark.parametrize("response", ["none", "armington", "passthrough", "gsim"])
def test_it_is_the_scenario_that_adds_the_rate_by_hand(found: Impact, response: str) -> None:
    rate = rates_of(found)["CN"]
    reacted = run_of(reaction=1.0, response=response).scenarios[1]
    by_hand = run_of(["base", answered(rate)], response=response).scenarios[1]
    for name, value in by_hand.total.items():
        expected = None if value is None else pytest.approx(value, rel=1e-12, abs=1e-3)
        assert reacted.total[name] == expected, name
    assert reacted.groups.drop("destination").equals(by_hand.groups.drop("destination"))
    if response != "none":
        assert (reacted.total["value_vs"] or 0.0) < -1e9


def test_goods_of_the_united_states_alone_pay_it_on_the_value_at_the_border() -> None:
    names = ("base", HIGHER)
    plain, reacted = (
        run_of(names, BEANS, reaction=slope, by=("origin",), response="none").scenarios[1].groups
        for slope in (0.0, 1.0)
    )
    rate = rates_of(run_of(names, BEANS, reaction=1.0, response="none"))["CN"]
    duty, before = (dict(each.select("origin", "duty").iter_rows()) for each in (reacted, plain))
    assert duty["BR"] == before["BR"]
    assert duty["US"] - before["US"] == pytest.approx(rate * 11e9, rel=1e-12)


def test_without_a_rise_or_a_slope_nothing_changes(found: Impact) -> None:
    plain = run_of()
    assert found.scenarios[0].total == plain.scenarios[0].total
    assert found.scenarios[0].groups.equals(plain.scenarios[0].groups)
    assert run_of(reaction=0.0).provenance["run_digest"] == plain.provenance["run_digest"]
    assert found.provenance["run_digest"] != plain.provenance["run_digest"]
    lower = run_of([LOWER], reaction=1.0)
    assert lower.scenarios[0].total == run_of([LOWER]).scenarios[0].total
    assert any("adds nothing" in text for text in notes_of(lower.scenarios[0], "REACTION"))


def test_authorities_and_attribution_name_the_answer() -> None:
    reacted = run_of(reaction=1.0, by=("destination", "authority"), attribute=True).scenarios[1]
    rows = reacted.groups.filter(authority="reaction")
    assert rows["destination"].to_list() == ["CN"]
    assert rows["duty"][0] > 1e9
    assert reacted.attribution is not None
    own = reacted.attribution.filter(pl.col("text").str.contains("reaction.cn"))
    assert own["duty"].sum() == pytest.approx(rows["duty"][0], rel=1e-9)


def test_draws_have_the_answer() -> None:
    reacted, plain = (run_of(reaction=slope, draws=16).scenarios[1].ranges for slope in (1.0, 0.0))
    assert reacted is not None
    assert plain is not None
    column = pl.col("column") == "value_after"
    assert reacted.total.filter(column)["p95"][0] < plain.total.filter(column)["p95"][0]


def test_notes_say_what_is_answered_and_whose_answers_are_not_computed() -> None:
    higher = parse_scenario(
        """
schema: tariffs.scenario/v1
id: higher
title: Ten points on two countries
basis: hypothesis
changes:
  - op: add
    measure:
      id: ten
      title: Ten
      authority: ten
      periods: [{id: ten, from: 2027-01-01T00:01-05:00, rows: [{origins: [CN, VN], rate: 10%}]}]
""",
        "test",
    )
    block = run_of([higher], reaction=1.0).scenarios[0]
    canada, china, japan = notes_of(block, "REACTION")
    assert canada.startswith("CA: ")
    assert canada.endswith("it adds nothing.")
    assert japan.startswith("JP: ")
    assert "slope of 1, an assumption" in china
    (unknown,) = notes_of(block, "REACTION_UNKNOWN")
    assert unknown.startswith("Not computed: answers of 1 other origins")
    assert "VN" in unknown
    facts: Any = run_of([higher], reaction=1.0).provenance["reaction"]
    assert "assumption" in facts["source"]
    other: Any = run_of([higher], reaction=0.5).provenance["reaction"]
    assert (other["slope"], other["source"]) == (0.5, "given")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"direction": "import", "by": ("origin",)}, "exports of the United States"),
        ({"horizon": "path"}, "no day on which it began"),
        ({"reaction": -1.0}, "slope of reactions is -1"),
        ({"reaction": math.inf}, "slope of reactions is inf"),
        ({"to": "VN"}, "no market 'VN'"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run_of(**{"reaction": 1.0, **given})


def test_each_component_of_a_mixture_has_an_answer_of_its_own() -> None:
    parts = "[{scenario: forced-labor-20-on-china, weight: 25%}, {scenario: base, weight: 75%}]"
    mixture = parse_scenario(
        "schema: tariffs.scenario/v1\nid: odds\ntitle: Odds\nbasis: hypothesis\nmixture: " + parts, "test"
    )
    found = run_of(["base", HIGHER, mixture], reaction=1.0)
    base, higher, mixed = found.scenarios
    for name in ("duty", "value_after", "landed_after"):
        values = [block.groups.sort("destination")[name].to_numpy() for block in (base, higher, mixed)]
        np.testing.assert_allclose(values[2], 0.75 * values[0] + 0.25 * values[1], rtol=1e-12)
    facts: Any = found.provenance["reaction"]
    rates = facts["rates"]
    assert rates[f"odds/{HIGHER}@{DAY}"] == rates[f"{HIGHER}@{DAY}"]
    assert rates[f"odds/base@{DAY}"] == {"CA": 0.0, "CN": 0.0, "JP": 0.0}
    assert any(text.startswith(f"{HIGHER}: CN: ") for text in notes_of(mixed, "REACTION"))


def test_answers_are_those_of_all_markets_whatever_the_goods() -> None:
    whole, beans = (rates_of(run_of(table=table, reaction=1.0)) for table in (None, BEANS))
    assert beans == whole


def test_runs_over_many_days_or_points_have_no_reactions() -> None:
    options, law = Options(direction="export", horizon="short", reaction=1.0), load_law()
    scenario = library()["rates-by-country"]
    runs = (
        lambda: timeline(None, [scenario], DAY, DAY, law=law, options=options),
        lambda: sweep(None, scenario, [{"cn": "20%"}], on=DAY, law=law, options=options),
        lambda: seek(
            None, scenario, Vary("cn", "0%", "20%"), Target("duty", 5e8, {}), on=DAY, law=law, options=options
        ),
    )
    for run in runs:
        with pytest.raises(InputError, match="takes no reaction"):
            run()
