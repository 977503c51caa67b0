"""Compute cases, and compare what comes with what they expect."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tariffs.client.cases.case_file import Case
from tariffs.client.cases.quote_check import (
    OF_OPTIONS,
    asks_why,
    expectations,
    option_differences,
    quote_differences,
)
from tariffs.client.cases.run_check import table_differences, total_expectations
from tariffs.client.cases.values import CaseDifference, names_of
from tariffs.client.client import Client
from tariffs.client.errors import Cancelled, ExtraMissing, TariffsError, Unavailable
from tariffs.client.results.json_values import Plain
from tariffs.run_spec.option import Kind
from tariffs.run_spec.spec import OPTIONS

_NUMBERS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.WHOLE: int,
    Kind.NUMBER: float,
    Kind.FLAG: lambda text: str(text).lower() in {"true", "yes", "1"},
}
_FIELDS = {"date": "entry_date"}
_TOTALS = ("duty", "duty_owed")
_NOT_OF_THE_CASE = (Cancelled, ExtraMissing, Unavailable)
_Answer = tuple[dict[str, object], list[CaseDifference]]
"""Values that came, in short, and the differences from those expected."""


@dataclass(frozen=True, slots=True)
class CaseResult(Plain):
    """Outcome of a case.

    Attributes:
        id: its id.
        file: its file.
        wrong: each difference as one sentence, with what was expected and what came; empty if the case is right.
        came: duty assessed and owed of a line, what its best options save, the total of a run by scenario, or the
            reason of an error.
        seconds: time that it took.
        differences: the differences, with places and values that can be recorded.
    """

    _left_out = "differences"
    id: str
    file: str
    wrong: tuple[str, ...]
    came: Mapping[str, object]
    seconds: float
    differences: tuple[CaseDifference, ...] = ()


def check_case(client: Client, case: Case) -> CaseResult:
    """Compute a case and compare it.

    Raises:
        Unavailable: no server answers; errors of the case itself are its outcome.
    """
    begun, check = time.perf_counter(), _check_table if case.is_table else _check_line
    try:
        came, wrong = check(client, case)
    except _NOT_OF_THE_CASE:
        raise
    except TariffsError as error:
        expected = case.expect.get("error", "no error")
        text = f"error: expected {expected}, came {error.reason}: {error}"
        came = {"error": error.reason}
        wrong = [] if expected == error.reason else [CaseDifference(text, (), came)]
    if case.differs:
        wrong = [] if wrong else [CaseDifference(f"expected to differ ({case.differs}), came as expected")]
    told = tuple(one.text for one in wrong)
    if case.cite:
        wrong = [*map(CaseDifference, told)]
    return CaseResult(case.id, str(case.file), told, came, time.perf_counter() - begun, tuple(wrong))


def _check_line(client: Client, case: Case) -> _Answer:
    asked: dict[str, Any] = {"hts": "", "origin": "", "value": "", **case.asked}
    fields = {_FIELDS.get(name, name): value for name, value in asked.items()}
    facts = fields.pop("facts", {})
    came: dict[str, object] = {}
    wrong: list[CaseDifference] = []
    if not case.expect or case.expect.keys() - OF_OPTIONS:
        quote = client.duty(scenario=case.scenarios[0], why=asks_why(case.expect), **fields)
        came = {"assessed": quote.assessed, "owed": quote.owed}
        wrong = [*_unlike(case, expectations(quote)), *quote_differences(case, quote)]
    if case.expect.keys() & OF_OPTIONS:
        (found,) = client.options(facts=facts, scenarios=case.scenarios[0], **fields).scenarios
        came["saving"] = found.best.saving
        wrong += option_differences(case, found)
    return came, wrong


def _check_table(client: Client, case: Case) -> _Answer:
    asked = {name: value for name, value in case.asked.items() if name not in {"table", "by", "on"}}
    options = {name: _NUMBERS.get(OPTIONS[name].kind, _same)(value) for name, value in asked.items()}
    keys = names_of(case.asked.get("by", "origin"))
    on = str(case.asked.get("on", "")) or None
    result = client.impact(case.table, case.scenarios, on=on, by=keys, **options)
    came: dict[str, object] = {
        str(row["scenario"]): {name: row[name] for name in _TOTALS} for row in result.total.to_dicts()
    }
    return came, [*_unlike(case, total_expectations(result)), *table_differences(case, result, keys)]


def _unlike(case: Case, came: Mapping[str, Any]) -> list[CaseDifference]:
    """Say that a case expects nothing, or an error where an answer came."""
    if not case.expect:
        return [CaseDifference("expects nothing; give `expect`, or record what comes", (), came)]
    if "error" not in case.expect:
        return []
    place, value = ((), came) if len(case.expect) == 1 else (("error",), None)
    return [CaseDifference(f"error: expected {case.expect['error']}, came none", place, value)]


def _same(value: Any) -> Any:
    return value
