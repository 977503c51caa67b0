"""Compute cases, and compare what comes with what they expect."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from tariffs.client.cases.case_file import Case
from tariffs.client.cases.option_check import OF_OPTIONS, option_differences
from tariffs.client.cases.values import difference, names_of
from tariffs.client.client import Client
from tariffs.client.errors import Cancelled, ExtraMissing, TariffsError, Unavailable
from tariffs.client.results.json_values import Plain
from tariffs.client.results.quote import Quote
from tariffs.run_spec.option import Kind
from tariffs.run_spec.spec import OPTIONS

_AMOUNTS = ("assessed", "owed", "min", "max")
_NUMBERS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.WHOLE: int,
    Kind.NUMBER: float,
    Kind.FLAG: lambda text: str(text).lower() in {"true", "yes", "1"},
}
_FIELDS = {"date": "entry_date"}
_CHARGED = {"charged": True, "uncharged": False}
_TOTALS = ("duty", "duty_owed")
_NOT_OF_THE_CASE = (Cancelled, ExtraMissing, Unavailable)


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
    """

    id: str
    file: str
    wrong: tuple[str, ...]
    came: Mapping[str, object]
    seconds: float


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
        came = {"error": error.reason}
        wrong = (
            [] if expected == error.reason else [f"error: expected {expected}, came {error.reason}: {error}"]
        )
    else:
        if "error" in case.expect:
            wrong = [f"error: expected {case.expect['error']}, came none", *wrong]
    if case.differs:
        wrong = [] if wrong else [f"expected to differ ({case.differs}), came as expected"]
    return CaseResult(case.id, str(case.file), tuple(wrong), came, time.perf_counter() - begun)


def _check_line(client: Client, case: Case) -> tuple[dict[str, object], list[str]]:
    asked: dict[str, Any] = {"hts": "", "origin": "", "value": "", **case.asked}
    fields = {_FIELDS.get(name, name): value for name, value in asked.items()}
    facts = fields.pop("facts", {})
    came: dict[str, object] = {}
    wrong: list[str] = []
    if case.expect.keys() - OF_OPTIONS:
        quote = client.duty(scenario=case.scenarios[0], **fields)
        came = {"assessed": quote.assessed, "owed": quote.owed}
        wrong += _line_differences(case, quote)
    if case.expect.keys() & OF_OPTIONS:
        (found,) = client.options(facts=facts, scenarios=case.scenarios[0], **fields).scenarios
        came["saving"] = found.best.saving
        wrong += option_differences(case, found)
    return came, wrong


def _line_differences(case: Case, quote: Quote) -> Iterator[str]:
    expect, tolerance = case.expect, case.tolerance
    for name in _AMOUNTS:
        if name in expect:
            yield from difference(name, expect[name], getattr(quote, name), tolerance)
    for name, amount in _mapped(expect.get("landed", {})).items():
        yield from difference(f"landed {name}", amount, quote.landed.get(name), tolerance)
    claimed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in quote.headings:
        claimed[line.heading] += line.amount
    for heading, amount in _mapped(expect.get("headings", {})).items():
        if amount in _CHARGED:
            if bool(claimed.get(heading)) != _CHARGED[amount]:
                yield f"{heading}: expected {amount}, came {claimed.get(heading, 'no such heading')}"
        elif heading in claimed:
            yield from difference(heading, amount, claimed[heading], tolerance)
        else:
            yield f"{heading}: expected {amount}, came no such heading ({', '.join(claimed) or 'none'})"
    yield from _layer_differences(expect.get("layers", []), quote, tolerance)
    if "prohibited" in expect:
        wanted, found = names_of(expect["prohibited"]), sorted(quote.prohibited)
        is_flag = wanted in (["true"], ["false"])
        if (wanted == ["true"]) != bool(found) if is_flag else wanted != found:
            yield f"prohibited: expected {', '.join(wanted) or 'nothing'}, came {', '.join(found) or 'nothing'}"
    reasons = {note.reason for note in quote.notes}
    for reason in names_of(expect.get("notes", [])):
        if reason not in reasons:
            yield f"notes: expected {reason}, came {', '.join(sorted(reasons)) or 'none'}"
    for reason in names_of(expect.get("without_notes", [])):
        if reason in reasons:
            yield f"notes: expected no {reason}, came one"


