"""Engine and plain interpreter agree to the cent, layer by layer: on random laws, and on random lines of the law."""

from __future__ import annotations

from types import ModuleType

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import law_from_raw
from tests.law import random_exports, random_lines
from tests.law.harness import differences, duties, quote_of
from tests.law.interpreter import Reading
from tests.law.random_law import OPS, event, random_law
from tests.law.random_world import UNITS, Draw, Raw, random_line, random_schedule
from tests.law.traps.bench import changed

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
    lines = [random_line(draw) for _ in range(count)]
    return lines, [draw.moment()[:10] if draw.maybe(0.3) else "" for _ in range(count)]


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
            quote = quote_of(law, line, rates, known)
            found = differences(quote, reading)
            assert 0 <= quote.owed <= quote.assessed == sum(layer.amount for layer in quote.layers), place
            assert quote.min <= quote.assessed <= quote.max, place
            assert all(x.base >= 0 and 0 <= x.owed <= x.amount for x in quote.layers), place
            assert not found, f"{place}: {found}"
            wanted = (float(sum(reading.exact.values())), float(reading.exact_owed))
            assert index not in table.refused, place
            assert (table.duty[index], table.owed[index]) == pytest.approx(wanted, rel=1e-9, abs=1e-6), place


def test_switches_choose_the_law(scale: int) -> None:
    for seed in range(20 * scale):
        raw, rates, line = random_law(seed, 12), random_schedule(seed), random_line(Draw(seed))
        for value in ("on", "off"):
            law = law_from_raw(raw).with_switches({"truce": value})
            reading = Reading(raw, line, rates, UNITS, switches={"truce": value})
            assert not differences(quote_of(law, line, rates), reading), f"law {seed}, truce {value}, {line}"


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
            law = changed(law_from_raw(raw), *acts)
        except ScenarioError as error:
            assert error.reason in {"SUSPENSION_NOT_FOUND", "CHANGE_DATES_REVERSED"}, error  # noqa: PT017
            refused += 1
            continue
        for line in lines_of(seed, 8)[0]:
            found = differences(quote_of(law, line, rates), Reading(raw, line, rates, UNITS, changes=acts))
            assert not found, f"law {seed}, {acts}, {line}: {found}"
    assert refused < 40 * scale


# The blocks of imports are divided among four tests; of exports each test has those of one market.
PARTS = [*((random_lines, part, 4) for part in range(4)), *((random_exports, part, 3) for part in range(3))]


@pytest.mark.parametrize(("goods", "part", "parts"), PARTS)
def test_line_table_and_interpreter_agree(
    goods: ModuleType, part: int, parts: int, scale: int, request: pytest.FixtureRequest
) -> None:
    wanted = request.config.getoption("--random-lines") or 2 * parts * goods.LINES_OF_A_BLOCK * scale
    blocks = range(part, max(parts, -(-wanted // goods.LINES_OF_A_BLOCK)), parts)
    compared = sum(goods.block_of_lines(block) for block in blocks)
    assert compared > 0.8 * len(blocks) * goods.LINES_OF_A_BLOCK
