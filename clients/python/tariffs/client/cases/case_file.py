"""Read files of cases: entry lines and runs over tables, with what is expected of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from tariffs.client.errors import InvalidRequest, module_of
from tariffs.client.scenario import SUFFIXES, Scenario
from tariffs.run_spec.spec import OPTIONS

SCHEMA = "tariffs.cases/v1"
_LAW = {"known_on", "switches", "min_confidence", "direction", "to", "parameters"}
_LINE = {
    "hts",
    "origin",
    "date",
    "value",
    "quantity",
    "unit",
    "mode",
    "freight",
    "insurance",
    "claims",
    "ordinary_rate",
}
_TOLD = {"id", "expect", "exact", "tolerance", "cite", "note", "confidence", "differs"}
_CASE_KEYS = _TOLD | _LINE | _LAW | {"scenario", "facts"}
_CASE_EXPECTS = {
    "assessed",
    "owed",
    "min",
    "max",
    "landed",
    "headings",
    "layers",
    "considered",
    "prohibited",
    "notes",
    "without_notes",
    "error",
    "options",
    "best",
}
_TABLE_KEYS = _TOLD | {"table", "scenarios", "by"} | {name for name in OPTIONS if name != "law_version"}
_TABLE_EXPECTS = {"total", "groups", "error"}
_EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Case:
    """Case of a file.

    Attributes:
        id: its id, told apart within its file.
        file: the file.
        asked: fields of the entry line, or of the run; all values as text, lists or mappings of text.
        scenarios: scenarios to apply.
        expect: expected values by name; a case without any is wrong until what comes is recorded.
        is_exact: whether headings, layers and measures considered must be all that come, in this order.
        tolerance: largest difference that is right: USD of a line; of a table a fraction of each number.
        cite: source from which a person worked what is expected, which is then never recorded anew; empty if none.
        differs: reason for which what is expected is known not to come; empty if it should come.
        is_table: whether it is a run over a table.
    """

    id: str
    file: Path
    asked: Mapping[str, Any]
    scenarios: Sequence[str | Scenario]
    expect: Mapping[str, Any]
    is_exact: bool
    tolerance: Decimal
    cite: str
    differs: str
    is_table: bool

    @property
    def table(self) -> Path | None:
        """Table of a run, beside its file; None is the embedded one."""
        named = str(self.asked.get("table", _EMBEDDED))
        return None if named == _EMBEDDED else self.file.parent / named


_LINE_TOLERANCE, _TABLE_TOLERANCE = Decimal(0), Decimal("1e-6")


def read_cases(path: Path) -> list[Case]:
    """Read the cases of a file.

    Raises:
        InvalidRequest: REQUEST_INVALID with the file and the case.
        ExtraMissing: the `cli` extra is not installed.
    """
    yaml = module_of("cli", "yaml")
    try:
        # All scalars stay text, so that an amount keeps its digits.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise _invalid(path, f"cannot be read ({error.strerror})", "Name a file of cases.") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise _invalid(path, f"is no YAML: {' '.join(str(error).split())}", "Correct the file.") from None
    if not isinstance(content, Mapping) or content.get("schema") != SCHEMA:
        raise _invalid(path, f"does not begin with `schema: {SCHEMA}`", "Add that line.")
    if unknown := content.keys() - {"schema", "cases", "tables", "note"}:
        raise _invalid(path, f"has the unknown key {min(unknown)}", "Give `cases` or `tables`.")
    cases = [*_listed(path, content, "cases"), *_listed(path, content, "tables")]
    names = [case.id for case in cases]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise _invalid(path, f"has two cases {min(doubled)}", "Give each an id of its own.")
    if not cases:
        raise _invalid(path, "has no cases", "Give `cases` or `tables`.")
    return cases


def is_case_file(path: Path) -> bool:
    """Test whether a YAML file begins as a file of cases."""
    if path.suffix not in SUFFIXES:
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return any(
            line.split("#")[0].strip() == f"schema: {SCHEMA}"
            for line, _ in zip(file, range(50), strict=False)
        )


def _listed(path: Path, content: Mapping[str, Any], kind: str) -> Iterator[Case]:
    given = content.get(kind, [])
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise _invalid(path, f"{kind} is no list of cases", "Write one case an item.")
    is_table = kind == "tables"
    for number, raw in enumerate(given, 1):
        yield _case(path, name_of(raw.get("id"), kind, number), raw, is_table)


def name_of(own: object, kind: str, number: int) -> str:
    """Name a case by its own id, or by its list and its number there."""
    return str(own or f"{kind} {number}")


def _case(path: Path, name: str, raw: Mapping[str, Any], is_table: bool) -> Case:
    keys, expects = (_TABLE_KEYS, _TABLE_EXPECTS) if is_table else (_CASE_KEYS, _CASE_EXPECTS)
    expect = raw.get("expect", {})
    if unknown := raw.keys() - keys:
        raise _invalid(
            path, f"{name} has the unknown key {min(unknown)}", f"Known keys: {', '.join(sorted(keys))}."
        )
    if not isinstance(expect, Mapping) or ("expect" in raw and not expect):
        raise _invalid(path, f"{name} expects nothing", f"Give `expect` with {', '.join(sorted(expects))}.")
    if unknown := expect.keys() - expects:
        raise _invalid(
            path, f"{name} expects the unknown {min(unknown)}", f"Known: {', '.join(sorted(expects))}."
        )
    try:
        default = _TABLE_TOLERANCE if is_table else _LINE_TOLERANCE
        tolerance = Decimal(raw["tolerance"]) if "tolerance" in raw else default
    except (InvalidOperation, TypeError):
        raise _invalid(path, f"the tolerance of {name} is no number", "Give a number.") from None
    given = raw.get("scenarios", ["base"]) if is_table else [raw.get("scenario") or "base"]
    scenarios = [_scenario(path, name, one) for one in ([given] if isinstance(given, str) else given)]
    asked = {key: value for key, value in raw.items() if key not in _TOLD | {"scenario", "scenarios"}}
    is_exact = str(raw.get("exact", "")).lower() == "true"
    cite, differs = str(raw.get("cite", "")), str(raw.get("differs", ""))
    return Case(name, path, asked, scenarios, expect, is_exact, tolerance, cite, differs, is_table)


def _scenario(path: Path, name: str, given: object) -> str | Scenario:
    """Read a scenario: a name of the library, a file beside that of the cases, or one that is written in the case."""
    if isinstance(given, Mapping):
        # JSON is YAML, and text in quotes is read as the scenario's own YAML would be.
        return Scenario.from_text(json.dumps(given), f"{path.name}, {name}")
    text = str(given)
    return Scenario.from_file(path.parent / text) if Path(text).suffix in SUFFIXES else text


def _invalid(path: Path, what: str, fix: str) -> InvalidRequest:
    return InvalidRequest("REQUEST_INVALID", f"{path}: {what}.", field="cases", fix=fix)
