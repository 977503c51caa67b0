"""Sums that hold under any law and scenario: attributions add up, and mixtures are linear in their weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import TariffsError
from tariffs.engine.law import Law, law_from_raw
from tariffs.engine.law.amendments import change_from_mapping
from tariffs.engine.runs.attribution import SHAPLEY, Attribution, attribute
from tariffs.engine.runs.finish import total_row
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import Scenario, parse_scenario
from tariffs.engine.scenario.apply import apply_change, apply_scenario
from tariffs.engine.schedule.reference_data import reference_table
from tests.conftest import SCALE
from tests.law.random_law import event, random_law
from tests.law.random_world import CHAPTERS, MOMENTS, ORIGINS, Draw, Raw

SEEDS = st.integers(0, 10**6)
EXACT = 1e-9
START, DAY, END = MOMENTS[16], MOMENTS[17][:10], MOMENTS[20]
SUMS = ("duty", "duty_owed", "duty_after")
MEASURES = 16
MOST_ACTS = 2 if SCALE == 1 else 3
OPS = (
    "set_rate",
    "set_rate",
    "suspend",
    "terminate",
    "exempt",
    "invalidate",
    "enjoin",
    "snap_back",
    "extend",
)
# Acts that need nothing of other acts, so that they mean the same in any order.
LONE_OPS = ("set_rate", "suspend", "terminate", "exempt")


@cache
def goods() -> pl.DataFrame:
    """Lines of 2024 in the chapters and from the origins that random laws are about."""
    table = reference_table().filter(
        pl.col("hts").str.slice(0, 4).is_in(CHAPTERS), pl.col("origin").is_in(ORIGINS)
    )
    return table.sort("hts", "origin").gather_every(max(1, table.height // 40))


def valuer(seed: int) -> TableRun:
    """A random law over the goods, responding from its own first day."""
    law = law_from_raw(random_law(seed, MEASURES))
    options = Options(by=("origin",), baseline="2025-01-02", horizon="long")
    return TableRun(goods(), law, options, RunContext(None, None))


def acts(law: Law, draw: Draw, ops: Sequence[str], wanted: int, *, distinct: bool) -> list[Raw]:
    """Acts at START that the law can take in this order, on measures in force then; on different ones if asked."""
    in_force = law.in_force(datetime.fromisoformat(START))
    names = [one.measure.id for one in in_force.actives if one.measure.authority != "ordinary"]
    found: list[Raw] = []
    for _ in range(6 * wanted if names else 0):
        act = event(draw, draw.one(ops), 0.1)
        act["measures"]["id"] = draw.one(names)
        act |= {key: moment for key, moment in (("from", START), ("at", START), ("until", END)) if key in act}
        act = {key: value for key, value in act.items() if key not in {"known_from", "switch"}}
        if distinct and act["measures"]["id"] in {one["measures"]["id"] for one in found}:
            continue
        try:
            law = apply_change(law, change_from_mapping(act, f"changes[{len(found)}]", source="scenario"))
        except TariffsError:
            continue  # nothing to extend or end
        found.append(act)
        if len(found) == wanted:
            break
    return found


def written(name: str, changes: Sequence[Raw]) -> Scenario:
    head = {"schema": "tariffs.scenario/v1", "id": name, "title": "Random", "basis": "hypothesis"}
    return parse_scenario(json.dumps({**head, "changes": list(changes)}))


def checked(found: TableRun, first: Scenario, second: Scenario) -> Attribution:
    """The split, after checking that it sums to the difference and its parts to the whole."""
    split = attribute(found, first, second, DAY)
    before, after = (total_row(found.sums(found.outcomes(one, DAY))) for one in (first, second))
    for name in SUMS:
        ours, theirs = after[name] or 0.0, before[name] or 0.0
        scale = max(abs(ours), abs(theirs), 1.0)
        assert split.rows[name].sum() == pytest.approx(ours - theirs, abs=EXACT * scale)
    parts = split.rows.select(gap=(pl.col("duty") + pl.col("behavioural") - pl.col("duty_after")).abs())
    assert (parts["gap"] <= EXACT * max(abs(after["duty"] or 0.0), 1.0)).all()
    return split


@given(SEEDS)
def test_an_attribution_sums_to_the_difference(seed: int) -> None:
    draw, found = Draw(seed), valuer(seed)
    law = found.law
    first = written("one", acts(law, draw, OPS, draw.dice.randint(0, MOST_ACTS - 1), distinct=False))
    second = written("two", acts(law, draw, OPS, draw.dice.randint(1, MOST_ACTS), distinct=False))
    checked(found, first, second)


@given(SEEDS)
def test_the_order_of_acts_on_different_measures_does_not_matter_to_their_shares(seed: int) -> None:
    draw, found = Draw(seed), valuer(seed)
    changes = acts(found.law, draw, LONE_OPS, 2, distinct=True)
    base = written("base", [])
    splits = [checked(found, base, written("two", order)) for order in (changes, list(reversed(changes)))]
    assert {split.method for split in splits} == {SHAPLEY}
    sums = [split.rows.group_by("text").agg(pl.col("duty_after").sum()) for split in splits]
    scale = max(total_row(found.sums(found.outcomes(base, DAY)))["duty_after"] or 0.0, 1.0)
    assert dict(sums[0].iter_rows()) == pytest.approx(dict(sums[1].iter_rows()), abs=EXACT * scale)


@given(SEEDS, st.floats(0.0, 1.0))
def test_a_mixture_is_linear_in_its_weights(seed: int, weight: float) -> None:
    draw, found = Draw(seed), valuer(seed)
    scenarios = [written(name, acts(found.law, draw, OPS, 2, distinct=False)) for name in ("one", "two")]
    laws, weights = [apply_scenario(found.law, one) for one in scenarios], (weight, 1.0 - weight)
    alone = [total_row(found.sums([found.outcome(law, found.dated(law, DAY))])) for law in laws]
    parts = [
        found.outcome(law, found.dated(law, DAY), share) for law, share in zip(laws, weights, strict=True)
    ]
    mixed = total_row(found.sums(parts))
    for name in (*SUMS, "landed", "value_after"):
        expected = sum(share * (one[name] or 0.0) for share, one in zip(weights, alone, strict=True))
        assert mixed[name] == pytest.approx(expected, rel=EXACT, abs=1e-3)
