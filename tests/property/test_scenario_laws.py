"""Laws that scenarios obey on any law: what must be the same, what must dominate, what must not grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.law import Law, law_from_raw
from tariffs.engine.law.stacking import IN_LIEU
from tests.law.harness import quote_of
from tests.law.random_law import SOURCED, random_law
from tests.law.random_world import MOMENTS, Draw, Raw, random_line, random_schedule
from tests.law.traps.bench import changed

SEEDS = st.integers(0, 10**6)
POINTS = st.integers(1, len(MOMENTS) - 5)
MEASURE = "m1"
LINES = 8
BLOCKS, LAWS = 3, 14
Answer = list[tuple[str, str, str, Decimal, Decimal]]


def act(op: str, **keys: str) -> Raw:
    """An act on the measure; `since` is the key `from`."""
    renamed: dict[str, Any] = {"from" if key == "since" else key: value for key, value in keys.items()}
    return {"op": op, "measures": {"id": MEASURE}, **renamed}


def make(seed: int, acts: Sequence[Raw] = ()) -> tuple[Law, list[Raw], Any]:
    """A small law whose measure `m1` is under no act but `acts`, some lines, and their schedule."""
    raw, draw = random_law(seed, 8), Draw(seed + 7)
    assert raw["measures"][2]["id"] == MEASURE
    raw["measures"][2]["events"], raw["events"] = list(acts), []
    return law_from_raw(raw), [random_line(draw) for _ in range(LINES)], random_schedule(seed)


def answers(law: Law, lines: Sequence[Raw], rates: Any) -> list[Answer]:
    return [
        [(x.measure, x.heading, x.state, x.amount, x.owed) for x in quote_of(law, line, rates).layers]
        for line in lines
    ]


def charged(found: Sequence[Answer]) -> bool:
    return any(name == MEASURE and amount for layers in found for name, _, _, amount, _ in layers)


def alike(at: Sequence[str], kept: str) -> dict[str, tuple[list[Raw], list[Raw]]]:
    """Pairs of scenarios that must give the same answers on every line; `at` are the instants from their act on."""
    short = act("suspend", since=at[0], until=at[1], on_end="terminate", kept=kept)
    whole = act("suspend", since=at[0], until=at[3], on_end="snap_back", kept=kept)
    second = act("suspend", since=at[1], until=at[3], on_end="snap_back", kept=kept)
    void = act("invalidate", at=at[0], from_beginning="yes")
    later = [
        act("set_rate", since=at[1], rate="90%"),
        act("suspend", since=at[0], until=at[1], on_end="snap_back", kept="3%"),
        act("snap_back", at=at[1]),
    ]
    one = act("set_rate", since=at[0], rate="42%")
    other = {**act("terminate", at=at[1]), "measures": {"id": "m2"}}
    return {
        "a scenario without acts": ([], []),
        "a suspension ended at once": ([{**short, "until": at[3]}, act("snap_back", at=at[0])], []),
        "an extension": ([short, act("extend", until=at[3])], [{**short, "until": at[3]}]),
        "suspensions that touch": ([short, second], [whole]),
        "acts after the end": ([act("terminate", at=at[0]), *later], [act("terminate", at=at[0])]),
        "acts after the expiry": ([act("expire", at=at[0]), *later], [act("expire", at=at[0])]),
        "a ruling that is undone": ([void, act("revalidate")], []),
        "acts on two measures": ([one, other], [other, one]),
    }


@pytest.mark.parametrize("block", range(BLOCKS))
def test_acts_on_a_measure_have_the_effect_that_their_words_say(block: int, scale: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(block, BLOCKS * LAWS * scale, BLOCKS):
        law, lines, rates = make(seed)
        dice = Draw(seed + 11)
        point = dice.dice.randint(1, len(MOMENTS) - 5)
        at = MOMENTS[point:]
        after = [{**line, "entry": at[2]} for line in lines]
        lines = [*lines, *after]
        before = answers(law, lines, rates)
        for name, (acts, others) in alike(at, dice.one(("0%", "5%"))).items():
            wanted = answers(changed(law, *others), lines, rates) if others else before
            assert answers(changed(law, *acts), lines, rates) == wanted, (name, seed)
        rated = act("set_rate", since=at[0], rate="42%", known_from="2024-12-01")
        moved = answers(changed(law, rated), lines, rates)
        assert answers(make(seed, [rated])[0], lines, rates) == moved, ("enacted", seed)
        ended = answers(changed(law, act("terminate", at=at[0])), after, rates)
        void = act("invalidate", at=at[0], from_beginning="yes", collection_stop=at[1])
        again = act("suspend", since=at[0], until=at[2], on_end="snap_back", kept="3%")
        voided = answers(changed(law, void), lines, rates)
        assert all(owed == 0 for layers in voided for measure, *_, owed in layers if measure == MEASURE)
        for found in (ended, voided[LINES:], answers(changed(law, void, again), after, rates)):
            assert all(measure != MEASURE for layers in found for measure, *_ in layers), seed
        seen += Counter(charged=charged(before[LINES:]), void=charged(voided), moved=moved != before)
    assert {name for name in ("charged", "void", "moved") if seen[name] < scale} == set()


@given(SEEDS, st.sampled_from(["", "steel", "us"]))
def test_a_measure_of_rate_zero_never_changes_duty(seed: int, term: str) -> None:
    law, lines, rates = make(seed)
    base = {"base": {term: "1"}} if term else {}
    row = {"kind": "add", "rate": "0%", "heading": "9903.99.99", **base}
    period = {"id": "zero_a", "from": "2025-01-01T00:01-05:00", **SOURCED, "rows": [row]}
    zero = {"id": "zero", "authority": "zero", **SOURCED, "periods": [period]}
    more = changed(law, {"op": "add", "measure": zero})
    for line in lines:
        metals = {"aluminum_share": "0", "copper_share": "0", "steel_share": "0.5"}
        told = {**line, "claims": line["claims"] | metals} if term == "steel" else line
        one, other = (quote_of(each, told, rates) for each in (law, more))
        assert (one.assessed, one.owed) == (other.assessed, other.owed)


@given(SEEDS, POINTS, st.sampled_from([("0%", "30%"), ("20%", "30%"), ("5%", "90%")]))
def test_a_higher_rate_lowers_a_layer_only_by_a_rule_that_it_names(
    seed: int, point: int, pair: tuple[str, str]
) -> None:
    """What a line no longer pays was taken by a stacking rule, or is in lieu; the layer says which."""
    raw = random_law(seed, 24)
    row = {"kind": "add", "rate": "5%", "heading": "9903.99.99"}
    period = {"id": "m1_a", "from": MOMENTS[0], **SOURCED, "rows": [row]}
    raw["measures"][2] |= {"periods": [period], "events": [], "switch": {}, "modelled": "yes", "status": ""}
    raw["rules"] += [
        {"id": "dearest", "one_of": [MEASURE, "m2", "m3", "m4", "m5"], "pick": "highest", **SOURCED},
        {"id": "outside", "when": [MEASURE], "on": ["m6", "m7", "m8", "m9"], "take": "all", **SOURCED},
    ]
    law, draw, rates = law_from_raw(raw), Draw(seed), random_schedule(seed)
    told = {"claims": {"steel_share": "0"}, "entry": MOMENTS[point]}
    laws = [changed(law, act("set_rate", since=MOMENTS[point], rate=rate)) for rate in pair]
    for line in ({**random_line(draw), **told} for _ in range(12)):
        low, high = (quote_of(one, line, rates) for one in laws)
        before = {layer.measure: layer.amount for layer in low.layers}
        lost = [layer for layer in high.layers if layer.amount < before.get(layer.measure, Decimal(0))]
        assert lost or high.assessed >= low.assessed
        for layer in lost:
            named = layer.why.get("rule", "")
            assert named == IN_LIEU or named in {rule.id for rule in law.rules}, (line, layer)


@given(SEEDS)
def test_two_halves_of_a_line_are_the_line_up_to_rounding(seed: int) -> None:
    law, lines, rates = make(seed)
    rows = [row for measure in law.measures.values() for period in measure.periods for row in period.rows]
    if any(len(row.tiers) > 1 for row in rows):
        return
    for line in (line for line in lines if "processing_value" not in line["claims"]):
        whole, left, right = (
            quote_of(law, {**line, "value": value, "quantity": quantity}, rates)
            for value, quantity in (("10000", "800"), ("2500", "200"), ("7500", "600"))
        )
        rounding = Decimal("0.01") * (len(whole.layers) + 2)
        assert abs(whole.assessed - left.assessed - right.assessed) <= rounding
