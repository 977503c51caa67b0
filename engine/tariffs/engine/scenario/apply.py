"""Apply a scenario to a law: its parents first, then its own changes in order. The result is another law."""

from __future__ import annotations

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import Change
from tariffs.engine.law.assumptions import Assumptions
from tariffs.engine.law.law import Law
from tariffs.engine.scenario.model import Scenario, with_place
from tariffs.engine.scenario.named import Known, library, lineage
from tariffs.engine.scenario.names import unknown_in_assumptions, unknown_names


def apply_scenario(law: Law, scenario: Scenario, known: Known | None = None) -> Law:
    """Return the law after a scenario.

    Args:
        known: where its parents are found; the embedded library if None.

    Raises:
        ScenarioError: NOTHING_MATCHED, MEASURE_RETIRED, SUSPENSION_NOT_FOUND, CHANGE_DATES_REVERSED,
            SWITCH_UNKNOWN, SCENARIO_NOT_FOUND, SCENARIO_CYCLE or SCENARIO_SYNTAX, with path, line and column.
    """
    try:
        steps = lineage(scenario, library() if known is None else known)
    except ScenarioError as error:
        raise with_place(error, scenario) from None
    for step in steps:
        try:
            law = apply_step(law, step)
        except ScenarioError as error:
            raise with_place(error, step) from None
    return law


def apply_step(law: Law, scenario: Scenario) -> Law:
    """Return the law after a scenario's own changes and assumptions, without those of its parents.

    Raises:
        ScenarioError: as `apply_scenario`, without line and column; SCENARIO_SYNTAX for a mixture.
    """
    if scenario.mixture:
        raise ScenarioError(
            "SCENARIO_SYNTAX",
            f"{scenario.id} is a mixture of scenarios, which has no single law.",
            path="mixture",
            fix="Run it on a table, or name one of its components.",
        )
    for change in scenario.changes:
        law = apply_change(law, change)
    return assume(law, scenario.assumptions)


def apply_change(law: Law, change: Change) -> Law:
    """Return the law after one change; raises ScenarioError as `apply_scenario`, with the path of the change."""
    for error in unknown_names(law, change):
        raise error
    return law.with_changes([change])


def assume(law: Law, assumptions: Assumptions) -> Law:
    """Return the law under some assumptions, which replace those it has on the same measure.

    Raises:
        ScenarioError: NOTHING_MATCHED if the law has no such limit, promise, fee or kind of ship, with its path.
    """
    for error in unknown_in_assumptions(law, assumptions):
        raise error
    return law.with_assumptions(assumptions)
