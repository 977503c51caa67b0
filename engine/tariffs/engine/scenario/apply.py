"""Applying a scenario to a law: those before it first, then its own changes in order. The answer is another law."""

from __future__ import annotations

from decimal import Decimal

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import Change
from tariffs.engine.law.law import Law
from tariffs.engine.scenario.model import Scenario, located
from tariffs.engine.scenario.named import library
from tariffs.engine.scenario.names import check_names
from tariffs.engine.scenario.parents import Known, lineage
from tariffs.engine.scenario.parents import components as parts_of
from tariffs.engine.scenario.read_assumptions import assume
from tariffs.engine.scenario.read_forms import check_texts


def apply_scenario(law: Law, scenario: Scenario, known: Known | None = None) -> Law:
    """The law after a scenario.

    Args:
        law: the law it is applied to.
        scenario: the scenario.
        known: where its parents are found; the embedded library if None.

    Raises:
        ScenarioError: NOTHING_MATCHED, MEASURE_RETIRED, SUSPENSION_NOT_FOUND, CHANGE_DATES_REVERSED,
            SWITCH_UNKNOWN, SCENARIO_NOT_FOUND, SCENARIO_CYCLE or SCENARIO_SYNTAX, with path, line and column.
    """
    try:
        before = lineage(scenario, library() if known is None else known)
    except ScenarioError as error:
        raise located(error, scenario) from None
    for step in before:
        try:
            _check_single(step)
            for change in step.changes:
                law = apply_change(law, change)
            law = assume(law, step.assumptions)
        except ScenarioError as error:
            raise located(error, step) from None
    return law


def components(scenario: Scenario, known: Known | None = None) -> list[tuple[Decimal, Scenario]]:
    """The scenarios of a mixture with their weights, which sum to 1; a scenario that is none stands alone.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND or SCENARIO_CYCLE, with path, line and column.
    """
    try:
        return parts_of(scenario, library() if known is None else known)
    except ScenarioError as error:
        raise located(error, scenario) from None


def _check_single(scenario: Scenario) -> None:
    if scenario.mixture:
        raise ScenarioError(
            "SCENARIO_SYNTAX",
            f"{scenario.id} is a mixture of scenarios and makes no single law.",
            path="mixture",
            fix="Value it on a table, or name one of its components.",
        )


def apply_change(law: Law, change: Change) -> Law:
    """The law after one change, all of whose names exist.

    Raises:
        ScenarioError: as `apply_scenario`, with the path of the change.
    """
    check_texts(change.measure, f"{change.path}.measure")
    check_texts(change.definition, f"{change.path}.as")
    check_names(law, change)
    return law.with_changes([change])
