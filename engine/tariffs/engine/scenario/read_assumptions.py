"""Reading the assumptions of a scenario, and whether the law has what they are about."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.assumptions import NONE, Assumptions, PortCalls
from tariffs.engine.law.law import Law
from tariffs.engine.law.values import read_share
from tariffs.engine.scenario.model import PROBLEMS_AT_MOST

KEY = "assumptions"
SHARES = ("let_through", "compliance")
PORT_CALLS = "port_calls"
# Digits at most, before and after the point: no ship and no rate of exchange needs more.
_NUMBER = re.compile(r"^\d{1,12}(\.\d{1,12})?$")
_COUNT = re.compile(r"^[1-9]\d{0,3}$")
_LIMIT, _FLOOR = "limit", "floor"
Report = Callable[[str, str, str, str], None]


def _number(text: str) -> Decimal:
    if not _NUMBER.match(text) or not Decimal(text):
        raise ValueError(f"{text!r} is not a number above 0 such as 60000")
    return Decimal(text)


def _count(text: str) -> Decimal:
    if not _COUNT.match(text):
        raise ValueError(f"{text!r} is not a count of calls such as 3")
    return Decimal(text)


def _words(text: str) -> str:
    return " ".join(text.split())


VOYAGE: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("kind", "ship"), str),
    **dict.fromkeys(("net_tons", "teu", "cargo_tons", "containers", "usd_per_unit"), _number),
    "calls": _count,
    "share": read_share,
    "source": _words,
}


def read_assumptions(document: Mapping[str, Any], report: Report) -> Assumptions:
    """The assumptions of a scenario document that has the key `assumptions`.

    Args:
        document: the document as text, lists and mappings.
        report: takes reason, path, message and fix of each problem.
    """
    found = document[KEY] or {}
    if found and document.get("mixture"):
        report("SCENARIO_SYNTAX", KEY, f"A mixture has no {KEY} of its own.", "Put them into a component.")
    if not isinstance(found, Mapping):
        report("SCENARIO_SYNTAX", KEY, f"{KEY} is a mapping.", f"Keys: {', '.join((*SHARES, PORT_CALLS))}.")
        return NONE
    check_keys(found, (*SHARES, PORT_CALLS), KEY, report)
    let_through, compliance = (_shares(found, key, report) for key in SHARES)
    return Assumptions(let_through, compliance, _port_calls(found, report))


def check_keys(found: Mapping[str, Any], known: Sequence[str], path: str, report: Report) -> None:
    """Report the keys of a mapping at a path (empty: the scenario itself) that it does not know."""
    unknown = [key for key in found if key not in known]
    for number, key in enumerate(unknown):
        near = difflib.get_close_matches(key, known, n=1) if number < PROBLEMS_AT_MOST else []
        fix = f"Did you mean {near[0]!r}?" if near else f"Keys: {', '.join(known)}."
        where, inner = (path, f"{path}.{key}") if path else ("A scenario", key)
        report("SCENARIO_UNKNOWN_KEY", inner, f"{where} does not know the key {key!r}.", fix)


def _mapping(found: Mapping[str, Any], key: str, report: Report) -> Mapping[str, Any]:
    value = found.get(key) or {}
    if isinstance(value, Mapping):
        return value
    report("SCENARIO_SYNTAX", f"{KEY}.{key}", f"{key} is a mapping by measure.", "Write {MEASURE: ...}.")
    return {}


def _shares(found: Mapping[str, Any], key: str, report: Report) -> dict[str, Decimal]:
    shares: dict[str, Decimal] = {}
    for name, text in _mapping(found, key, report).items():
        share = _value(text, read_share, f"{KEY}.{key}.{name}", report)
        if share is not None:
            shares[name] = share
    return shares


def _port_calls(found: Mapping[str, Any], report: Report) -> dict[str, PortCalls]:
    calls: dict[str, PortCalls] = {}
    for name, voyage in _mapping(found, PORT_CALLS, report).items():
        path = f"{KEY}.{PORT_CALLS}.{name}"
        if not isinstance(voyage, Mapping) or not voyage.get("kind"):
            report(
                "SCENARIO_SYNTAX", path, f"The voyage under {name} has no kind of ship.", "Write {kind: ...}."
            )
            continue
        check_keys(voyage, tuple(VOYAGE), path, report)
        read = {
            key: _value(text, VOYAGE[key], f"{path}.{key}", report)
            for key, text in voyage.items()
            if key in VOYAGE
        }
        if None not in read.values():
            calls[name] = PortCalls(**read)
    return calls


def _value(text: Any, read: Callable[[str], Any], path: str, report: Report) -> Any:
    if not isinstance(text, str):
        report("SCENARIO_SYNTAX", path, "A single value is wanted here.", "Write one value.")
        return None
    try:
        return read(text)
    except ValueError as error:
        report("SCENARIO_SYNTAX", path, f"{str(error)[0].upper()}{str(error)[1:]}.", "Correct the value.")
        return None


def assume(law: Law, assumptions: Assumptions) -> Law:
    """The law under a scenario's assumptions, which win over those it has.

    Raises:
        ScenarioError: NOTHING_MATCHED if the law has no such limit, promise, fee or kind of ship, with its path.
    """
    for error in unknown_in(law, assumptions):
        raise error
    return replace(law, assumptions=law.assumptions.under(assumptions)) if assumptions else law


def unknown_in(law: Law, assumptions: Assumptions) -> Iterator[ScenarioError]:
    """Every name of some assumptions that the law does not have."""
    for key, names, kind in (
        ("let_through", assumptions.let_through, _LIMIT),
        ("compliance", assumptions.compliance, _FLOOR),
    ):
        known = [entry["measure"] for entry in law.limits if entry["kind"] == kind]
        for name in names:
            yield from _unless_known(name, known, f"{kind} on quantities", f"{KEY}.{key}.{name}")
    fees = {fee["measure"]: fee["kinds"] for fee in law.port_fees}
    for name, voyage in assumptions.port_calls.items():
        path = f"{KEY}.{PORT_CALLS}.{name}"
        yield from _unless_known(name, fees, "port fee", path)
        if name in fees:
            yield from _unless_known(voyage.kind, fees[name], f"kind of ship under {name}:", f"{path}.kind")
            yield from _unknown_voyage(law, name, voyage, path)


def _unknown_voyage(law: Law, measure: str, voyage: PortCalls, path: str) -> Iterator[ScenarioError]:
    known = [one["ship"] for one in law.port_calls if (one["measure"], one["kind"]) == (measure, voyage.kind)]
    if voyage.ship:
        yield from _unless_known(voyage.ship, known, "sourced voyage of the ship", f"{path}.ship")
    elif voyage.net_tons is None and not known:
        yield ScenarioError(
            "SCENARIO_SYNTAX",
            f"The law has no sourced voyage of {voyage.kind} ships under {measure}.",
            path=path,
            fix="Give net_tons and what is landed.",
        )


def _unless_known(name: str, known: Iterable[str], what: str, path: str) -> Iterator[ScenarioError]:
    known = sorted(known)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        yield ScenarioError(
            "NOTHING_MATCHED",
            f"The law has no {what} {name!r}.",
            path=path,
            fix=f"Did you mean {', '.join(near)}?" if near else f"Use one of: {', '.join(known)}.",
            metadata={"name": name, "nearest": ",".join(near)},
        )
