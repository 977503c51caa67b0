"""Read the options that a caller of a run gives, and list those of a run for its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tariffs.client import _arguments as arguments
from tariffs.client.errors import InvalidRequest
from tariffs.run_spec.option import Kind, RunOption
from tariffs.run_spec.spec import OPTIONS, RunSpec, taken

_READERS: Mapping[Kind, Callable[[Any, RunOption], object]] = {
    Kind.DAY: lambda value, one: arguments.day(value, one.name),
    Kind.TEXT: lambda value, one: arguments.text(value, one.name),
    Kind.KEYS: lambda value, one: tuple(arguments.names(value, one.name)),
    Kind.PAIRS: lambda value, one: arguments.texts_by_name(value, one.name),
    Kind.VALUES: lambda value, one: arguments.parameters(value),
    Kind.PARAMETER_SET: lambda value, one: _set_name(value, one),
    Kind.TABLE: lambda value, one: _table_text(value, one),
    Kind.FLAG: lambda value, one: arguments.flag(value, one.name),
    Kind.NUMBER: lambda value, one: arguments.number(value, one.name),
    Kind.WHOLE: lambda value, one: arguments.whole(value, one.name, one.limit),
    Kind.CHOICE: lambda value, one: arguments.one_of(
        {name: name for name in (one.default, *one.choices)}, value, one.name, one.reason
    ),
}


def read_option(name: str, value: object) -> Any:
    """Read the value of an option as plain data.

    Raises:
        InvalidRequest: REQUEST_INVALID, PARAMETER_INVALID or ENTRY_DATE_INVALID for a value of no use.
    """
    return _READERS[OPTIONS[name].kind](value, OPTIONS[name])


def read_spec(verb: str, options: Mapping[str, Any], **own: object) -> RunSpec:
    """Read the options of a call, given by name, and `own` that are arguments of its method; None is the default.

    Raises:
        TypeError: there is no such option.
        InvalidRequest: PARAMETER_INVALID for an option that the verb does not take; as `read_option`.
    """
    given = {name: value for name, value in {**options, **own}.items() if value is not None}
    for name in given:
        if name not in OPTIONS:
            meant = "".join(f". Did you mean {one!r}?" for one in get_close_matches(name, OPTIONS, n=1))
            raise TypeError(f"{verb}() got an unexpected keyword argument {name!r}{meant}")
    values = {name: read_option(name, value) for name, value in given.items()}
    for name in sorted(values.keys() - own.keys()):
        if verb not in OPTIONS[name].verbs and values[name] != OPTIONS[name].default:
            raise InvalidRequest(
                "PARAMETER_INVALID",
                f"A {verb} takes no {name}.",
                field=name,
                fix="Leave it out, or use impact.",
            )
    return RunSpec(**values)


def recorded_options(verb: str, spec: RunSpec) -> dict[str, object]:
    """List the options of a run that its result records: what is not as by default, and defaults that may change."""
    values = ((one, getattr(spec, one.name)) for one in taken(verb))
    return {one.name: value for one, value in values if one.is_recorded or value != one.default}


def _set_name(value: object, one: RunOption) -> str:
    if isinstance(value, str | Path):
        return str(value)
    raise arguments.refusal(one.name, value, "Give the name of a set, or the path of a CSV file.", one.reason)


def _table_text(value: object, one: RunOption) -> str:
    """Read the name of an embedded table, or the text of a file; a text of several lines is that of a file."""
    if not isinstance(value, str | Path):
        raise arguments.refusal(one.name, value, f"Give {one.metavar}.", one.reason)
    text = str(value)
    if text in ("", *one.choices) or "\n" in text:
        return text
    try:
        return Path(text).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidRequest(
            one.reason,
            f"The file {text} cannot be read: {getattr(error, 'strerror', None) or error}.",
            field=one.name,
            fix=f"Give {one.metavar}.",
        ) from error
