"""Scenarios: dated edits to a law, written as YAML, composed of parents, checked and applied."""

from tariffs.engine.scenario.apply import apply_scenario
from tariffs.engine.scenario.check import check_scenario, problems_of
from tariffs.engine.scenario.diff import Difference, difference
from tariffs.engine.scenario.model import ERROR, WARNING, Problem, Scenario
from tariffs.engine.scenario.named import components, library, lineage, parse_scenario

__all__ = [
    "ERROR",
    "WARNING",
    "Difference",
    "Problem",
    "Scenario",
    "apply_scenario",
    "check_scenario",
    "components",
    "difference",
    "library",
    "lineage",
    "parse_scenario",
    "problems_of",
]
