"""Scenarios: dated edits to a law, written as YAML, composed by parents, checked and applied."""

from tariffs.engine.scenario.apply import apply_scenario, components
from tariffs.engine.scenario.check import check_scenario, problems_of
from tariffs.engine.scenario.difference import Difference, difference
from tariffs.engine.scenario.model import ERROR, WARNING, Problem, Scenario
from tariffs.engine.scenario.parents import lineage
from tariffs.engine.scenario.sources import library, load_scenario, parse_scenario

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
    "load_scenario",
    "parse_scenario",
    "problems_of",
]
