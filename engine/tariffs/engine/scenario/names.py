"""Check that every name in a change exists: measures, lists, groups, countries, claims, switches."""

from __future__ import annotations

from collections.abc import Iterable

from tariffs.engine.errors import LawError, ScenarioError
from tariffs.engine.law.events import Change
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.names import check_known
from tariffs.engine.law.read import read_weights
from tariffs.engine.law.reading import in_scenario


def check_names(law: Law, change: Change) -> None:
    """Refuse a change that names what the law does not have.

    Raises:
        ScenarioError: NOTHING_MATCHED with the nearest names, MEASURE_RETIRED, SWITCH_UNKNOWN or SCENARIO_SYNTAX, with
            the path of the name.
    """
    selector, path = change.selector, f"{change.path}.measures"
    _check_measures(law, selector.ids, f"{path}.id")
    if selector.authority:
        nodes = {parent for measure in law.measures.values() for parent in measure.parents}
        check_known((selector.authority,), nodes, "authority", f"{path}.authority")
    law.vocabulary.check_scope(selector.scope, path)
    law.vocabulary.check_scope(change.goods, change.path)
    if change.claim:
        _check_claim(law, change)
    _check_rule(law, change)
    law.vocabulary.check_switches(change.switch, f"{change.path}.switch")
    _check_terms(law, change)


def _check_claim(law: Law, change: Change) -> None:
    """Only shares of the value can be set for a table's lines."""
    kinds = {name for name, claim in law.claims.items() if claim.type in {"share", "content"}}
    check_known((change.claim,), kinds, "claim that is a share,", f"{change.path}.claim")


def _check_rule(law: Law, change: Change) -> None:
    for key in ("when", "on", "one_of"):
        names = change.definition.get(key, [])
        if isinstance(names, list):
            known = (name for name in names if isinstance(name, str))
            check_known(known, law.names, "measure or authority", f"{change.path}.as.{key}")


def _check_measures(law: Law, ids: Iterable[str], path: str) -> None:
    known = {name for measure in law.measures.values() for name in (measure.id, *measure.labels)}
    for name in ids:
        if name in law.retired:
            raise ScenarioError(
                "MEASURE_RETIRED",
                f"{name!r} is no longer used.",
                path=path,
                fix=f"Use {law.retired[name]!r}.",
                metadata={"use_instead": law.retired[name]},
            )
        if name not in known and name in law.names:
            raise ScenarioError(
                "NOTHING_MATCHED",
                f"{name!r} is an authority, not a measure.",
                path=path,
                fix=f"Write measures: {{authority: {name}}}.",
            )
    check_known(ids, known, "measure", path)


def _check_terms(law: Law, change: Change) -> None:
    """Conditions and bases are read only when a duty is computed; read them now, while there is a place to name."""
    try:
        law.context(IMPORT).conditions(list(change.conditions), f"{change.path}.if")
        read_weights(change.base, f"{change.path}.base")
    except LawError as error:
        raise in_scenario(error, change.path) from None
