"""Tests of facts in tables: as many as a number of bits holds, and a typed error beyond."""

from __future__ import annotations

import polars as pl
import pytest

from tariffs.engine.assess import EntryLine, assess_line
from tariffs.engine.errors import LawError
from tariffs.engine.impact import Options, Point, impact
from tariffs.engine.law import load_law
from tariffs.engine.scenario import Scenario, apply_scenario, check_scenario, parse_scenario

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\nchanges:\n"
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
    charged = {layer.measure: layer.amount for layer in assess_line(law, line).layers}
    assert charged["steps"] == 100
