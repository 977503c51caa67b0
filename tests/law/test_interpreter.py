"""Engine and plain interpreter agree on random laws and random lines: layer by layer, to the cent."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import law_from_raw
from tariffs.engine.law.amendments import change_from_mapping
from tests.law.harness import differences, duties, quote_of
from tests.law.interpreter import Reading
from tests.law.random_law import OPS, event, random_law
from tests.law.random_world import MOMENTS, UNITS, Draw, Raw, random_line, random_schedule

# (measures in a law, laws, lines of each, how often an act reaches only part of the scope)
SIZES = [
    (6, 30, 15, 0.0),
    (6, 30, 15, 0.3),
    (40, 6, 15, 0.2),
    pytest.param(200, 3, 15, 0.0, marks=pytest.mark.slow),
    pytest.param(200, 2, 15, 0.1, marks=pytest.mark.slow),
]


def lines_of(seed: int, count: int) -> tuple[list[Raw], list[str]]:
    """Lines, and the day whose acts count for each (empty: the law's own)."""
    draw = Draw(seed + 1_000_000)
    lines, known_on = [], []
    for _ in range(count):
        lines.append(random_line(draw))
        known_on.append(draw.moment()[:10] if draw.maybe(0.3) else "")
    return lines, known_on


@pytest.mark.parametrize(("measures", "laws", "count", "narrow"), SIZES)
def test_entry_lines_and_tables_have_what_the_interpreter_reads(
    measures: int, laws: int, count: int, narrow: float, scale: int
) -> None:
    for seed in range(laws * scale):
        raw, rates = random_law(seed, measures, narrow=narrow), random_schedule(seed)
        law, (lines, known_on) = law_from_raw(raw), lines_of(seed, count)
        table = duties(law, lines, rates, known_on)
        for index, (line, known) in enumerate(zip(lines, known_on, strict=True)):
            place = f"law {seed} of {measures}, known on {known or 'the as-of day'}, {line}"
            reading = Reading(raw, line, rates, UNITS, known)
            found = differences(quote_of(law, line, rates, known), reading)
            assert not found, f"{place}: {found}"
            wanted = (float(sum(reading.exact.values())), float(reading.exact_owed))
            assert index not in table.refused, place
            assert (table.duty[index], table.owed[index]) == pytest.approx(wanted, rel=1e-9, abs=1e-6), place


def test_switches_choose_the_law(scale: int) -> None:
    for seed in range(20 * scale):
        raw, rates = random_law(seed, 12), random_schedule(seed)
        line = random_line(Draw(seed))
        for value in ("on", "off"):
            law = law_from_raw(raw).with_switches({"truce": value})
            reading = Reading(raw, line, rates, UNITS, switches={"truce": value})
            assert not differences(quote_of(law, line, rates), reading), f"law {seed}, truce {value}, {line}"


ALTERNATIVES = {"usmca_share": ("0", "1"), "donation": ("yes", "no"), "qualifying_share": ("0", "1")}


def asked_of(raw: Raw, line: Raw) -> list[str]:
    """Facts of two values that the law asks of the line and the line does not declare."""
    moment = Reading(raw, line, random_schedule(0), UNITS).moment
    asks = {name: claim["ask"] for name, claim in raw["claims"].items() if "ask" in claim}
    return [name for name, scope in asks.items() if name not in line["claims"] and moment.reaches(scope)]


def test_min_and_max_are_the_extremes_over_all_answers_to_the_asked_facts(scale: int) -> None:
    seen = 0
    for seed in range(25 * scale):
        raw, rates = random_law(seed, 20, asks=True), random_schedule(seed)
        law, draw = law_from_raw(raw), Draw(seed)
        for _ in range(8):
            line = random_line(draw, whole=True)
            asked = asked_of(raw, line)
            if not set(asked) <= ALTERNATIVES.keys() or (
                "usmca_share" in asked and line["claims"].get("fta_share") == "1"
            ):
                continue
            quote, sums = quote_of(law, line, rates), []
            for answers in itertools.product(*(ALTERNATIVES[name] for name in asked)):
                told = {**line, "claims": line["claims"] | dict(zip(asked, answers, strict=True))}
                sums.append(Reading(raw, told, rates, UNITS).assessed)
            plain = Reading(raw, line, rates, UNITS).assessed
            assert Fraction(quote.assessed) == plain
            assert (Fraction(quote.min), Fraction(quote.max)) == (min(*sums, plain), max(*sums, plain)), (
                f"{seed} {line}"
            )
            seen += min(sums) != max(sums)
    assert seen > 5


def test_a_scenario_acts_on_the_law_as_the_law_acts_on_itself(scale: int) -> None:
    refused = 0
    for seed in range(60 * scale):
        raw, rates = random_law(seed, 8, narrow=0.2), random_schedule(seed)
        draw = Draw(seed + 2_000_000)
        acts = [event(draw, draw.one(OPS), 0.2) for _ in range(draw.dice.randint(1, 3))]
        for act in acts:
            act.pop("switch", None)
            act["measures"] |= {"id": draw.one(("m0", "m1", "m2", "m3_a", "m4"))}
        try:
            law = law_from_raw(raw).with_changes(
                [change_from_mapping(act, f"changes[{i}]", source="scenario") for i, act in enumerate(acts)]
            )
        except ScenarioError as error:
            assert error.reason in {"SUSPENSION_NOT_FOUND", "CHANGE_DATES_REVERSED"}, error  # noqa: PT017
            refused += 1
            continue
        for line in lines_of(seed, 8)[0]:
            found = differences(quote_of(law, line, rates), Reading(raw, line, rates, UNITS, changes=acts))
            assert not found, f"law {seed}, {acts}, {line}: {found}"
    assert refused < 40 * scale


def test_acts_on_a_group_and_on_one_of_its_members_meet() -> None:
    raw, rates = random_law(0, 8), random_schedule(0)
    raw["events"], raw["rules"] = [], []
    one = next(measure for measure in raw["measures"] if measure["id"] == "m1")
    row = {"kind": "add", "rate": "30%", "heading": "9903.01.01"}
    one |= {"modelled": "yes", "status": "", "switch": {}, "displaces_at_zero": "no"}
    one["periods"] = [{"id": "m1_a", "from": MOMENTS[0], "cite": [], "conf": "C", "rows": [row]}]
    one["events"] = [
        {"op": "set_rate", "from": MOMENTS[10], "rate": "10%", "measures": {"origins": ["EU"]}},
        {"op": "set_rate", "from": MOMENTS[12], "by": "+5pp", "measures": {"origins": ["FR"]}},
    ]
    line = {**random_line(Draw(0)), "origin": "FR", "entry": MOMENTS[14], "claims": {}}
    assert not differences(quote_of(law_from_raw(raw), line, rates), Reading(raw, line, rates, UNITS))
