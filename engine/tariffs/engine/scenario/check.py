"""Check a scenario against a law: errors that keep it from running, and warnings of changes without effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tariffs.engine.errors import LawError, ScenarioError, TariffsError
from tariffs.engine.law.amendments import UNSELECTIVE, Act, Change
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.law import Law
from tariffs.engine.law.model import PROHIBITION, Measure, nodes_above
from tariffs.engine.law.values import read_rate
from tariffs.engine.scenario.apply import apply_step, assume
from tariffs.engine.scenario.describe import describe_step
from tariffs.engine.scenario.diff import same_beside_measures, same_state
from tariffs.engine.scenario.filling import is_on
from tariffs.engine.scenario.model import (
    ERROR,
    PARAMETERS,
    Places,
    Problem,
    Scenario,
    problem_of,
    sorted_problems,
    warning,
)
from tariffs.engine.scenario.named import NO_VALUES, Values, library, lineage, link
from tariffs.engine.scenario.names import unknown_in_assumptions, unknown_names
from tariffs.engine.scenario.read import Draft, read_draft

BASE = "base"
# Beyond this many changes only the scenario as a whole is compared with the law: the cost of each comparison grows with
# the number of changes before it.
COMPARED_AT_MOST = 60
_BESIDE_MEASURES = UNSELECTIVE - {"add"}


def check_scenario(
    text: str,
    law: Law,
    source: str = "scenario",
    parameters: Values = NO_VALUES,
) -> list[Problem]:
    """List every problem of a scenario in the order of the file; raises nothing for what is wrong in the text.

    Args:
        law: the law it is meant for.
        source: where the text came from.
        parameters: values of its parameters by name; the others have their defaults.
    """
    draft = read_draft(text, source, parameters)
    if draft.scenario is not None:
        try:
            scenario = link(draft, draft.scenario, library(), parameters)
        except ScenarioError as error:
            return [problem_of(error, draft.places)]
        found = problems_of(scenario, law)
        return list(sorted_problems([*found, *_unknown_in_off(draft, law)]))
    unknown = _unknown_names(draft, law)
    paths = {problem.path for problem in draft.problems}
    return list(
        sorted_problems([*draft.problems, *(problem for problem in unknown if problem.path not in paths)])
    )


def problems_of(scenario: Scenario, law: Law) -> list[Problem]:
    """List every problem of a well-formed scenario with a law in the order of the file, warnings too."""
    return list(sorted_problems([*_law_problems(scenario, law), *_unused(scenario)]))


def _law_problems(scenario: Scenario, law: Law) -> list[Problem]:
    try:
        parents = lineage(scenario, library())[:-1]
        start = law if scenario.mixture else _after(law, parents)
    except ScenarioError as error:
        return [problem_of(error, scenario.places)]
    if scenario.mixture:
        return []
    after, problems = _check_changes(scenario, start)
    if not any(problem.severity == ERROR for problem in problems):
        try:
            problems += _same_as_base(scenario, parents, law, after)
        except LawError as error:
            problems.append(_law_problem(error, "changes", scenario.places))
    return problems


def _unused(scenario: Scenario) -> Iterator[Problem]:
    """Warn of each parameter that is not used."""
    for name, parameter in scenario.parameters.items():
        if not parameter.kind:
            text, fix = f"${name} is not used.", f"Write ${name} for a value, or leave the parameter out."
            yield warning("PARAMETER_UNUSED", f"{PARAMETERS}.{name}", scenario.places, text, fix)


def _after(law: Law, scenarios: Sequence[Scenario]) -> Law:
    for scenario in scenarios:
        law = apply_step(law, scenario)
    return law


def _check_changes(scenario: Scenario, law: Law) -> tuple[Law, list[Problem]]:
    """Return the law after those changes that can be made, and the problems of each change."""
    problems: list[Problem] = []
    compare = len(scenario.changes) <= COMPARED_AT_MOST
    for change in scenario.changes:
        unknown = [problem_of(error, scenario.places) for error in unknown_names(law, change)]
        problems += unknown
        if unknown:
            continue
        try:
            after = law.with_changes([change])
            warnings = _no_effect(law, after, change, scenario.places) if compare else []
        except ScenarioError as error:
            problems.append(problem_of(error, scenario.places))
            continue
        except LawError as error:
            # Acts narrowed to more overlapping scopes than can be told apart; the law finds that when it applies them.
            problems.append(_law_problem(error, change.path, scenario.places))
            continue
        problems += [*warnings, *_unusual_rates(law, change, scenario.places)]
        law = after
    errors = unknown_in_assumptions(law, scenario.assumptions)
    unknown = [problem_of(error, scenario.places) for error in errors]
    return law if unknown else assume(law, scenario.assumptions), problems + unknown


def _law_problem(error: LawError, path: str, places: Places) -> Problem:
    return problem_of(ScenarioError("SCENARIO_SYNTAX", error.message, path=path, fix=error.fix), places)


# -- names beside problems of the format -----------------------------------------------------------------------


def _unknown_names(draft: Draft, law: Law) -> list[Problem]:
    """List names that do not exist in those parts of a scenario whose format is right.

    A measure that cannot be read may be named by a later change, so names that the text itself gives are known.
    """
    scenario = draft.readable
    if scenario is None or scenario.mixture:
        return []
    try:
        law = _after(law, lineage(scenario, library())[:-1])
    except ScenarioError as error:
        return [problem_of(error, draft.places)]
    errors: list[ScenarioError] = []
    for change in scenario.changes:
        unknown = list(unknown_names(law, change))
        errors += unknown
        if unknown or any(problem.path.startswith(change.path) for problem in draft.problems):
            continue
        try:
            law = law.with_changes([change])
        except TariffsError as error:
            if isinstance(error, ScenarioError) and error.reason == "NOTHING_MATCHED":
                errors.append(error)
    errors += unknown_in_assumptions(law, scenario.assumptions)
    given = _given_names(draft.document)
    return [problem_of(error, draft.places) for error in errors if error.metadata.get("name") not in given]


def _unknown_in_off(draft: Draft, law: Law) -> list[Problem]:
    """List the unknown names in the changes that are off, so that they are found before one is on."""
    items = draft.document.get("changes") or []
    off = tuple(f"changes[{index}]" for index, item in enumerate(items) if not is_on(item))
    if not off:
        return []
    return [problem for problem in _unknown_names(draft, law) if problem.path.startswith(off)]


def _given_names(document: Mapping[str, Any]) -> frozenset[str]:
    """Collect the ids and authority nodes of the measures that a document writes out, and the rules it defines."""
    changes = _mappings(document.get("changes"))
    measures = [change["measure"] for change in changes if isinstance(change.get("measure"), Mapping)]
    rules = frozenset(str(change.get("rule")) for change in changes if "as" in change)
    periods = [period for measure in measures for period in _mappings(measure.get("periods"))]
    nodes = [nodes_above(str(measure.get("authority", ""))) for measure in measures]
    return rules.union((str(item.get("id")) for item in (*measures, *periods)), *nodes)


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


# -- changes without effect ------------------------------------------------------------------------------------


def _no_effect(before: Law, after: Law, change: Change, places: Places) -> list[Problem]:
    """Warn of a change that has no effect on the law, or none on any duty yet."""
    reason, text, fix = "CHANGE_HAS_NO_EFFECT", "", "Leave it out, or check its dates."
    unchanged = f"`{change.op}` changes nothing: the law is already so."
    measures = [] if change.op in _BESIDE_MEASURES else _measures_of(after, change)
    if change.op in _BESIDE_MEASURES:
        text = unchanged if change.op != "announce" and same_beside_measures(before, after) else ""
    elif not any(measure.modelled for measure in measures):
        reason, fix = "NOT_MODELLED", "Results name the measures they could affect."
        text = f"`{change.op}` acts only on measures that are not modelled yet ({_ids(measures)}): no duty changes."
    elif same_state(before, after, [measure.id for measure in measures]):
        text = _why_void(before, change) or _why_no_rate(change, measures) or unchanged
    elif change.kept:
        text, fix = _why_no_rate(change, measures), "Leave `kept` out; to charge a duty, add a measure."
    return [warning(reason, change.path, places, text, fix)] if text else []


def _same_as_base(scenario: Scenario, parents: Sequence[Scenario], base: Law, after: Law) -> list[Problem]:
    """Warn if all changes together leave the law as it was."""
    changes = [change for step in (*parents, scenario) for change in step.changes]
    acting = [change for change in changes if change.op not in _BESIDE_MEASURES]
    names = dict.fromkeys(measure.id for change in acting for measure in _measures_of(after, change))
    if not changes and scenario.id == BASE:
        return []
    if not same_beside_measures(base, after) or not same_state(base, after, names):
        return []
    why = " ".join(filter(None, (_why_void(after, change) for change in changes)))
    text = f"{scenario.id} leaves the law unchanged: results will equal those of {BASE}. {why}".strip()
    fix = "No action is needed if that is intended."
    return [warning("SAME_AS_BASE", "changes", scenario.places, text, fix)]


def _measures_of(law: Law, change: Change) -> list[Measure]:
    """List the measures that a change acts on, in a law that already holds it."""
    added = [law.measures[change.measure["id"]]] if change.measure else []
    return added + list({measure.id: measure for measure, _ in law.select_measures(change)}.values())


def _why_no_rate(change: Change, measures: Sequence[Measure]) -> str:
    """Describe a change that gives a rate to prohibitions alone, which have none; empty if it does not."""
    if not measures or not all(map(_prohibits, measures)) or not (change.kept or change.op == "set_rate"):
        return ""
    key = "set_rate" if change.op == "set_rate" else "kept"
    return f"`{key}` changes nothing: a prohibition has no rate ({_ids(measures)})."


def _prohibits(measure: Measure) -> bool:
    return all(row.kind == PROHIBITION for period in measure.periods for row in period.rows)


def _why_void(law: Law, change: Change) -> str:
    """Describe in one line that all measures of a change are invalidated; empty if they are not."""
    if change.op in UNSELECTIVE:
        return ""
    measures = _measures_of(law, change)
    acts = [act for measure in measures if (act := _invalidation(law, measure))]
    if not measures or len(acts) < len(measures):
        return ""
    node, stop = acts[0].change.selector.authority, acts[0].change.collection_stop
    parent = f"its parent {node}" if node else "it"
    ended = f" and is not collected from {stop[:10]}" if stop else ""
    day = acts[0].change.start[:10]
    return f"`{change.op}` of {_ids(measures)} changes nothing: {parent} was invalidated on {day}{ended}."


def _invalidation(law: Law, measure: Measure) -> Act | None:
    """Return the act that invalidates a whole measure, if there is one and it was not undone."""
    invalidation = None
    for act in law.acts[measure.id]:
        whole = act.scope.is_any and not act.label
        if act.change.op == "invalidate" and whole and law.switched(act.change.switch):
            invalidation = act
        elif act.change.op == "revalidate":
            invalidation = None
    return invalidation


def _ids(measures: Iterable[Measure]) -> str:
    return ", ".join(measure.id for measure in measures)


# -- rates that look mistyped ----------------------------------------------------------------------------------


def _unusual_rates(law: Law, change: Change, places: Places) -> list[Problem]:
    """Warn of each rate of a change below 0 or above every rate of the law before it, and of steps that large."""
    rates = list(_rates(change))
    if not rates and not change.step:
        return []
    known = (
        row.rate for measure in law.measures.values() for period in measure.periods for row in period.rows
    )
    highest = max((rate for rate in known if rate is not None), default=Decimal(1))
    highest = max(highest, Decimal(1))
    above = f"above every rate of the law (at most {percent(highest)})"
    texts = []
    for path, rate in rates:
        if rate < 0:
            fix = f"Write {percent(-rate)}; to lower a rate, write by: {describe_step(rate)}."
            texts.append(
                (path, f"A rate of {percent(rate)} is below 0: it would be paid to the importer.", fix)
            )
        elif rate > highest:
            fix = f"Write {percent(rate / 100)} if that is intended."
            texts.append((path, f"A rate of {percent(rate)} is {above}.", fix))
    if change.step and abs(change.step.points) > highest:
        points, path = change.step.points, f"{change.path}.by"
        fix = f"Write by: {describe_step(points / 100)} if that is intended."
        texts.append((path, f"A step of {describe_step(points)} is {above}.", fix))
    return [warning("RATE_UNUSUAL", path, places, text, fix) for path, text, fix in texts]


def _rates(change: Change) -> Iterator[tuple[str, Decimal]]:
    """Yield every rate of a change with its path."""
    for key, rate in (("rate", change.rate), ("kept", change.kept)):
        if rate is not None:
            yield f"{change.path}.{key}", rate
    yield from _rates_in(change.measure, f"{change.path}.measure")


def _rates_in(value: Any, path: str) -> Iterator[tuple[str, Decimal]]:
    """Yield every rate of a measure as written with its path, but no money per unit."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _rates_in(item, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "by_origin":
                for origin, (rate, _) in inner.items():
                    yield f"{path}.{key}.{origin}", read_rate(rate)
            elif key != "rate":
                yield from _rates_in(inner, f"{path}.{key}")
            elif "USD/" not in inner:
                yield f"{path}.{key}", read_rate(inner)
