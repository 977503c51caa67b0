"""Checking a scenario against a law: all that is wrong with it, and what it would not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tariffs.engine.errors import LawError, ScenarioError, TariffsError
from tariffs.engine.law.law import Law
from tariffs.engine.law.model import nodes_above
from tariffs.engine.scenario.apply import apply_change
from tariffs.engine.scenario.effect import BASE, same_as_base, warning_of, why_void
from tariffs.engine.scenario.model import (
    ERROR,
    WARNING,
    Position,
    Problem,
    Scenario,
    listed,
    place_of,
    problem_of,
)
from tariffs.engine.scenario.named import library
from tariffs.engine.scenario.names import unknown_names
from tariffs.engine.scenario.parents import Known, lineage
from tariffs.engine.scenario.read import Draft, read_draft
from tariffs.engine.scenario.read_assumptions import assume, unknown_in
from tariffs.engine.scenario.unusual_rates import unusual_rates

# Beyond this many changes only the scenario as a whole is compared with the law: each comparison costs more the more
# changes came before it.
WEIGHED_AT_MOST = 60


def check_scenario(
    text: str, law: Law, source: str = "scenario", known: Known | None = None
) -> list[Problem]:
    """Every problem of a scenario, in the order of the file; never raises for what is wrong in the text.

    Args:
        text: the YAML.
        law: the law it is meant for.
        source: where the text came from.
        known: where its parents are found; the embedded library if None.
    """
    draft = read_draft(text, source)
    if draft.scenario is not None:
        return problems_of(draft.scenario, law, known)
    unknown = _unknown_names(draft, law, known)
    stated = {problem.path for problem in draft.problems}
    return list(listed([*draft.problems, *(one for one in unknown if one.path not in stated)]))


def _unknown_names(draft: Draft, law: Law, known: Known | None) -> list[Problem]:
    """Names that do not exist in those parts of a scenario whose form can be read.

    A measure that cannot be read may still be named by a later change, so names that the text itself gives are known.
    """
    scenario = draft.readable
    if scenario is None or scenario.mixture:
        return []
    try:
        law = _after(law, lineage(scenario, library() if known is None else known)[:-1])
    except ScenarioError as error:
        return [problem_of(error, draft.places)]
    errors: list[ScenarioError] = []
    for change in scenario.changes:
        unknown = list(unknown_names(law, change))
        errors += unknown
        if unknown or any(problem.path.startswith(change.path) for problem in draft.problems):
            continue
        try:
            law = apply_change(law, change)
        except TariffsError as error:
            if isinstance(error, ScenarioError) and error.reason == "NOTHING_MATCHED":
                errors.append(error)
    errors += unknown_in(law, scenario.assumptions)
    given = _given_names(draft.document)
    return [problem_of(error, draft.places) for error in errors if error.metadata.get("name") not in given]


def _given_names(document: Mapping[str, Any]) -> frozenset[str]:
    """The ids and authority nodes of the measures that a document writes out, and the rules it defines."""
    changes = _mappings(document.get("changes"))
    measures = [one["measure"] for one in changes if isinstance(one.get("measure"), Mapping)]
    rules = frozenset(str(one.get("rule")) for one in changes if "as" in one)
    periods = [period for measure in measures for period in _mappings(measure.get("periods"))]
    nodes = [nodes_above(str(measure.get("authority", ""))) for measure in measures]
    return rules.union((str(item.get("id")) for item in (*measures, *periods)), *nodes)


def _mappings(found: Any) -> list[Mapping[str, Any]]:
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def problems_of(scenario: Scenario, law: Law, known: Known | None = None) -> list[Problem]:
    """Every problem of a well-formed scenario with a law, in the order of the file; warnings as well as errors."""
    known = library() if known is None else known
    try:
        before = lineage(scenario, known)[:-1]
        start = law if scenario.mixture else _after(law, before)
    except ScenarioError as error:
        return [problem_of(error, scenario.places)]
    if scenario.mixture:
        return []
    after, problems = _walk(scenario, start)
    if not any(problem.severity == ERROR for problem in problems):
        try:
            problems += _same_as_base(scenario, before, law, after)
        except LawError as error:
            told = ScenarioError("SCENARIO_SYNTAX", error.message, path="changes", fix=error.fix)
            problems.append(problem_of(told, scenario.places))
    return list(listed(problems))


def _after(law: Law, before: Sequence[Scenario]) -> Law:
    for parent in before:
        for change in parent.changes:
            law = apply_change(law, change)
        law = assume(law, parent.assumptions)
    return law


def _walk(scenario: Scenario, law: Law) -> tuple[Law, list[Problem]]:
    """The law after those changes that can be made, and the problems of each change."""
    problems: list[Problem] = []
    weigh = len(scenario.changes) <= WEIGHED_AT_MOST
    for change in scenario.changes:
        unknown = [problem_of(error, scenario.places) for error in unknown_names(law, change)]
        problems += unknown
        if unknown:
            continue
        try:
            after = apply_change(law, change)
            warning = warning_of(law, after, change, scenario.places) if weigh else None
        except ScenarioError as error:
            problems.append(problem_of(error, scenario.places))
            continue
        except LawError as error:
            # Acts may be narrowed to more overlapping scopes than can be told apart, which shows when they are met.
            told = ScenarioError("SCENARIO_SYNTAX", error.message, path=change.path, fix=error.fix)
            problems.append(problem_of(told, scenario.places))
            continue
        if warning:
            problems.append(warning)
        problems += unusual_rates(law, change, scenario.places)
        law = after
    unknown = [problem_of(error, scenario.places) for error in unknown_in(law, scenario.assumptions)]
    return law if unknown else assume(law, scenario.assumptions), problems + unknown


def _same_as_base(scenario: Scenario, before: Sequence[Scenario], base: Law, after: Law) -> list[Problem]:
    changes = [change for step in (*before, scenario) for change in step.changes]
    if (not changes and scenario.id == BASE) or not same_as_base(base, after, changes):
        return []
    place = place_of(scenario.places, "changes") or Position(0, 0)
    why = " ".join(filter(None, (why_void(after, change) for change in changes)))
    return [
        Problem(
            "changes",
            place.line,
            place.column,
            "SAME_AS_BASE",
            f"{scenario.id} leaves the law as it is: results will equal those of {BASE}. {why}".strip(),
            "Nothing to do if that is what you meant to state.",
            WARNING,
        )
    ]
