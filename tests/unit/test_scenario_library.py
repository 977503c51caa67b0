"""The scenario library: complete, valid under the published schema, with the stored results."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tariffs.engine.law import load_law
from tariffs.engine.scenario import apply_scenario, check_scenario, difference, library, named
from tariffs.engine.scenario.schema import json_schema
from tests.unit.json_schema import faults
from tests.unit.scenario_results import DAYS, Results, path_of

NUMBERS = {f"KL-{number:02}" for number in range(1, 21)} | {"X-21", "X-22", "X-23"}
# A few that touch different parts of the law; a run of the full tests takes all.
SAMPLE = ("base", "truce-extended", "usmca-lapses", "metals-by-content", "truce-even-odds")
# Sums over the table are of the order of 1e12 dollars.
CLOSE = 1e-9


@pytest.fixture(scope="module")
def results() -> Results:
    return Results()


def test_every_number_has_a_scenario_with_a_source() -> None:
    tags = {tag for scenario in library().values() for tag in scenario.tags}
    assert tags >= NUMBERS
    for scenario in library().values():
        assert scenario.title
        assert len(scenario.description) > 60
        assert scenario.cite
        assert not re.search(r"kl-|^x-\d", scenario.id)


def test_none_has_an_error() -> None:
    for scenario in library().values():
        found = check_scenario(scenario.text, load_law(), scenario.source)
        assert [problem for problem in found if problem.severity == "error"] == [], scenario.id


def test_the_published_schema_is_that_of_the_parser() -> None:
    published = json.loads((named.HERE.parent / "schema.json").read_text(encoding="utf-8"))
    assert published == json_schema(), "write json.dumps(json_schema(), indent=1) to schema.json"


def test_the_library_is_of_the_schema() -> None:
    form = json_schema()
    for scenario in library().values():
        document = yaml.load(scenario.text, Loader=yaml.BaseLoader)
        assert faults(document, form, form) == [], scenario.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "Upper Case"},
        {"basis": "guess"},
        {"surprise": "1"},
        {"changes": [{"op": "nope"}]},
        {"changes": [{"op": "terminate", "measures": {"id": "x"}}]},
        {"changes": [{"op": "terminate", "measures": {"id": "x"}, "at": "soon"}]},
        {"changes": [{"op": "terminate", "measures": {"ids": "x"}, "at": "2027-01-01"}]},
        {"mixture": [{"scenario": "base"}]},
    ],
)
def test_what_the_parser_refuses_the_schema_refuses(wrong: dict[str, Any]) -> None:
    form = json_schema()
    right = {"schema": "tariffs.scenario/v1", "id": "mine", "title": "Mine", "basis": "hypothesis"}
    assert faults(right, form, form) == []
    assert faults({**right, **wrong}, form, form)


def test_results_are_as_they_are_written(results: Results, scale: int) -> None:
    for name in SAMPLE if scale == 1 else library():
        written = json.loads(path_of(name).read_text(encoding="utf-8"))
        days = DAYS[-1:] if scale == 1 else DAYS
        found = results.of(library()[name], days)
        moved = [
            f"{name} {day} {column}: {value} was {written['totals'][day][column]}"
            for day, totals in found["totals"].items()
            for column, value in totals.items()
            if value != pytest.approx(written["totals"][day][column], rel=CLOSE)
        ]
        assert not moved, "\n".join(
            [*moved, "If that is meant, run `python -m tests.unit.scenario_results`."]
        )
        if scale > 1:
            assert (written["law_digest"], written["scenario"]) == (found["law_digest"], found["scenario"])


def test_every_scenario_has_a_result_beside_it() -> None:
    for name in library():
        written = json.loads(path_of(name).read_text(encoding="utf-8"))
        assert set(written["totals"]) == set(DAYS)


def test_the_truce_extended_against_the_truce_lapsed() -> None:
    """United States duty is unchanged but for cranes, chassis and exclusions; China's goes from 10 to 34."""
    law = load_law()
    lapsed, extended = (apply_scenario(law, library()[name]) for name in ("truce-lapses", "truce-extended"))
    found = {item.id: item for item in difference(lapsed, extended)}
    imports = {name for name, item in found.items() if item.direction == "import"}
    assert imports == {"sts_crane_100", "chassis_100", "s301_exclusions_69", "s301_exclusions_70"}
    china = found["cn.recip"]
    assert (china.first, china.second[:3]) == ("34%", "10%")
    assert china.start is not None
    assert china.start.isoformat() == "2027-01-10T13:01:00+08:00"
    assert china.words.startswith(
        "cn.recip from 2027-01-10 13:01 CST until 2027-11-10 13:01 CST: 34% in the first"
    )


def test_a_difference_tells_of_switches_claims_rules_and_quantities() -> None:
    law = load_law()
    other = law.with_switches({"truce_extension": "off"})
    assert "truce_extension" in {item.id for item in difference(law, other) if item.kind == "switch"}
    for name, kind, words in (
        ("usmca-lapses", "claim", "0%"),
        ("rare-earths-cut", "quantity", "50%"),
        ("metals-by-content", "rule", "in force"),
    ):
        found = difference(law, apply_scenario(law, library()[name]))
        assert any(item.kind == kind and words in item.second for item in found), name
    assert difference(law, law) == []
