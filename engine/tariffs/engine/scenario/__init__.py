"""Scenarios: dated edits to a law, written as YAML, composed of parents, checked and applied."""

from tariffs.engine.scenario.apply import apply_scenario
from tariffs.engine.scenario.check import check_scenario, problems_of
from tariffs.engine.scenario.day_notes import day_notes, scenario_notes
from tariffs.engine.scenario.diff import Difference, difference
from tariffs.engine.scenario.filling import column_value
from tariffs.engine.scenario.model import ERROR, Parameter, Problem, Scenario
from tariffs.engine.scenario.named import (
    components,
    fill_parameters,
    library,
    lineage,
    parse_scenario,
    scenario_facts,
)

__all__ = [
    "ERROR",
    "Difference",
    "Parameter",
    "Problem",
    "Scenario",
    "apply_scenario",
    "check_scenario",
    "column_value",
    "components",
    "day_notes",
    "difference",
    "fill_parameters",
    "library",
    "lineage",
    "parse_scenario",
    "problems_of",
    "scenario_facts",
    "scenario_notes",
]
