"""Describe one option of a run: kind of its values, default, texts, and the verbs that take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from enum import Enum, auto
from math import inf
from typing import Any

Day = str | date | int
ParameterValue = str | float | bool | Decimal | date
# Values of the parameters of scenarios, by name.
Parameters = Mapping[str, ParameterValue]
VERBS = IMPACT, TIMELINE, SWEEP, SEEK = ("impact", "timeline", "sweep", "seek")
LINES = "lines"
"""Stream of rows, which takes options of the goods and of the law."""
EVERY = (*VERBS, LINES)


class Kind(Enum):
    """Kinds of values; client, command line, desk and service each convert a kind, and never a single option."""

    DAY = auto()
    TEXT = auto()
    KEYS = auto()
    PAIRS = auto()
    """Texts by name."""
    VALUES = auto()
    """Values of the parameters of scenarios, by name."""
    PARAMETER_SET = auto()
    """Name of a set of elasticities, or the path of a file."""
    TABLE = auto()
    """Name of an embedded table, or the text of a CSV table; callers give its path."""
    FLAG = auto()
    NUMBER = auto()
    WHOLE = auto()
    CHOICE = auto()


_METAVARS = {Kind.DAY: "DAY", Kind.PAIRS: "NAME=VALUE", Kind.VALUES: "NAME=VALUE"}


@dataclass(frozen=True)
class RunOption:
    """Option of a run.

    Attributes:
        kind: kind of its values.
        title: short name on forms.
        text: explanation in Python, on the command line, on forms and in docs/options.md.
        verbs: verbs that take it.
        choices: values of a choice; of other kinds those to suggest.
        low, high: bounds of a number.
        limit: first whole number that is too large.
        reason: reason of the error for a value that is no choice.
        flag: name on the command line.
        metavar: placeholder of its value there.
        wire: name of its field in messages, where another one.
        side: direction of the only goods that it is for, "import" or "export"; empty for both.
        is_recorded: record it in results with its default too, which later releases may change.
        name, default, group: name, default and class of its field.
    """

    kind: Kind
    title: str
    text: str
    verbs: tuple[str, ...]
    choices: tuple[str, ...] = ()
    low: float = -inf
    high: float = inf
    limit: int = 2**32
    reason: str = "PARAMETER_INVALID"
    flag: str = ""
    metavar: str = ""
    wire: str = ""
    side: str = ""
    is_recorded: bool = False
    name: str = ""
    default: Any = None
    group: str = ""


def option(
    default: Any, kind: Kind, title: str, text: str, verbs: tuple[str, ...] = VERBS, **facts: Any
) -> Any:
    """Make a field of a dataclass that is an option of a run; facts are attributes of `RunOption`."""
    described = RunOption(kind, title, text, verbs, **facts)
    metadata = {"option": described}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


def options_in(group: type[Any], title: str) -> tuple[RunOption, ...]:
    """List the options that a dataclass declares, in their order."""
    made = group()
    described = ((one.name, one.metadata["option"]) for one in fields(group))
    return tuple(
        replace(
            one,
            name=name,
            default=getattr(made, name),
            group=title,
            flag=one.flag or "--" + name.replace("_", "-"),
            metavar=one.metavar or "|".join(one.choices) or _METAVARS.get(one.kind, ""),
            wire=one.wire or name,
        )
        for name, one in described
    )
