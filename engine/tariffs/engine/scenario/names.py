"""Find names in a scenario that a law does not have: measures, lists, codes, countries, claims, switches, fees."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tariffs.engine.errors import LawError, ScenarioError
from tariffs.engine.law.amendments import SCOPE_KEYS, Change, read_scope
from tariffs.engine.law.assumptions import Assumptions, PortCalls
from tariffs.engine.law.known_names import ORIGINS, unknown
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.model import Scope
from tariffs.engine.law.raw_fields import in_scenario
from tariffs.engine.law.read import read_weights
from tariffs.engine.law.values import is_code
from tariffs.engine.scenario.model import ASSUMPTIONS
from tariffs.engine.schedule.lines import Schedule, load_schedule

# Digits that the schedules of all countries share.
_SHARED_DIGITS = 6


def unknown_names(law: Law, change: Change) -> Iterator[ScenarioError]:
    """Yield an error for each name in a change that the law does not have; raises nothing.

    Reasons are NOTHING_MATCHED with the nearest names, MEASURE_RETIRED, SWITCH_UNKNOWN and SCENARIO_SYNTAX.
    """
    selector, path = change.selector, f"{change.path}.measures"
    yield from _unknown_measures(law, selector.ids, f"{path}.id")
    if selector.authority:
        yield from unknown((selector.authority,), law.bound.index.nodes, "authority", f"{path}.authority")
    abroad = any(measure.direction != IMPORT for measure, _ in law.select_measures(change))
    yield from _unknown_in_scope(law, selector.scope, abroad, path)
    yield from _unknown_in_scope(law, change.goods, abroad, change.path)
    if change.op == "set_switch":
        yield from law.vocabulary.unknown_switch(change.name, change.value, change.path)
    if change.claim:
        # Only shares of the value can be set for the lines of a table.
        shares = {name for name, claim in law.claims.items() if claim.type in {"share", "content"}}
        yield from unknown((change.claim,), shares, "claim that is a share,", f"{change.path}.claim")
    yield from _unknown_in_rule(law, change)
    yield from _unknown_switches(law, change.switch, f"{change.path}.switch")
    yield from _unknown_in_measure(law, change.measure, f"{change.path}.measure")
    yield from _bad_terms(law, change)


def _unknown_in_scope(law: Law, scope: Scope, abroad: bool, path: str) -> Iterator[ScenarioError]:
    """Yield the unknown names in a scope; `abroad`: its codes may be those of another country's schedule."""
    yield from law.vocabulary.unknown_in(scope, path)
    yield from _unknown_codes(law, scope, abroad, path)


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
    """Yield the unknown names at any depth of a new measure as written."""
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
    index, others = law.bound.index, []
    for name in ids:
        if name in law.retired:
            yield ScenarioError(
                "MEASURE_RETIRED",
                f"{name!r} is no longer used.",
                path=path,
                fix=f"Use {law.retired[name]!r}.",
                metadata={"use_instead": law.retired[name]},
            )
        elif name not in index.labels and name in index.nodes:
            yield ScenarioError(
                "NOTHING_MATCHED",
                f"{name!r} is an authority, not a measure.",
                path=path,
                fix=f"Write measures: {{authority: {name}}}.",
            )
        else:
            others.append(name)
    yield from unknown(others, index.labels, "measure", path)


def _bad_terms(law: Law, change: Change) -> Iterator[ScenarioError]:
    """Yield the errors of conditions and bases, which the law reads only when it computes a duty."""
    for read in (
        lambda: law.context(IMPORT).conditions(list(change.conditions), f"{change.path}.if"),
        lambda: read_weights(change.base, f"{change.path}.base"),
    ):
        try:
            read()
        except LawError as error:
            yield in_scenario(error, change.path)


def _unknown_codes(law: Law, scope: Scope, abroad: bool, path: str) -> Iterator[ScenarioError]:
    """Yield the codes of a scope that no schedule or list has; `abroad`: only their first six digits count."""
    keys = (("products", frozenset[str]().union(*scope.products)), ("not_products", scope.not_products))
    for key, names in keys:
        for code in sorted(filter(is_code, names)):
            if not _is_known_code(law, code[:_SHARED_DIGITS] if abroad else code):
                near = ", ".join(_nearest_codes(load_schedule(), code))
                yield ScenarioError(
                    "NOTHING_MATCHED",
                    f"No schedule and no list of the law has the code {code!r}.",
                    path=f"{path}.{key}",
                    fix=f"Nearest codes: {near}.",
                    metadata={"name": code, "nearest": near},
                )


def _is_known_code(law: Law, code: str) -> bool:
    """Test whether a code is a chapter, heading or line of a schedule, or is in a list; half a level is not."""
    if len(code) % 2:
        return any(code in market.odd_lines for market in law.markets.values())
    codes = law.fixed.listed_codes
    place = bisect_left(codes, code)
    listed = place < len(codes) and codes[place].startswith(code)
    return listed or load_schedule().knows(code)


def _nearest_codes(schedule: Schedule, code: str) -> list[str]:
    """Return the nearest codes of the same level; for half a level, of the next lower one."""
    length = len(code) + len(code) % 2
    return list(dict.fromkeys(line[:length] for line in schedule.nearest(code, n=12)))[:3]


def unknown_in_assumptions(law: Law, assumptions: Assumptions) -> Iterator[ScenarioError]:
    """Yield an error for each name in some assumptions that the law does not have."""
    for key, names, kind in (
        ("let_through", assumptions.let_through, "limit"),
        ("compliance", assumptions.compliance, "floor"),
        ("rents", assumptions.rents, ""),
    ):
        known = [rule.measure for rule in law.limits if kind in {"", rule.kind}]
        for name in names:
            yield from unknown(
                (name,), known, f"{kind or 'limit or floor'} on quantities", f"{ASSUMPTIONS}.{key}.{name}"
            )
    fees = {fee.measure: fee.kinds for fee in law.port_fees.values()}
    for name, voyage in assumptions.port_calls.items():
        path = f"{ASSUMPTIONS}.port_calls.{name}"
        yield from unknown((name,), fees, "port fee", path)
        if name in fees:
            yield from unknown((voyage.kind,), fees[name], f"kind of ship under {name}:", f"{path}.kind")
            yield from _unknown_voyage(law, name, voyage, path)


def _unknown_voyage(law: Law, measure: str, voyage: PortCalls, path: str) -> Iterator[ScenarioError]:
    known = [one.ship for one in law.port_calls if (one.measure, one.kind) == (measure, voyage.kind)]
    if voyage.ship:
        yield from unknown((voyage.ship,), known, "sourced voyage of the ship", f"{path}.ship")
    elif voyage.net_tons is None and not known:
        yield ScenarioError(
            "SCENARIO_SYNTAX",
            f"The law has no sourced voyage of {voyage.kind} ships under {measure}.",
            path=path,
            fix="Give net_tons and the cargo landed (teu or cargo_tons).",
        )
