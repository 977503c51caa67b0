"""List the settings: those in effect here, and the Markdown table in the documents.

`python -m tariffs.service.settings.settings_table docs/service.md` rewrites the table of the page.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from tariffs.service.settings.group import PREFIX, shown
from tariffs.service.settings.settings import GROUPS, Settings

BEGIN, END = "<!-- settings: made by tariffs.service.settings.settings_table -->", "<!-- end of settings -->"
_TELEMETRY, _SECRET = "OTEL_", "HEADERS"
# Read by the client and by the container's health check, not by the server.
_OTHERS = (
    "HEALTH_NAME",
    "TARGET",
    "LAW_VERSION",
    "TOKEN",
    "TOKEN_IN_CLEAR",
    "TLS",
    "TLS_NAME",
    "CLIENT_CERTIFICATE",
    "CLIENT_KEY",
)


def table() -> str:
    """Return every setting as a Markdown table, between the markers used in the documents."""
    rows = ["| variable | default | |", "|---|---|---|"]
    for group in GROUPS:
        rows.append(f"| **{(group.__doc__ or '').rstrip('.')}** | | |")
        texts = texts_of(group)
        for name in group.__annotations__:
            text = " ".join(texts.get(name, "").split()).rstrip(".")
            rows.append(f"| `{_variable(name)}` | {_default(Settings.model_fields[name])} | {text} |")
    return "\n".join([BEGIN, *rows, END])


def texts_of(group: type) -> dict[str, str]:
    """Read the text below each setting of a group. A server does not, which pydantic would at each start."""
    (definition,) = ast.parse(inspect.getsource(group)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        ast.unparse(setting.target): text.value.value
        for setting, text in pairwise(definition.body)
        if isinstance(setting, ast.AnnAssign)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def effective(
    settings: Settings, arguments: Mapping[str, Any], environment: Mapping[str, str]
) -> Iterator[str]:
    """List settings in effect, one a line with their source, secrets masked; then OTEL_ and unknown variables.

    Args:
        arguments: arguments by name, None for those not set.
    """
    for group in GROUPS:
        for name in group.__annotations__:
            value = shown(getattr(settings, name))
            yield f"{_variable(name)} = {value}  ({_source(name, arguments, environment, settings.secrets_dir)})"
    known = {_variable(name) for name in (*Settings.model_fields, *map(str.lower, _OTHERS))}
    yield from _telemetry(environment)
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            yield f"{name} is set but is not a setting"


def _telemetry(environment: Mapping[str, str]) -> Iterator[str]:
    """List the variables of OpenTelemetry that are set; headers, which hold keys, are masked."""
    for name in sorted(environment):
        if name.startswith(_TELEMETRY):
            yield f"{name} = {'***' if _SECRET in name else environment[name]}  (environment)"


def replaced(document: str) -> str:
    """Return a document with its settings table replaced by the current one."""
    before, _, rest = document.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "default" in extra:
        return str(extra["default"])
    return shown(field.default)


def _source(
    name: str, arguments: Mapping[str, Any], environment: Mapping[str, str], secrets: Path | None
) -> str:
    if arguments.get(name) is not None:
        return f"argument --{name.replace('_', '-')}"
    if environment.get(_variable(name)):
        return "environment"
    file = None if secrets is None else secrets / _variable(name).lower()
    return "default" if file is None or not file.is_file() else f"file {file}"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(replaced(path.read_text(encoding="utf-8")), encoding="utf-8")
