"""Compare the quote of a line, and its lawful options, with what a case expects of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tariffs.client.cases.case_file import Case
from tariffs.client.cases.values import CaseDifference, Place, difference, names_of
from tariffs.client.results.quote import Quote
from tariffs.questions.options import ScenarioOptions

OF_OPTIONS = frozenset({"options", "best"})
"""Expectations that `Client.options` answers."""
_COSTS = ("duty", "fees", "refunded", "drawback", "cash", "day")
_OPTION_WORDS = ("state", "day")
_AMOUNTS = ("assessed", "owed", "min", "max")
_CHARGED = {"charged": True, "uncharged": False}
_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "rule": lambda one: one.why["rule"],
    "why": lambda one: one.why["text"],
}
"""Fields of a layer that it has by another name."""
_KNOWN = {
    "layers": ("measure", "heading", "state", "rate", "base", "amount", "rule", "why"),
    "considered": ("measure", "heading", "outcome", "rule", "text"),
}
_RECORDED = {
    "layers": ("measure", "heading", "state", "amount"),
    "considered": ("measure", "outcome", "text"),
}
_NAMES, _WORDS = ("measure", "heading"), ("why", "text")


def option_differences(case: Case, found: ScenarioOptions) -> Iterator[CaseDifference]:
    """List what came otherwise of options by their ids, and of the set of them that saves most."""
    by_id = {option.id: option for option in found.options}
    for name, wanted in case.expect.get("options", {}).items():
        place = ("options", name)
        if name in by_id:
            yield from _option_differences(f"option {name}", place, wanted, by_id[name], case.tolerance)
        else:
            yield CaseDifference(f"option {name}: expected, came none ({', '.join(by_id)})", place)
    if "best" in case.expect:
        yield from _option_differences("best", ("best",), case.expect["best"], found.best, case.tolerance)


def _option_differences(
    label: str, place: Place, wanted: Any, option: Any, tolerance: Decimal
) -> Iterator[CaseDifference]:
    for key, value in wanted.items():
        came = getattr(option.cost if key in _COSTS else option, key, None)
        told, here = f"{label} {key}: expected", (*place, key)
        if isinstance(came, tuple):
            if (names := names_of(value)) != sorted(came):
                text = f"{told} {', '.join(names) or 'none'}, came {', '.join(came) or 'none'}"
                yield CaseDifference(text, here, [*came])
        elif key == "why":
            if value not in str(came):
                yield CaseDifference(f"{told} {value} in it, came {came}", here, came)
        elif key in _OPTION_WORDS:
            if value != came:
                yield CaseDifference(f"{told} {value}, came {came}", here, came)
        else:
            yield from difference(f"{label} {key}", here, value, came, tolerance)


def asks_why(expect: Mapping[str, Any]) -> bool:
    """Test whether a case expects reasons, which a quote has on request only."""
    return "considered" in expect or any({"why", "rule"} & one.keys() for one in expect.get("layers", []))


def expectations(quote: Quote) -> dict[str, Any]:
    """List what a case may expect of a quote: amounts, headings, layers, and reasons of its notes."""
    claimed = {heading: str(amount) for heading, amount in _claimed(quote).items()}
    told = {"assessed": str(quote.assessed), "owed": str(quote.owed), "headings": claimed}
    more = {
        "layers": [_fields(one, _RECORDED["layers"]) for one in quote.layers],
        "prohibited": sorted(quote.prohibited),
        "notes": sorted({note.reason for note in quote.notes}),
    }
    return told | {name: value for name, value in more.items() if value}


def quote_differences(case: Case, quote: Quote) -> Iterator[CaseDifference]:
    """List what came otherwise than a case expects of a quote."""
    expect, tolerance = case.expect, case.tolerance
    for name in _AMOUNTS:
        if name in expect:
            yield from difference(name, (name,), expect[name], getattr(quote, name), tolerance)
    landed = expect.get("landed", {})
    for name, amount in (landed if isinstance(landed, Mapping) else {"total": landed}).items():
        place = ("landed", name) if isinstance(landed, Mapping) else ("landed",)
        yield from difference(f"landed {name}", place, amount, quote.landed.get(name), tolerance)
    if "headings" in expect:
        yield from _heading_differences(case, quote)
    for kind in _KNOWN:
        if kind in expect:
            yield from _list_differences(case, kind, getattr(quote, kind))
    if "prohibited" in expect:
        yield from _prohibition(names_of(expect["prohibited"]), sorted(quote.prohibited))
    reasons, wanted = {note.reason for note in quote.notes}, names_of(expect.get("notes", []))
    for reason in wanted:
        if reason not in reasons:
            text = f"notes: expected {reason}, came {', '.join(sorted(reasons)) or 'none'}"
            yield CaseDifference(text, ("notes",), sorted({*wanted} & reasons))
    unwanted = names_of(expect.get("without_notes", []))
    for reason in unwanted:
        if reason in reasons:
            text = f"notes: expected no {reason}, came one"
            yield CaseDifference(text, ("without_notes",), sorted({*unwanted} - reasons))


def _prohibition(wanted: list[str], found: list[str]) -> Iterator[CaseDifference]:
    is_flag = wanted in (["true"], ["false"])
    if (wanted == ["true"]) != bool(found) if is_flag else wanted != found:
        text = f"prohibited: expected {', '.join(wanted) or 'nothing'}, came {', '.join(found) or 'nothing'}"
        yield CaseDifference(text, ("prohibited",), str(bool(found)).lower() if is_flag else found)


def _claimed(quote: Quote) -> dict[str, Decimal]:
    claimed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in quote.headings:
        claimed[line.heading] += line.amount
    return dict(claimed)


def _heading_differences(case: Case, quote: Quote) -> Iterator[CaseDifference]:
    claimed, wanted = _claimed(quote), case.expect["headings"]
    if case.is_exact and [*wanted] != [*claimed]:
        text = f"headings: expected {', '.join(wanted) or 'none'}, came {', '.join(claimed) or 'none'}"
        yield CaseDifference(text, ("headings",), {name: str(amount) for name, amount in claimed.items()})
        return
    for heading, amount in wanted.items():
        place = ("headings", heading)
        if amount in _CHARGED:
            if bool(claimed.get(heading)) != _CHARGED[amount]:
                text = f"{heading}: expected {amount}, came {claimed.get(heading, 'no such heading')}"
                yield CaseDifference(text, place, "uncharged" if _CHARGED[amount] else "charged")
        elif heading in claimed:
            yield from difference(heading, place, amount, claimed[heading], case.tolerance)
        else:
            text = f"{heading}: expected {amount}, came no such heading ({', '.join(claimed) or 'none'})"
            yield CaseDifference(text, place)


def _list_differences(case: Case, kind: str, found: Sequence[Any]) -> Iterator[CaseDifference]:
    """Compare layers, or measures that were considered, each with the fields that the case gives."""
    wanted, left, label = case.expect[kind], list(found), "layer" if kind == "layers" else kind
    if case.is_exact and (len(wanted) != len(found) or not all(map(_is_named, wanted, found))):
        came = ", ".join(one.measure for one in found) or "none"
        keys = dict.fromkeys(key for one in wanted for key in one) or _RECORDED[kind]
        yield CaseDifference(
            f"{kind}: expected {', '.join(map(_name, wanted)) or 'none'}, came {came}",
            (kind,),
            [_fields(one, keys) for one in found],
        )
        return
    for number, one in enumerate(wanted):
        name, place = f"{label} {_name(one)}", (kind, number)
        if unknown := one.keys() - {*_KNOWN[kind]}:
            yield CaseDifference(f"{name}: no field {min(unknown)}; known: {', '.join(_KNOWN[kind])}")
            continue
        named = left[:1] if case.is_exact else [came for came in left if _is_named(one, came)]
        if not named:
            yield CaseDifference(f"{name}: expected, came none", place)
            continue
        apart = {id(came): [*_field_differences(case, name, place, one, came)] for came in named}
        nearest = next((came for came in named if not apart[id(came)]), named[0])
        left.remove(nearest)
        yield from apart[id(nearest)]


def _field_differences(
    case: Case, name: str, place: tuple[str, int], wanted: Mapping[str, str], came: Any
) -> Iterator[CaseDifference]:
    for key, value in wanted.items():
        found = _field(came, key)
        if isinstance(found, Decimal) or found is None:
            yield from difference(f"{name} {key}", (*place, key), value, found, case.tolerance)
        elif key in _WORDS and not case.is_exact:
            if value not in found:
                text = f"{name} {key}: expected {value} in it, came {found}"
                yield CaseDifference(text, (*place, key), found)
        elif found != value and key not in _NAMES:
            yield CaseDifference(f"{name} {key}: expected {value}, came {found}", (*place, key), found)


def _is_named(wanted: Mapping[str, str], came: Any) -> bool:
    """Test whether one has the measure and heading that are wanted; of `7318.15.80 S` the first word suffices."""
    heading = wanted.get("heading")
    return wanted.get("measure", came.measure) == came.measure and heading in {
        None,
        came.heading,
        came.heading.split(" ")[0],
    }


def _name(wanted: Mapping[str, str]) -> str:
    return " ".join(wanted[key] for key in _NAMES if key in wanted) or "any"


def _field(one: Any, key: str) -> Any:
    return _FIELDS[key](one) if key in _FIELDS and hasattr(one, "why") else getattr(one, key)


def _fields(one: Any, keys: Any) -> dict[str, str]:
    return {key: str(value) for key in keys if (value := _field(one, key)) is not None}
