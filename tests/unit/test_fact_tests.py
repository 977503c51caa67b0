"""Tests of facts in tables: more than a machine word holds, and a typed error far beyond."""

from __future__ import annotations

import polars as pl
import pytest

from tariffs.engine.errors import LawError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.rating import fact_tests
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import Scenario, apply_scenario, check_scenario, library, parse_scenario
from tariffs.engine.schedule.lines import load_schedule

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


def test_more_tests_of_facts_than_the_limit_are_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_tests, "TESTS_AT_MOST", 60)
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


@pytest.mark.parametrize("processing", [0.5, 61.5, 62.5, 68.5, 139.5])
def test_a_row_that_tests_more_facts_than_a_word_has_bits_is_rated_as_on_an_entry_line(
    processing: float,
) -> None:
    """The first row that fits charges: the value is above 0, above 1 and so on to above 139."""
    law = apply_scenario(load_law(), with_tests_of_value(140))
    table = TABLE.with_columns(processing_value=pl.lit(processing))
    found = impact(
        table,
        [Point(library()["base"], "2026-11-24")],
        law=law,
        options=Options(response="none", by=("authority",)),
    )
    line = EntryLine("9503000073", "CN", "10000", "2026-11-24", claims={"processing_value": str(processing)})
    charged = {layer.authority: float(layer.amount) for layer in quote_line(law, line).layers if layer.amount}
    assert dict(found.scenarios[0].groups.select("authority", "duty").rows()) == charged


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
