"""Check that every name in a change exists: measures, lists, codes, groups, countries, claims, switches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tariffs.engine.errors import LawError, ScenarioError
from tariffs.engine.law.amendments import SCOPE_KEYS, Change, read_scope
from tariffs.engine.law.known_names import ORIGINS, unknown
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.model import Scope
from tariffs.engine.law.raw_fields import in_scenario
from tariffs.engine.law.read import read_weights
from tariffs.engine.scenario.codes import unknown_codes


def check_names(law: Law, change: Change) -> None:
    """Refuse a change that names what the law does not have.

    Raises:
        ScenarioError: NOTHING_MATCHED with the nearest names, MEASURE_RETIRED, SWITCH_UNKNOWN or SCENARIO_SYNTAX, with
            the path of the name.
    """
    for error in unknown_names(law, change):
        raise error


def unknown_names(law: Law, change: Change) -> Iterator[ScenarioError]:
    """The error of every name in a change that the law does not have; raises nothing."""
    selector, path = change.selector, f"{change.path}.measures"
    yield from _unknown_measures(law, selector.ids, f"{path}.id")
    if selector.authority:
        nodes = {parent for measure in law.measures.values() for parent in measure.parents}
        yield from unknown((selector.authority,), nodes, "authority", f"{path}.authority")
    abroad = any(measure.direction != IMPORT for measure, _ in law.select_measures(change))
    yield from _unknown_in_scope(law, selector.scope, abroad, path)
    yield from _unknown_in_scope(law, change.goods, abroad, change.path)
    if change.op == "set_switch":
        yield from law.vocabulary.unknown_switch(change.name, change.value, change.path)
    if change.claim:
        yield from _unknown_claim(law, change)
    yield from _unknown_in_rule(law, change)
    yield from _unknown_switches(law, change.switch, f"{change.path}.switch")
    yield from _unknown_in_measure(law, change.measure, f"{change.path}.measure")
    yield from _bad_terms(law, change)


def _unknown_in_scope(law: Law, scope: Scope, abroad: bool, path: str) -> Iterator[ScenarioError]:
    """Names of a scope; `abroad`: it may hold codes of another country's schedule."""
    yield from law.vocabulary.unknown_in(scope, path)
    yield from unknown_codes(law, scope, abroad, path)


def _unknown_claim(law: Law, change: Change) -> Iterator[ScenarioError]:
    """Only shares of the value can be set for a table's lines."""
    kinds = {name for name, claim in law.claims.items() if claim.type in {"share", "content"}}
    yield from unknown((change.claim,), kinds, "claim that is a share,", f"{change.path}.claim")


def _unknown_in_rule(law: Law, change: Change) -> Iterator[ScenarioError]:
    for key in ("when", "on", "one_of"):
        names = change.definition.get(key, [])
        if isinstance(names, list):
            texts = (name for name in names if isinstance(name, str))
            yield from unknown(texts, law.names, "measure or authority", f"{change.path}.as.{key}")
    yield from _unknown_switches(law, change.definition.get("switch"), f"{change.path}.as.switch")


def _unknown_switches(law: Law, wanted: Any, path: str) -> Iterator[ScenarioError]:
    if isinstance(wanted, Mapping):
        for name, value in wanted.items():
            yield from law.vocabulary.unknown_switch(name, value, f"{path}.{name}")


def _unknown_in_measure(law: Law, value: Any, path: str) -> Iterator[ScenarioError]:
    """Names in the raw form of a new measure, wherever in it they stand."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_in_measure(law, item, f"{path}[{index}]")
    if not isinstance(value, Mapping):
        return
    yield from _unknown_switches(law, value.get("switch"), f"{path}.switch")
    if not value.keys().isdisjoint(SCOPE_KEYS):
        try:
            scope = read_scope(value, path)
        except ScenarioError as error:
            yield error
        else:
            yield from _unknown_in_scope(law, scope, False, path)
    for key, inner in value.items():
        if key == "by_origin" and isinstance(inner, Mapping):
            yield from unknown(inner, law.vocabulary.origins, ORIGINS, f"{path}.by_origin")
        elif key not in SCOPE_KEYS:
            yield from _unknown_in_measure(law, inner, f"{path}.{key}")


def _unknown_measures(law: Law, ids: Iterable[str], path: str) -> Iterator[ScenarioError]:
    known = {name for measure in law.measures.values() for name in (measure.id, *measure.labels)}
    others = []
    for name in ids:
        if name in law.retired:
            yield ScenarioError(
                "MEASURE_RETIRED",
                f"{name!r} is no longer used.",
                path=path,
                fix=f"Use {law.retired[name]!r}.",
                metadata={"use_instead": law.retired[name]},
            )
        elif name not in known and name in law.names:
            yield ScenarioError(
                "NOTHING_MATCHED",
                f"{name!r} is an authority, not a measure.",
                path=path,
                fix=f"Write measures: {{authority: {name}}}.",
            )
        else:
            others.append(name)
    yield from unknown(others, known, "measure", path)


def _bad_terms(law: Law, change: Change) -> Iterator[ScenarioError]:
    """Conditions and bases are read only when a duty is computed; read them now, while there is a place to name."""
    for read in (
        lambda: law.context(IMPORT).conditions(list(change.conditions), f"{change.path}.if"),
        lambda: read_weights(change.base, f"{change.path}.base"),
    ):
        try:
            read()
        except LawError as error:
            yield in_scenario(error, change.path)
