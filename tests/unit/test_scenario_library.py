"""The scenario library: complete, valid under the published schema, with totals that agree with figures by hand."""

from __future__ import annotations

import itertools
import json
import re
from functools import cache
from typing import Any

import polars as pl
import pytest
import yaml

from tariffs.client.cases.case_file import read_cases
from tariffs.client.demo.founding_question import SCENARIOS
from tariffs.engine.law import load_law
from tariffs.engine.scenario import apply_scenario, check_scenario, difference, library, named
from tariffs.engine.scenario.schema import json_schema
from tariffs.engine.schedule.reference_data import reference_table
from tests.conftest import ROOT
from tests.unit.scenario_tables import MINE, faults

NUMBERS = {f"KL-{number:02}" for number in range(1, 21)} | {"X-21", "X-22", "X-23"}
TOTALS = {file.stem: read_cases(file) for file in (ROOT / "tests" / "law" / "library").glob("*.yaml")}
"""Cases of imports and of exports by day, which `tariffs test` compares with what comes."""
BEFORE, AFTER = "2025-12-01", "2027-01-11"


def test_every_number_has_a_scenario_with_a_source() -> None:
    tags = {tag for scenario in library().values() for tag in scenario.tags}
    assert tags >= NUMBERS
    for scenario in library().values():
        assert scenario.title
        assert len(scenario.description) > 60
        assert scenario.cite
        assert not re.search(r"kl-|^x-\d", scenario.id)


def test_none_has_an_error_and_two_are_the_same_as_base() -> None:
    """IEEPA refunds and the lapse of the truce are what the law has."""
    found = {
        name: {problem.reason for problem in check_scenario(one.text, load_law(), one.source)}
        for name, one in library().items()
    }
    assert set().union(*found.values()) == {"SAME_AS_BASE", "CHANGE_HAS_NO_EFFECT", "NOT_MODELLED"}
    same = [name for name, reasons in found.items() if "SAME_AS_BASE" in reasons]
    assert same == ["ieepa-refunds", "truce-lapses"]


def test_the_schema_is_that_of_the_parser_and_the_library_is_of_it() -> None:
    published = json.loads((named.HERE.parent / "schema.json").read_text(encoding="utf-8"))
    assert published == json_schema(), "write json.dumps(json_schema(), indent=1) to schema.json"
    for scenario in library().values():
        document = yaml.load(scenario.text, Loader=yaml.BaseLoader)
        assert faults(document) == [], scenario.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "Upper Case"},
        {"basis": "guess"},
        {"surprise": "1"},
        {"changes": [{"op": "nope"}]},
        *(
            {"changes": [{"op": "terminate", "measures": {"id": "x"}, **more}]}
            for more in ({}, {"at": "soon"})
        ),
        {"changes": [{"op": "terminate", "measures": {"ids": "x"}, "at": "2027-01-01"}]},
        {"mixture": [{"scenario": "base"}]},
    ],
)
def test_what_the_parser_refuses_the_schema_refuses(wrong: dict[str, Any]) -> None:
    right = yaml.load(MINE, Loader=yaml.BaseLoader)
    assert faults(right) == []
    assert faults({**right, **wrong})


def test_every_scenario_has_its_totals_among_the_cases() -> None:
    assert len(TOTALS) == 3
    for case in [case for cases in TOTALS.values() for case in cases]:
        assert set(case.expect["total"]) == set(case.scenarios) == set(library()), (
            "run `tariffs test --record`"
        )


@cache
def imports(*origins: str) -> float:
    """Customs value of 2024 from these origins, in US dollars."""
    return float(reference_table().filter(pl.col("origin").is_in(origins))["customs_value"].sum())


def duty(name: str, day: str) -> float:
    return float(TOTALS[day][0].expect["total"][name]["duty"])


def change(name: str, day: str) -> float:
    return duty(name, day) - duty("base", day)


def test_stored_results_are_the_figures_computed_by_hand_from_the_trade_table() -> None:
    # EO 14357: 10 % on every article from 2025-11-10; the table declares no donation and no informational material.
    assert change("fentanyl-zero", BEFORE) == pytest.approx(-0.10 * imports("CN", "HK"), rel=1e-9)
    # A duty of 100 percent on an origin is its imports.
    assert change("rare-earths-cut-answered", AFTER) == pytest.approx(imports("CN"), rel=1e-9)
    assert change("russian-oil-buyers", AFTER) == pytest.approx(imports("CN", "IN", "TR"), rel=1e-9)
    # From 12.5 to 20 percent is 7.5 points up on the same goods on which 12.5 points are taken off.
    raised = change("forced-labor-20-on-china", AFTER)
    assert raised == pytest.approx(-change("forced-labor-zero-on-china", AFTER) * 7.5 / 12.5, rel=1e-9)
    assert raised > 0
    kept, lapsed = duty("truce-extended", AFTER), duty("truce-lapses", AFTER)
    assert duty("truce-even-odds", AFTER) == pytest.approx((kept + lapsed) / 2, rel=1e-12)
    assert kept < lapsed


def compared() -> list[tuple[str, ...]]:
    """Pairs of scenarios of one question: of the demo, and of commands and Python calls in the documentation."""
    questions = [[*SCENARIOS]]
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        asked = re.findall(r"^\$? ?tariffs (?:impact|timeline|scenario diff) .*$", text, re.MULTILINE)
        asked += re.findall(r"scenarios=\[([^\]]*)\]", text)
        questions += [re.findall(r"[\w-]+", one) for one in asked]
    # `base` differs from each in all its changes.
    known = [
        [name for name in dict.fromkeys(one) if name in library() and name != "base"] for one in questions
    ]
    return sorted({pair for names in known for pair in itertools.combinations(names, 2)})


def test_scenarios_that_demo_and_pages_compare_differ_in_one_measure() -> None:
    assert ("ieepa-upheld-truce-kept", "ieepa-upheld-truce-lapsed") in compared()
    for pair in compared():
        found = difference(*(apply_scenario(load_law(), library()[name]) for name in pair))
        assert len({(item.kind, item.id) for item in found}) == 1, [item.words for item in found]
