"""Whether every name in a change exists: measures, lists, groups, countries, claims, switches.

A misspelt list or country would match nothing in silence, and a scenario that quietly does less than it says is
worse than one that is refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tariffs.engine.errors import LawError, ScenarioError
from tariffs.engine.law.events import Change
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.model import Scope
from tariffs.engine.law.read import read_weights
from tariffs.engine.law.text import is_code
from tariffs.engine.trade.countries import origin_codes


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
        _check((selector.authority,), nodes, "authority", f"{path}.authority")
    check_scope(law, selector.scope, path)
    check_scope(law, change.goods, change.path)
    if change.claim:
        _check_claim(law, change)
    _check_rule(law, change)
    _check_switches(law, change)
    _check_terms(law, change)


def check_scope(law: Law, scope: Scope, path: str) -> None:
    """Refuse a scope whose lists, groups or countries do not exist."""
    origins = origin_codes() | law.groups.keys()
    for key, names in (("origins", frozenset().union(*scope.origins)), ("not_origins", scope.not_origins)):
        _check(names, origins, "country or group", f"{path}.{key}")
    for key, names in (
        ("products", frozenset().union(*scope.products)),
        ("not_products", scope.not_products),
    ):
        lists = (name for name in names if not is_code(name))
        _check(lists, law.lists.keys(), "product list", f"{path}.{key}")


def _check_claim(law: Law, change: Change) -> None:
    """Only shares of the value can be set for a table's lines."""
    kinds = {name for name, claim in law.claims.items() if claim.type in {"share", "content"}}
    _check((change.claim,), kinds, "claim that is a share,", f"{change.path}.claim")


def _check_rule(law: Law, change: Change) -> None:
    for key in ("when", "on", "one_of"):
        names = change.definition.get(key, [])
        if isinstance(names, list):
            known = (name for name in names if isinstance(name, str))
            _check(known, law.names, "measure or authority", f"{change.path}.as.{key}")


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
    _check(ids, known, "measure", path)


def _check(names: Iterable[str], known: Iterable[str], what: str, path: str) -> None:
    known = set(known)
    for name in sorted(set(names) - known):
        near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.4)
        raise ScenarioError(
            "NOTHING_MATCHED",
            f"The law has no {what} {name!r}.",
            path=path,
            fix=f"Did you mean {', '.join(near)}?" if near else "",
            metadata={"name": name, "nearest": ",".join(near)},
        )


def _check_switches(law: Law, change: Change) -> None:
    for name, value in change.switch.items():
        law.with_switches({name: value}, path=f"{change.path}.switch.{name}")


def _check_terms(law: Law, change: Change) -> None:
    """Conditions and bases are read only when a duty is computed; read them now, while there is a place to name."""
    for key, read in (
        ("if", lambda: law.context(IMPORT).conditions(list(change.conditions), change.path)),
        ("base", lambda: read_weights(change.base, change.path)),
    ):
        try:
            read()
        except LawError as error:
            raise ScenarioError(
                "SCENARIO_SYNTAX", error.message, path=f"{change.path}.{key}", fix=error.fix
            ) from None
