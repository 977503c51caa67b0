"""Worked cases of `tariffs options`: each amount by hand from the rule that it cites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.scenario.named import components
from tariffs.firm.levers import load_levers
from tariffs.firm.options import Options, list_options
from tariffs.firm.plan_cost import PlanCost
from tariffs.service.rpc.shared import law_under, scenario_of
from tariffs.v1 import common_pb2

DATA = load_yaml(Path(__file__).with_name("options_cases.yaml"))
CASES: list[dict[str, Any]] = DATA["cases"]
RULE = re.compile(r"19 CFR (146|190|152)\b| v\. |T\.D\. ")
COSTS = ("duty", "fees", "refunded", "drawback", "cash", "day")


@cache
def laws(scenario: str) -> Any:
    found = scenario_of(common_pb2.ScenarioRef(name=scenario), "")
    return [(weight, law_under("", part, {}, "")) for weight, part in components(found)]


def options_of(case: Mapping[str, Any]) -> Options:
    """The options of a case, under its scenario."""
    given = case["line"]
    hts, origin, day, value = DATA["lines"][given] if isinstance(given, str) else given
    line = EntryLine(hts, origin, value, day, mode=case.get("mode", ""), quantity=case.get("quantity"),
                     unit=case.get("unit", ""))  # fmt: skip
    facts = load_levers().read_facts(case.get("facts", {}))
    before = list_options(laws("base"), line, facts)
    return list_options(laws(case["scenario"]), line, facts, before=before) if "scenario" in case else before


def seen(cost: PlanCost | None, saving: Decimal | None) -> dict[str, Any]:
    """Amounts of a cost as text."""
    amounts = {name: str(getattr(cost, name)) for name in COSTS} if cost is not None else {}
    return amounts | {"saving": str(saving)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any]) -> None:
    found = options_of(case)
    expect = dict(case["expect"])
    if "best" in case:
        assert list(found.best.levers) == case["best"]
        got = seen(found.best.cost, found.best.saving)
    else:
        one = next(option for option in found.options if option.lever.id == case["option"])
        assert expect.pop("why", "") in one.why
        assert set(expect.pop("would_change", ())) <= set(one.would_change)
        got = seen(one.cost, one.saving) | {
            "state": one.state,
            "saving_if": str(one.saving_if),
            "missing": list(one.missing_facts),
        }
    assert {name: got.get(name) for name in expect} == expect
    for option in found.options:
        if option.cost is not None:
            assert 0 <= option.cost.refunded + option.cost.drawback <= option.cost.paid
    assert found.best.cost.refunded + found.best.cost.drawback <= found.best.cost.paid


def test_sixty_cases_cite_the_rule() -> None:
    cited = [case["id"] for case in CASES if any(RULE.search(text) for text in case["cite"])]
    assert len(cited) >= 60
    assert len({case["id"] for case in CASES}) == len(CASES)
    assert all(case["work"] and case["cite"] for case in CASES)
