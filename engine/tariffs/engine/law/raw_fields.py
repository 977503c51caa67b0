"""Read values of law data with their path in every error (docs/law-data.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from tariffs.engine.errors import LawError, ScenarioError, TariffsError
from tariffs.engine.law.amendments import read_scope, read_words
from tariffs.engine.law.conditions import Condition, parse_condition
from tariffs.engine.law.known_names import Names, refuse
from tariffs.engine.law.model import Scope
from tariffs.engine.law.values import read_day, read_instant

Raw = Mapping[str, Any]
T = TypeVar("T")


def fault(path: str, message: str) -> LawError:
    """Make the error of law data that breaks its format."""
    return LawError("LAW_INVALID", f"{path}: {message}", field=path, fix="See docs/law-data.md.")


def in_scenario(error: TariffsError, path: str) -> ScenarioError:
    """Turn an error of law data into one of the scenario that holds the data under `path`."""
    if isinstance(error, ScenarioError):
        return error
    field = error.field or ""
    message = error.message.removeprefix(f"{field}: ")
    return ScenarioError(
        "SCENARIO_SYNTAX",
        f"{message[:1].upper()}{message[1:]}.",
        path=field if field.startswith(path) else path,
        fix=error.fix,
    )


def keys(text: str) -> frozenset[str]:
    """Split the names of keys at spaces."""
    return frozenset(text.split())


def check_keys(raw: Any, allowed: frozenset[str], path: str) -> Raw:
    """Check that `raw` is a mapping of allowed keys."""
    if not isinstance(raw, Mapping):
        raise fault(path, "a mapping is expected")
    for key in raw:
        if key not in allowed:
            raise fault(f"{path}.{key}", f"unknown key; known are {', '.join(sorted(allowed))}")
    return raw


def read(raw: Raw, key: str, reader: Callable[[str], T], absent: T, path: str) -> T:
    """Read one value of a mapping, with its path in every error."""
    return read_required(raw, key, reader, path) if key in raw else absent


def read_required(raw: Raw, key: str, reader: Callable[[str], T], path: str) -> T:
    """Read one value that a mapping must have, with its path in every error."""
    if key not in raw:
        raise fault(path, f"the key {key!r} is missing")
    if not isinstance(raw[key], str):
        raise fault(f"{path}.{key}", "a single value is expected")
    try:
        return reader(raw[key])
    except ValueError as error:
        raise fault(f"{path}.{key}", str(error)) from None


def each(raw: Any, reader: Callable[[Any, str], T], path: str) -> tuple[T, ...]:
    """Read every item of a list, each with its path."""
    if not isinstance(raw, list | tuple):
        raise fault(path, "a list is expected")
    return tuple(reader(item, f"{path}[{index}]") for index, item in enumerate(raw))


def one_of(*choices: str) -> Callable[[str], str]:
    """Make a reader that accepts some words only."""

    def reader(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(filter(None, choices))}")
        return text

    return reader


@dataclass(frozen=True)
class Context:
    """Claims, clock, row sets, names and first destination of exports of the law that readers need.

    `as_of` is the last day of publication of acts that state none; None where such acts are always known.
    """

    claim_types: Mapping[str, str]
    zone: ZoneInfo
    as_of: date | None
    row_sets: Mapping[str, Sequence[Raw]]
    names: Names
    destination: str = ""

    def instant(self, text: str) -> datetime:
        """Read an instant on the clock of this context."""
        return read_instant(text, self.zone)

    def conditions(self, raw: Any, path: str) -> tuple[Condition, ...]:
        """Read a list of conditions."""
        try:
            return tuple(parse_condition(text, self.claim_types, self.zone) for text in read_words(raw, path))
        except ValueError as error:
            raise fault(path, str(error)) from None

    def scope(self, raw: Raw, path: str) -> Scope:
        """Read the scope keys of a mapping and check their names."""
        scope = read_scope(raw, path)
        self.names.check_scope(scope, path)
        return scope

    def switch(self, raw: Raw, path: str) -> Mapping[str, str]:
        """Read the switch values that something depends on."""
        values = raw.get("switch", {})
        if not isinstance(values, Mapping):
            raise fault(f"{path}.switch", "a mapping {name: value} is expected")
        for name, value in values.items():
            refuse(self.names.unknown_switch(name, value, f"{path}.switch.{name}"))
        return dict(values)

    def known_from(self, raw: Raw, start: datetime | None, path: str) -> date | None:
        """Day of publication of an act: as stated, else its start or the law's as-of day, the earlier."""
        stated = read(raw, "known_from", read_day, None, path)
        if stated or self.as_of is None:
            return stated
        return min(start.astimezone(self.zone).date(), self.as_of) if start else self.as_of