def _layer_differences(
    layers: Sequence[Mapping[str, str]], quote: Quote, tolerance: Decimal
) -> Iterator[str]:
    """Compare layers that are named by measure or heading, each with the fields that the case gives."""
    left = list(quote.layers)
    for wanted in layers:
        named = [one for one in left if _is_named(wanted, one)]
        name = " ".join(wanted[key] for key in ("measure", "heading") if key in wanted) or "any"
        if not named:
            yield f"layer {name}: expected, came none"
            continue
        fitting = [one for one in named if not [*_field_differences(wanted, one, name, tolerance)]]
        left.remove((fitting or named)[0])
        if not fitting:
            yield from _field_differences(wanted, named[0], name, tolerance)


def _is_named(wanted: Mapping[str, str], layer: Any) -> bool:
    """Test whether a layer has the measure and heading that are wanted; of `7318.15.80 S` the first word suffices."""
    heading = wanted.get("heading")
    return wanted.get("measure", layer.measure) == layer.measure and heading in {
        None,
        layer.heading,
        layer.heading.split(" ")[0],
    }


def _field_differences(wanted: Mapping[str, str], layer: Any, name: str, tolerance: Decimal) -> Iterator[str]:
    for key in ("base", "amount", "rate"):
        if key in wanted:
            yield from difference(f"layer {name} {key}", wanted[key], getattr(layer, key), tolerance)
    if "state" in wanted and layer.state != wanted["state"]:
        yield f"layer {name} state: expected {wanted['state']}, came {layer.state}"


def _check_table(client: Client, case: Case) -> tuple[dict[str, object], list[str]]:
    asked = {name: value for name, value in case.asked.items() if name not in {"table", "by", "on"}}
    options = {name: _NUMBERS.get(OPTIONS[name].kind, _same)(value) for name, value in asked.items()}
    keys = names_of(case.asked.get("by", "origin"))
    on = str(case.asked.get("on", "")) or None
    result = client.impact(case.table, case.scenarios, on=on, by=keys, **options)
    wrong = []
    for row in _rows(case.expect.get("total", [])):
        wrong += _row_differences("total", row, result.total, ["scenario", "on"], case.tolerance)
    for row in _rows(case.expect.get("groups", [])):
        wrong += _row_differences("group", row, result.groups, ["scenario", "on", *keys], case.tolerance)
    came: dict[str, object] = {
        str(row["scenario"]): {name: row[name] for name in _TOTALS} for row in result.total.to_dicts()
    }
    return came, wrong


def _row_differences(
    what: str, expected: Mapping[str, str], frame: pl.DataFrame, keys: Sequence[str], tolerance: Decimal
) -> list[str]:
    """Compare one row, found by the keys that it gives."""
    given = {key: expected[key] for key in keys if key in expected and key in frame.columns}
    found = frame.filter(*(pl.col(key).cast(pl.String) == value for key, value in given.items()))
    label = " ".join([what, *given.values()])
    if found.height != 1:
        return [f"{label}: expected one row, came {found.height}"]
    row = found.row(0, named=True)
    wrong = []
    for name, value in expected.items():
        if name in given:
            continue
        if name not in row:
            wrong.append(f"{label} {name}: expected {value}, came no such column")
        elif not _is_near(value, row[name], float(tolerance)):
            wrong.append(f"{label} {name}: expected {value}, came {row[name]}")
    return wrong


def _is_near(expected: str, came: object, tolerance: float) -> bool:
    """Compare numbers within a fraction of the larger; null is expected as null."""
    if came is None or expected in {"null", ""}:
        return came is None and expected in {"null", ""}
    try:
        return math.isclose(float(expected), float(str(came)), rel_tol=tolerance, abs_tol=tolerance)
    except ValueError:
        return str(came) == expected


def _rows(given: Any) -> list[Mapping[str, str]]:
    """List expected rows: one mapping of columns, one a scenario by its id, or a list of rows."""
    if isinstance(given, Mapping):
        inner: list[Mapping[str, str]] = [
            {"scenario": name, **row} for name, row in given.items() if isinstance(row, Mapping)
        ]
        return inner or [given]
    return list(given)


def _mapped(given: Any) -> Mapping[str, str]:
    return given if isinstance(given, Mapping) else {"total": str(given)}


def _same(value: Any) -> Any:
    return value
