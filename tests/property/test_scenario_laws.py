"""Laws that scenarios obey on any law: what must be the same, what must dominate, what must not grow."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.law import Law, law_from_raw
from tariffs.engine.law.amendments import change_from_mapping
from tariffs.engine.law.stacking import IN_LIEU
from tests.law.harness import quote_of
from tests.law.random_law import random_law
from tests.law.random_world import MOMENTS, Draw, Raw, random_line, random_schedule

SEEDS = st.integers(0, 10**6)
POINTS = st.integers(1, len(MOMENTS) - 5)
MEASURE = "m1"
LINES = 12
Answer = list[tuple[str, str, str, Decimal, Decimal]]


def changed(law: Law, *acts: Raw) -> Law:
    return law.with_changes(
        [change_from_mapping(act, f"changes[{i}]", source="scenario") for i, act in enumerate(acts)]
    )


def act(op: str, **keys: str) -> Raw:
    """An act on the measure; `since` is the key `from`."""
    renamed: dict[str, Any] = {"from" if key == "since" else key: value for key, value in keys.items()}
    return {"op": op, "measures": {"id": MEASURE}, **renamed}


def make(seed: int, acts: Sequence[Raw] = ()) -> tuple[Law, list[Raw], Any]:
    """A small law whose measure `m1` is under no act but `acts`, some lines, and their schedule."""
    raw = random_law(seed, 8)
    for measure in raw["measures"]:
        if measure["id"] == MEASURE:
            measure["events"] = list(acts)
    raw["events"] = []
    draw = Draw(seed + 7)
    return law_from_raw(raw), [random_line(draw) for _ in range(LINES)], random_schedule(seed)


def with_later(lines: Sequence[Raw], point: int) -> list[Raw]:
    """The lines, and each again as entered after an act of that point."""
    return [*lines, *({**line, "entry": MOMENTS[point + 2]} for line in lines)]


def answers(law: Law, lines: Sequence[Raw], rates: Any) -> list[Answer]:
    return [
        [(x.measure, x.heading, x.state, x.amount, x.owed) for x in quote_of(law, line, rates).layers]
        for line in lines
    ]


def totals(law: Law, lines: Sequence[Raw], rates: Any) -> list[tuple[Decimal, Decimal]]:
    quotes = [quote_of(law, line, rates) for line in lines]
    return [(quote.assessed, quote.owed) for quote in quotes]


@given(SEEDS)
def test_an_empty_scenario_is_the_law(seed: int) -> None:
    law, lines, rates = make(seed)
    assert answers(changed(law), lines, rates) == answers(law, lines, rates)


@given(SEEDS, POINTS)
def test_a_suspension_ended_at_once_is_none(seed: int, point: int) -> None:
    law, lines, rates = make(seed)
    undone = changed(
        law,
        act("suspend", since=MOMENTS[point], until=MOMENTS[point + 3], on_end="terminate"),
        act("snap_back", at=MOMENTS[point]),
    )
    assert answers(undone, lines, rates) == answers(law, lines, rates)


@given(SEEDS, POINTS, st.sampled_from(["0%", "5%"]))
def test_an_extension_is_one_longer_suspension(seed: int, point: int, kept: str) -> None:
    law, lines, rates = make(seed)
    start, end, later = MOMENTS[point], MOMENTS[point + 1], MOMENTS[point + 3]
    short = act("suspend", since=start, until=end, on_end="terminate", kept=kept)
    long = {**short, "until": later}
    extended = changed(law, short, act("extend", until=later))
    assert answers(extended, lines, rates) == answers(changed(law, long), lines, rates)


@given(SEEDS, POINTS, st.sampled_from(["0%", "5%"]))
def test_suspensions_that_touch_are_one(seed: int, point: int, kept: str) -> None:
    law, lines, rates = make(seed)
    start, middle, end = MOMENTS[point], MOMENTS[point + 1], MOMENTS[point + 3]
    first = act("suspend", since=start, until=middle, on_end="terminate", kept=kept)
    second = act("suspend", since=middle, until=end, on_end="snap_back", kept=kept)
    whole = act("suspend", since=start, until=end, on_end="snap_back", kept=kept)
    assert answers(changed(law, first, second), lines, rates) == answers(changed(law, whole), lines, rates)


@given(SEEDS, POINTS, st.sampled_from(["terminate", "expire"]))
def test_the_end_of_a_measure_dominates_what_is_done_to_it_later(seed: int, point: int, op: str) -> None:
    law, lines, rates = make(seed)
    end = act(op, at=MOMENTS[point])
    later = [
        act("set_rate", since=MOMENTS[point + 1], rate="90%"),
        act("suspend", since=MOMENTS[point], until=MOMENTS[point + 1], on_end="snap_back", kept="3%"),
        act("snap_back", at=MOMENTS[point + 1]),
    ]
    ended = changed(law, end)
    assert answers(changed(law, end, *later), lines, rates) == answers(ended, lines, rates)
    after = [{**line, "entry": MOMENTS[point + 2]} for line in lines]
    assert all(measure != MEASURE for layers in answers(ended, after, rates) for measure, *_ in layers)


@given(SEEDS, POINTS)
def test_an_invalidation_dominates_and_nothing_it_voids_is_owed(seed: int, point: int) -> None:
    law, lines, rates = make(seed)
    void = act("invalidate", at=MOMENTS[point], from_beginning="yes", collection_stop=MOMENTS[point + 1])
    later = act("suspend", since=MOMENTS[point], until=MOMENTS[point + 2], on_end="snap_back", kept="3%")
    found = answers(changed(law, void), lines, rates)
    assert all(owed == 0 for layers in found for measure, _, _, _, owed in layers if measure == MEASURE)
    after = [{**line, "entry": MOMENTS[point + 3]} for line in lines]
    for scenario in (changed(law, void), changed(law, void, later)):
        assert all(measure != MEASURE for layers in answers(scenario, after, rates) for measure, *_ in layers)


@given(SEEDS, POINTS)
def test_what_is_revalidated_was_never_void(seed: int, point: int) -> None:
    law, lines, rates = make(seed)
    void = act("invalidate", at=MOMENTS[point], from_beginning="yes")
    assert answers(changed(law, void, act("revalidate")), lines, rates) == answers(law, lines, rates)


@given(SEEDS, POINTS)
def test_the_law_and_a_scenario_say_the_same_in_the_same_words(seed: int, point: int) -> None:
    law, lines, rates = make(seed)
    lines = with_later(lines, point)
    same = act("set_rate", since=MOMENTS[point], rate="42%", known_from="2024-12-01")
    enacted, _, _ = make(seed, [same])
    assert answers(enacted, lines, rates) == answers(changed(law, same), lines, rates)


@given(SEEDS, POINTS)
def test_the_order_of_acts_on_different_measures_does_not_matter(seed: int, point: int) -> None:
    law, lines, rates = make(seed)
    lines = with_later(lines, point)
    one = act("set_rate", since=MOMENTS[point], rate="42%")
    other = {**act("terminate", at=MOMENTS[point + 1]), "measures": {"id": "m2"}}
    assert answers(changed(law, one, other), lines, rates) == answers(changed(law, other, one), lines, rates)


@given(SEEDS)
def test_owed_is_at_most_assessed_and_bases_are_never_negative(seed: int) -> None:
    raw = random_law(seed, 40, narrow=0.1)
    law, draw, rates = law_from_raw(raw), Draw(seed), random_schedule(seed)
    for _ in range(4):
        quote = quote_of(law, random_line(draw), rates)
        assert 0 <= quote.owed <= quote.assessed == sum(layer.amount for layer in quote.layers)
        assert quote.min <= quote.assessed <= quote.max
        assert all(layer.base >= 0 and 0 <= layer.owed <= layer.amount for layer in quote.layers)


@given(SEEDS, st.sampled_from(["", "steel", "us"]))
def test_a_measure_of_rate_zero_never_changes_duty(seed: int, term: str) -> None:
    law, lines, rates = make(seed)
    base = {"base": {term: "1"}} if term else {}
    row = {"kind": "add", "rate": "0%", "heading": "9903.99.99", **base}
    period = {"id": "zero_a", "from": "2025-01-01T00:01-05:00", "cite": [], "conf": "C", "rows": [row]}
    zero = {"id": "zero", "authority": "zero", "cite": [], "conf": "C", "periods": [period]}
    declared = [{**line, "claims": {"steel_share": "0.5", **line["claims"]}} for line in lines]
    for told in (lines, [line for line in declared if not _over(line)]):
        if term == "steel" and told is lines:
            continue
        assert totals(changed(law, {"op": "add", "measure": zero}), told, rates) == totals(law, told, rates)


def _over(line: Raw) -> bool:
    return (
        sum(Decimal(line["claims"].get(f"{metal}_share", "0")) for metal in ("steel", "aluminum", "copper"))
        > 1
    )


@given(SEEDS, POINTS)
def test_a_higher_rate_of_one_measure_without_rules_never_lowers_duty(seed: int, point: int) -> None:
    raw = random_law(seed, 8)
    raw["rules"] = []
    for measure in raw["measures"]:
        for period in measure["periods"]:
            period["rows"] = [row for row in period["rows"] if row.get("kind") != "total"]
    law, draw, rates = law_from_raw(raw), Draw(seed), random_schedule(seed)
    drawn = [{**random_line(draw), "claims": {"steel_share": "0"}} for _ in range(LINES)]
    lines = with_later(drawn, point)
    low, high = (
        totals(changed(law, act("set_rate", since=MOMENTS[point], rate=rate)), lines, rates)
        for rate in ("20%", "30%")
    )
    assert all(more[0] >= less[0] for less, more in zip(low, high, strict=True))


def plain(measure: Raw) -> Raw:
    """A measure that depends on no switch and is charged."""
    return {name: value for name, value in measure.items() if name not in {"switch", "modelled", "status"}}


@given(SEEDS, POINTS, st.sampled_from([("0%", "30%"), ("20%", "30%"), ("5%", "90%")]))
def test_a_higher_rate_lowers_a_layer_only_by_a_rule_that_it_names(
    seed: int, point: int, pair: tuple[str, str]
) -> None:
    """What a line no longer pays was taken by a stacking rule, or is in lieu; the layer says which."""
    raw = random_law(seed, 24)
    row = {"kind": "add", "rate": "5%", "heading": "9903.99.99"}
    period = {"id": "m1_a", "from": MOMENTS[0], "cite": [], "conf": "C", "rows": [row]}
    raw["measures"] = [
        {**plain(m), "periods": [period], "events": []} if m["id"] == MEASURE else m for m in raw["measures"]
    ]
    raw["rules"] += [
        {
            "id": "dearest",
            "one_of": [MEASURE, "m2", "m3", "m4", "m5"],
            "pick": "highest",
            "cite": [],
            "conf": "C",
        },
        {
            "id": "outside",
            "when": [MEASURE],
            "on": ["m6", "m7", "m8", "m9"],
            "take": "all",
            "cite": [],
            "conf": "C",
        },
    ]
    law, draw, rates = law_from_raw(raw), Draw(seed), random_schedule(seed)
    told = {"claims": {"steel_share": "0"}, "entry": MOMENTS[point]}
    lines = [{**random_line(draw), **told} for _ in range(LINES)]
    laws = [changed(law, act("set_rate", since=MOMENTS[point], rate=rate)) for rate in pair]
    for line in lines:
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
    for line in lines:
        whole = {**line, "value": "10000", "quantity": "800"}
        parts = [
            {**line, "value": value, "quantity": quantity}
            for value, quantity in (("2500", "200"), ("7500", "600"))
        ]
        if _is_tiered(law):
            continue
        one, (left, right) = quote_of(law, whole, rates), (quote_of(law, part, rates) for part in parts)
        rounding = Decimal("0.01") * (len(one.layers) + 2)
        declared = "processing_value" in line["claims"]
        assert declared or abs(one.assessed - left.assessed - right.assessed) <= rounding


def _is_tiered(law: Law) -> bool:
    return any(
        len(row.tiers) > 1 for m in law.measures.values() for period in m.periods for row in period.rows
    )


def test_the_laws_above_are_about_duties_that_are_charged() -> None:
    """Count how often a claim above is put to the test: its measure is charged where its act would end it."""
    seeds = range(40)
    counts = dict.fromkeys(("charged after the act", "void", "moved by the rate", "raised"), 0)
    for seed in seeds:
        law, lines, rates = make(seed)
        point = seed % (len(MOMENTS) - 5) + 1
        lines = with_later(lines, point)
        before = answers(law, lines, rates)
        counts["charged after the act"] += _charged(before[LINES:])
        void = act("invalidate", at=MOMENTS[point], from_beginning="yes", collection_stop=MOMENTS[point + 1])
        counts["void"] += _charged(answers(changed(law, void), lines, rates))
        low, high = (
            changed(law, act("set_rate", since=MOMENTS[point], rate=rate)) for rate in ("20%", "30%")
        )
        counts["moved by the rate"] += answers(low, lines, rates) != before
        counts["raised"] += totals(low, lines, rates) != totals(high, lines, rates)
    assert {name: count for name, count in counts.items() if count < len(seeds) // 6} == {}


def _charged(found: Sequence[Answer]) -> bool:
    return any(name == MEASURE and amount for layers in found for name, _, _, amount, _ in layers)
