"""Tests of facts in tables: as many as a number of bits holds, and a typed error beyond."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace

import polars as pl
import pytest

from tariffs.engine.errors import LawError
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.rating import classes
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import Scenario, apply_scenario, check_scenario, library, parse_scenario
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.reference_data import reference_table

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\nchanges:\n"
HEADINGS = sorted({code[:4] for code in load_schedule().children("")})
TABLE = pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"], "customs_value": [10000.0]})


def with_tests_of_value(count: int) -> Scenario:
    """A measure on toys whose rows test a claim in so many ways."""
    rows = "".join(
        f"            - {{rate: 1%, products: ['9503'], if: [processing_value > {n}]}}\n"
        for n in range(count)
    )
    text = (
        f"{HEAD}  - op: add\n    measure:\n      id: steps\n      authority: steps\n      periods:\n"
        f"        - id: steps_1\n          from: 2026-01-01\n          rows:\n{rows}"
    )
    assert [problem for problem in check_scenario(text, load_law()) if problem.severity == "error"] == []
    return parse_scenario(text)


def test_more_tests_of_facts_than_a_table_can_tell_apart_are_a_typed_error() -> None:
    with pytest.raises(LawError) as caught:
        impact(
            TABLE,
            [Point(with_tests_of_value(70), "2026-11-24")],
            law=load_law(),
            options=Options(response="none"),
        )
    assert caught.value.reason == "TOO_MANY_TESTS"
    assert caught.value.exit_code == 4
    assert caught.value.fix


def test_an_entry_line_has_no_such_limit() -> None:
    law = apply_scenario(load_law(), with_tests_of_value(70))
    line = EntryLine("9503000073", "CN", "10000", "2026-11-24", claims={"processing_value": "69.50"})
    charged = {layer.measure: layer.amount for layer in quote_line(law, line).layers}
    assert charged["steps"] == 100


def with_apart_tests(count: int) -> Scenario:
    """A measure whose rows test a claim in so many ways, each on goods of its own heading."""
    rows = "".join(
        f"            - {{rate: 1%, products: ['{heading}'], if: [processing_value > {n}]}}\n"
        for n, heading in enumerate(HEADINGS[:count])
    )
    return parse_scenario(
        f"{HEAD}  - op: add\n    measure:\n      id: steps\n      authority: steps\n      periods:\n"
        f"        - id: steps_1\n          from: 2026-01-01\n          rows:\n{rows}"
    )


def test_tests_of_different_goods_may_be_more_than_the_bits() -> None:
    """Each heading has a test of its own; the duty is 1 percent where the value of processing is above it."""
    scenario = with_apart_tests(90)
    codes = [next(code for code in load_schedule().children(heading)) for heading in HEADINGS[:90]]
    table = pl.DataFrame(
        {
            "hts": [*codes, *codes],
            "origin": ["CH"] * 180,
            "customs_value": [10_000.0] * 180,
            "processing_value": [n + 0.5 for n in range(90)] + [n - 0.5 for n in range(90)],
        }
    )
    found = impact(
        table,
        [Point(scenario, "2026-11-24")],
        law=load_law(),
        options=Options(response="none", by=("authority",)),
    ).scenarios[0]
    steps = found.groups.filter(pl.col("authority") == "steps")
    assert steps["duty"].sum() == pytest.approx(90 * 100)


@pytest.mark.parametrize("day", ["2025-06-20", "2026-11-20", "2027-02-15"])
def test_shared_bits_change_no_duty(monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    """The same lines with as few bits as they need: every group owes the same to the last bit."""
    table = claiming(reference_table().gather_every(400))
    options = Options(response="none", by=("origin", "hts2"))

    def groups(law: Law) -> pl.DataFrame:
        return impact(table, [Point(library()["base"], day)], law=law, options=options).scenarios[0].groups

    expected = groups(load_law())
    for limit in range(36, 62, 2):
        monkeypatch.setattr(classes, "TESTS_AT_MOST", limit)
        with contextlib.suppress(LawError):
            found = groups(replace(load_law()))
            break
    assert limit < 50
    assert found.equals(expected)


def claiming(table: pl.DataFrame) -> pl.DataFrame:
    """Lines that declare facts of every type, each on some of them."""
    dice = random.Random(62)
    count = table.height

    def some(values: list[object]) -> list[object]:
        return [dice.choice(values) if dice.random() < 0.4 else None for _ in range(count)]

    return table.with_columns(
        us_content_share=pl.Series(some([0.1, 0.2, 0.5]), dtype=pl.Float64),
        steel_share=pl.Series(some([0.1, 0.5, 0.9]), dtype=pl.Float64),
        metal_weight_share=pl.Series(some([0.1, 0.15, 0.5]), dtype=pl.Float64),
        us_metal_share=pl.Series(some([0.8, 0.85, 0.95, 1.0]), dtype=pl.Float64),
        civil_aircraft_share=pl.Series(some([0.0, 0.3, 1.0]), dtype=pl.Float64),
        smelt_cast_origin=pl.Series(some(["RU", "US", "CN"]), dtype=pl.String),
        loading_date=pl.Series(some(["2025-04-01", "2025-06-10", "2026-07-01"]), dtype=pl.String),
    )
