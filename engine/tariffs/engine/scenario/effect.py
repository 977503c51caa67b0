"""Whether changes change anything, and if not, why: warnings a reader of results needs.

A suspension that lapses over a void duty brings nothing back; a scenario that says so is right, and its reader
should be told the reason rather than left with two equal columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from weakref import WeakKeyDictionary

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.amendments import UNSELECTIVE, Act, Change
from tariffs.engine.law.law import Law
from tariffs.engine.law.measure_state import moments_of
from tariffs.engine.law.model import PROHIBITION, Measure, Row
from tariffs.engine.scenario.model import WARNING, Places, Problem, place_of

BASE = "base"
BESIDE_MEASURES = UNSELECTIVE - {"add"}


def reached(law: Law, change: Change) -> list[Measure]:
    """The measures a change reaches in a law that already holds it."""
    added = [law.measures[change.measure["id"]]] if change.measure else []
    return added + list({measure.id: measure for measure, _ in law.select_measures(change)}.values())


def same_state(before: Law, after: Law, names: Iterable[str]) -> bool:
    """Whether measures stand alike in two laws at every instant either may change, as known on the as-of day."""
    return all(
        state_of_measure(before, name, instant) == state_of_measure(after, name, instant)
        for name in names
        for instant in instants_of(name, before, after)
    )


def instants_of(name: str, *laws: Law) -> list[datetime]:
    """Every instant at which a measure may change in one of the laws, and their beginning, sorted."""
    found: set[datetime | None] = {law.coverage[0] for law in laws}
    for law in laws:
        if name in law.measures:
            found |= moments_of(law.measures[name], law.acts[name])
    return sorted(moment for moment in found if moment is not None)


Stand = tuple[tuple[Row, ...], bool] | None
STANDS_KEPT = 4096
# What is asked of one law is asked again when the next change is checked; a law that nobody holds is forgotten, and of
# the law that stays, what was asked least recently: instants come from scenarios.
_STANDS: WeakKeyDictionary[Law, BoundedCache[tuple[str, datetime], tuple[Stand]]] = WeakKeyDictionary()


def state_of_measure(law: Law, name: str, instant: datetime) -> Stand:
    """The rows of a measure without what made them so, and whether it is suspended; None where it is not in force."""
    known = _STANDS.setdefault(law, BoundedCache(STANDS_KEPT))
    (found,) = known.get((name, instant), lambda: (_stand(law, name, instant),))
    return found


def _stand(law: Law, name: str, instant: datetime) -> Stand:
    measure = law.measures.get(name)
    found = law.standing(measure, instant, law.as_of) if measure else None
    return (
        (tuple(replace(row, acts=(), kept=False) for row in found.rows), found.suspended) if found else None
    )


def warning_of(before: Law, after: Law, change: Change, places: Places) -> Problem | None:
    """What a reader should know of a change that was made: that it changes nothing, or nothing counted yet."""
    if change.op in BESIDE_MEASURES:
        if change.op == "announce" or not same_beside(before, after):
            return None
        return _warning(
            "CHANGE_HAS_NO_EFFECT", change, places, f"`{change.op}`: it is so already.", "Leave it out."
        )
    measures = reached(after, change)
    if not any(measure.modelled for measure in measures):
        names = ", ".join(measure.id for measure in measures)
        return _warning(
            "NOT_MODELLED",
            change,
            places,
            f"`{change.op}` meets only measures that are not modelled yet ({names}): no duty changes.",
            "Results name the measures they could touch.",
        )
    if same_state(before, after, [measure.id for measure in measures]):
        return _warning(
            "CHANGE_HAS_NO_EFFECT",
            change,
            places,
            why_void(before, change)
            or _why_no_rate(change, measures)
            or f"`{change.op}` changes nothing: the law already stands so.",
            "Leave it out, or check its dates.",
        )
    if change.kept and (told := _why_no_rate(change, measures)):
        fix = "Leave `kept` out, and add a duty if one shall be charged."
        return _warning("CHANGE_HAS_NO_EFFECT", change, places, told, fix)
    return None


def _why_no_rate(change: Change, measures: Sequence[Measure]) -> str:
    """Describe a change that gives a rate to prohibitions alone, which have none; empty if it does not."""
    names = ", ".join(measure.id for measure in measures if _prohibits(measure))
    if not names or not all(map(_prohibits, measures)) or not (change.kept or change.op == "set_rate"):
        return ""
    key = "set_rate" if change.op == "set_rate" else "kept"
    return f"`{key}` changes nothing: a prohibition has no rate ({names})."


def _prohibits(measure: Measure) -> bool:
    return all(row.kind == PROHIBITION for period in measure.periods for row in period.rows)


def same_as_base(base: Law, after: Law, changes: Iterable[Change]) -> bool:
    """Whether all changes together leave every measure they reach, and every switch, as it was."""
    names: dict[str, None] = {}
    for change in changes:
        if change.op not in BESIDE_MEASURES:
            names |= dict.fromkeys(measure.id for measure in reached(after, change))
    return same_beside(base, after) and same_state(base, after, names)


def same_beside(one: Law, other: Law) -> bool:
    """Whether two laws agree in all that scenarios change besides measures."""
    return (
        all(one.setting(name) == other.setting(name) for name in one.switches)
        and one.rules == other.rules
        and one.set_claims == other.set_claims
        and one.constraints == other.constraints
        and one.assumptions == other.assumptions
    )


def why_void(law: Law, change: Change) -> str:
    """That all measures a change reaches are invalidated, in one line; empty if they are not."""
    if change.op in UNSELECTIVE:
        return ""
    measures = reached(law, change)
    voided = [act for measure in measures if (act := _voiding(law, measure))]
    if not measures or len(voided) < len(measures):
        return ""
    act = voided[0]
    node, stop = act.change.selector.authority, act.change.collection_stop
    parent = f"its parent {node}" if node else "it"
    ended = f" and is not collected from {stop[:10]}" if stop else ""
    names = ", ".join(measure.id for measure in measures)
    return f"`{change.op}` of {names} changes nothing: {parent} was invalidated on {act.change.start[:10]}{ended}."


def _voiding(law: Law, measure: Measure) -> Act | None:
    """The invalidation a measure is under, if it is."""
    found = None
    for act in law.acts[measure.id]:
        if (
            act.change.op == "invalidate"
            and act.scope.is_any
            and not act.label
            and law.switched(act.change.switch)
        ):
            found = act
        elif act.change.op == "revalidate":
            found = None
    return found


def _warning(reason: str, change: Change, places: Places, message: str, fix: str) -> Problem:
    place = place_of(places, change.path)
    return Problem(
        change.path,
        place.line if place else 0,
        place.column if place else 0,
        reason,
        message,
        fix,
        WARNING,
    )
