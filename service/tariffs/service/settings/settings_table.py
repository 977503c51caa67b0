"""The settings for people: what holds in this environment, and the table of the documents.

`python -m tariffs.service.settings.settings_table README.md docs/service.md` makes the tables in both anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from tariffs.service.settings.settings import GROUPS, PREFIX, Settings, shown

BEGIN, END = "<!-- settings: made by tariffs.service.settings.settings_table -->", "<!-- end of settings -->"
# What the client and the health check of the container read; the server leaves it alone.
_OTHERS = (
    "HEALTH_NAME",
    "TARGET",
    "TOKEN",
    "TOKEN_IN_CLEAR",
    "TLS",
    "TLS_NAME",
    "CLIENT_CERTIFICATE",
    "CLIENT_KEY",
)


def table() -> str:
    """Every setting as a Markdown table, between the lines that mark it in the documents."""
    rows = ["| variable | default | |", "|---|---|---|"]
    for group in GROUPS:
        rows.append(f"| **{(group.__doc__ or '').rstrip('.')}** | | |")
        for name in group.__annotations__:
            field = Settings.model_fields[name]
            text = " ".join((field.description or "").split()).rstrip(".")
            rows.append(f"| `{_variable(name)}` | {_default(field)} | {text} |")
    return "\n".join([BEGIN, *rows, END])


def effective(settings: Settings, given: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """The settings that hold, one a line with where each comes from, secrets masked; then variables nobody reads.

    Args:
        settings: what holds.
        given: arguments, None where there is none.
        environment: the environment's variables.
    """
    for group in GROUPS:
        for name in group.__annotations__:
            value = shown(getattr(settings, name))
            yield f"{_variable(name)} = {value}  ({_source(name, given, environment)})"
    known = {_variable(name) for name in (*Settings.model_fields, *map(str.lower, _OTHERS))}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            yield f"{name} is set and no setting"


def replaced(document: str) -> str:
    """A document with the table it marks made anew."""
    before, _, rest = document.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "default" in extra:
        return str(extra["default"])
    return shown(field.default)


def _source(name: str, given: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    if given.get(name) is not None:
        return f"argument --{name.replace('_', '-')}"
    return "environment" if environment.get(_variable(name)) else "default"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(replaced(path.read_text(encoding="utf-8")), encoding="utf-8")
