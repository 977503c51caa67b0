"""Fill in the parameters of a scenario file: find each `$name`, check the values, write them there.

A parameter stands for a whole value, never for a part of one. Texts for people, such as titles and notes, are left as
they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.model import TERMS
from tariffs.engine.law.values import (
    read_instant,
    read_number,
    read_rate,
    read_share,
    read_step,
    read_weight,
    read_yes,
)
from tariffs.engine.scenario.model import PARAMETERS, Location, Parameter, shorten

NAME = r"^[a-z][a-z0-9_]{0,39}$"
WHEN, REST = "when", "rest"
_REFERENCE = re.compile(r"\$([A-Za-z0-9_-]+)")
_TEXTS = frozenset({"title", "description", "note", "text", "tags", "cite", "source"})
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class _Kind:
    """Values that a parameter takes at a place; those of one parameter are of one family."""

    name: str
    words: str
    example: str
    family: str
    read: Callable[[str], object]


def _read_date(text: str) -> datetime:
    return read_instant(text, _UTC)


_RATE = _Kind("rate", "a rate", "12.5%", "number", read_rate)
_SHARE = _Kind("share", "a share", "90%", "number", read_share)
_WEIGHT = _Kind("weight", "a weight", "0.5", "number", read_weight)
_NUMBER = _Kind("number", "a number", "60000", "number", read_number)
_STEP = _Kind("step", "a step of a rate", "+10pp", "step", read_step)
_DATE = _Kind("date", "a date", "2027-01-01", "date", _read_date)
_ON_OFF = _Kind("on_off", "on or off", "on", "on_off", read_yes)
_KINDS: Mapping[str, _Kind] = {
    **dict.fromkeys(("rate", "kept"), _RATE),
    **dict.fromkeys(("share", "compliance", "weight"), _SHARE),
    **dict.fromkeys(
        ("limit", "floor", "net_tons", "teu", "cargo_tons", "containers", "calls", "usd_per_unit"), _NUMBER
    ),
    **dict.fromkeys(("at", "from", "until", "to", "collection_stop", "known_from"), _DATE),
    **dict.fromkeys((WHEN, "from_beginning"), _ON_OFF),
    "by": _STEP,
}
_READERS = {kind.name: kind.read for kind in (_RATE, _SHARE, _WEIGHT, _NUMBER, _DATE, _ON_OFF)}
# Mappings from names to values of one kind.
_MAPPINGS: Mapping[str, _Kind] = {"let_through": _SHARE, "compliance": _SHARE}


@dataclass(frozen=True)
class Use:
    """Place where a file writes a parameter; `kind` is None where none can be used."""

    location: tuple[str | int, ...]
    path: str
    name: str
    kind: _Kind | None


@dataclass(frozen=True)
class Outline:
    """Scenario document with its parameters and the places of their values.

    Attributes:
        document: the file as texts, lists and mappings.
        parameters: the parameters it declares, by name.
        uses: the places of those that are declared.
        errors: what is wrong with declarations and places.
        faulty: paths of such places; no other error about their values is of use.
    """

    document: Mapping[str, Any]
    parameters: Mapping[str, Parameter]
    uses: tuple[Use, ...]
    errors: tuple[ScenarioError, ...]
    faulty: frozenset[str]


@dataclass(frozen=True)
class Filling:
    """Scenario document with its parameters filled in.

    Attributes:
        document: the document without a `$name`; `parameters` and `when` are still in it.
        values: the value of each parameter.
        errors: what is wrong with declarations, places and values.
        faulty: paths of such values; no other error about them is of use.
    """

    document: Mapping[str, Any]
    values: Mapping[str, str]
    errors: tuple[ScenarioError, ...]
    faulty: frozenset[str]


def outline(document: Mapping[str, Any]) -> Outline:
    """Find the parameters that a document declares and the places where it uses them."""
    declared = document.get(PARAMETERS)
    names = declared if isinstance(declared, Mapping) else {}
    errors = [_bad_name(name) for name in names if not re.match(NAME, name)]
    faulty = set[str]()
    kinds: dict[str, tuple[_Kind, str]] = {}
    uses = list(_uses({key: value for key, value in document.items() if key != PARAMETERS}))
    for use in uses:
        if error := _misplaced(use, names, kinds):
            faulty.add(use.path)
            errors.append(error)
    parameters = {
        name: Parameter(
            _text(inner, "default"), _text(inner, "title"), kinds[name][0].name if name in kinds else ""
        )
        for name, inner in names.items()
    }
    declared_uses = tuple(use for use in uses if use.name in names)
    return Outline(document, parameters, declared_uses, tuple(errors), frozenset(faulty))


def fill(found: Outline, given: Mapping[str, str]) -> Filling:
    """Fill in parameters with given values and, for the others, their defaults.

    Args:
        found: the document with the places of its parameters.
        given: texts by name; names that the document does not declare are passed over.
    """
    values = {
        name: given[name].strip() if name in given else parameter.default
        for name, parameter in found.parameters.items()
    }
    errors: dict[str, ScenarioError] = {}
    faulty = set(found.faulty)
    document: Any = found.document
    for use in found.uses:
        text = values[use.name]
        if use.path not in faulty and (error := _misfit(use, text, use.name in given)):
            faulty.add(use.path)
            # One error a parameter, however often it is used; the reader of the format reports a missing default.
            if text or use.name in given:
                errors.setdefault(use.name, error)
        document = put(document, use.location, text)
    return Filling(_with_rest(document), values, (*found.errors, *errors.values()), frozenset(faulty))


def _with_rest(document: Any) -> Any:
    """Return a document with the weight `rest` of a mixture written as what the other weights leave of 1."""
    mixture = document.get("mixture")
    parts = mixture if isinstance(mixture, list) else []
    weights: list[Any] = [part.get("weight") if isinstance(part, Mapping) else None for part in parts]
    if weights.count(REST) != 1:
        return document
    index = weights.index(REST)
    try:
        left = 1 - sum((read_share(weight) for weight in weights if weight != REST), Decimal(0))
    except (ValueError, TypeError):  # the reader of the format reports the weight that is none
        left = Decimal(0)
    return put(document, ("mixture", index, "weight"), format(max(left, Decimal(0)), "f"))


def fits(use: Use, text: str) -> bool:
    """Test whether a value fits a place."""
    return _misfit(use, text, True) is None


def is_on(change: Any) -> bool:
    """Test whether a change of a filled document is on; one without a readable `when` is."""
    try:
        return not isinstance(change, Mapping) or WHEN not in change or read_yes(change[WHEN])
    except (ValueError, AttributeError):
        return True


def without_when(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a change as it would be written without being turned on and off."""
    return {key: value for key, value in change.items() if key != WHEN}


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filled document as it would be written without parameters: only changes that are on."""
    rest = {key: value for key, value in document.items() if key != PARAMETERS}
    if isinstance(changes := rest.get("changes"), list):
        rest["changes"] = [without_when(change) for change in changes if is_on(change)]
    return rest


def column_value(parameter: Parameter, text: str) -> float | str:
    """Convert a value of a parameter to one for a column of results.

    Returns:
        Rates, shares and weights as fractions, numbers as they are, on and off as 1 and 0; dates and steps as text.
    """
    if parameter.kind not in _READERS or parameter.kind == _DATE.name:
        return text
    value = _READERS[parameter.kind](text)
    return float(value) if isinstance(value, bool | Decimal) else text


# -- places ----------------------------------------------------------------------------------------------------


def _uses(value: Any, location: tuple[str | int, ...] = (), kind: _Kind | None = None) -> Iterator[Use]:
    """Yield every place under a value where a parameter is written."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _TEXTS:
                yield from _uses(inner, (*location, key), _kind_under(location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            # A rate by origin is the first of a pair, before its heading.
            pair = len(location) > 1 and location[-2] == "by_origin"
            yield from _uses(item, (*location, index), _RATE if pair and index == 0 else None)
    elif isinstance(value, str) and (match := _REFERENCE.fullmatch(value)):
        yield Use(location, path_of(location), match[1], kind)


def path_of(location: Location) -> str:
    """Write a location as a path, such as `changes[2].until`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in location).removeprefix(".")


def _kind_under(location: tuple[str | int, ...], key: str) -> _Kind | None:
    owner = location[-1] if location else ""
    if owner == "base":
        return _WEIGHT if key in TERMS else None
    if owner in _MAPPINGS:
        return _MAPPINGS[str(owner)]
    return None if owner == "switch" else _KINDS.get(key)


def put(holder: Any, location: tuple[str | int, ...], text: str) -> Any:
    """Return a copy of a document with another value at a place; it shares what is beside the place."""
    if not location:
        return text
    key, rest = location[0], location[1:]
    copied: Any = list(holder) if isinstance(holder, list) else dict(holder)
    copied[key] = put(holder[key], rest, text)
    return copied


def _text(inner: Any, key: str) -> str:
    """Return a text of a declaration; the reader of the format reports a declaration that is none."""
    value = inner.get(key, "") if isinstance(inner, Mapping) else ""
    return " ".join(value.split()) if isinstance(value, str) else ""


# -- errors ----------------------------------------------------------------------------------------------------


def _bad_name(name: str) -> ScenarioError:
    return ScenarioError(
        "SCENARIO_SYNTAX",
        f"{shorten(name)!r} is not the name of a parameter.",
        path=f"{PARAMETERS}.{name}",
        fix="Use at most 40 lower-case letters, digits and underscores, a letter first, such as cn_rate.",
    )


def _misplaced(
    use: Use, names: Mapping[str, Any], kinds: dict[str, tuple[_Kind, str]]
) -> ScenarioError | None:
    """Return the error of a parameter that is not declared or cannot be used at a place; note its kind in `kinds`."""
    message = fix = ""
    if use.name not in names:
        message = f"${use.name} is not declared under `{PARAMETERS}`."
        near = [f"${name}" for name in nearest(use.name, names)]
        fix = f"{did_you_mean(near)}To declare it, write `{PARAMETERS}: {{{use.name}: {{default: ...}}}}`."
    elif use.kind is None:
        message = f"A parameter cannot be used for `{use.path}`."
        fix = "It can be a rate, share, weight, number, step or date, or under `when` on or off."
    elif (first := kinds.setdefault(use.name, (use.kind, use.path)))[0].family != use.kind.family:
        message = f"${use.name} is {first[0].words} in {first[1]} and {use.kind.words} here."
        fix = "Declare two parameters."
    return ScenarioError("SCENARIO_SYNTAX", message, path=use.path, fix=fix) if message else None


def _misfit(use: Use, text: str, given: bool) -> ScenarioError | None:
    """Return the error of a value that does not fit a place: at the place if it was given, else at the default."""
    if use.kind is None:
        return None
    try:
        use.kind.read(text)
        return None
    except (ValueError, OverflowError) as error:
        why = shorten(str(error)) if text else "the value is empty"
    place = f"{use.path} takes {use.kind.words}: {why}."
    if given:
        return ScenarioError(
            "PARAMETER_INVALID",
            f"The value of the parameter {use.name} does not fit: {place}",
            path=use.path,
            fix=f"Give {use.kind.words}, such as {use.kind.example}.",
            metadata={"name": use.name},
        )
    message = f"The default of {use.name} does not fit: {place}"
    return ScenarioError(
        "SCENARIO_SYNTAX",
        message,
        path=f"{PARAMETERS}.{use.name}.default",
        fix=f"Write {use.kind.words}, such as {use.kind.example}.",
    )
