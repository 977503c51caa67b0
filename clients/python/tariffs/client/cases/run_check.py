"""Compare a run over a table with what a case expects of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from tariffs.client.cases.case_file import Case
from tariffs.client.cases.values import CaseDifference, Place
from tariffs.client.results.impact import ImpactResult

_RECORDED = ("duty", "duty_owed", "value_after", "duty_after")


def total_expectations(result: ImpactResult) -> dict[str, Any]:
    """List what a case may expect of the total of a run: duty before and after the response, by scenario."""
    rows = result.total.to_dicts()
    return {
        "total": {
            row["scenario"]: {name: str(row[name]) for name in _RECORDED if row.get(name) is not None}
            for row in rows
        }
    }


def table_differences(case: Case, result: ImpactResult, keys: Sequence[str]) -> Iterator[CaseDifference]:
    """List what came otherwise than a case expects of a run, in total and by groups of these keys."""
    for kind, frame, found_by in (("total", result.total, ()), ("groups", result.groups, keys)):
        for place, row in _rows((kind,), case.expect.get(kind, [])):
            label = "group" if kind == "groups" else kind
            yield from _row_differences(
                label, place, row, frame, ["scenario", "on", *found_by], float(case.tolerance)
            )


def _row_differences(
    what: str,
    place: Place,
    expected: Mapping[str, str],
    frame: pl.DataFrame,
    keys: Sequence[str],
    near: float,
) -> Iterator[CaseDifference]:
    """Compare one row, found by the keys that it gives."""
    given = {key: expected[key] for key in keys if key in expected and key in frame.columns}
    found = frame.filter(*(pl.col(key).cast(pl.String) == value for key, value in given.items()))
    label = " ".join([what, *given.values()])
    if found.height != 1:
        yield CaseDifference(f"{label}: expected one row, came {found.height}")
        return
    row = found.row(0, named=True)
    for name, value in expected.items():
        if name in given:
            continue
        if name not in row:
            yield CaseDifference(f"{label} {name}: expected {value}, came no such column")
        elif not _is_near(value, row[name], near):
            text = f"{label} {name}: expected {value}, came {row[name]}"
            yield CaseDifference(text, (*place, name), _told(row[name]))


def _is_near(expected: str, came: object, tolerance: float) -> bool:
    """Compare numbers within a fraction of the larger; null is expected as null."""
    if came is None or expected in {"null", ""}:
        return came is None and expected in {"null", ""}
    try:
        return math.isclose(float(expected), float(str(came)), rel_tol=tolerance, abs_tol=tolerance)
    except ValueError:
        return str(came) == expected


def _rows(place: Place, given: Any) -> Iterator[tuple[Place, Mapping[str, str]]]:
    """List expected rows with their places: one mapping of columns, one a scenario by its id, or a list of rows."""
    if not isinstance(given, Mapping):
        yield from (((*place, number), row) for number, row in enumerate(given))
    elif any(isinstance(row, Mapping) for row in given.values()):
        for name, row in given.items():
            if isinstance(row, Mapping):
                yield (*place, name), {"scenario": name, **row}
    else:
        yield place, given


def _told(value: object) -> str:
    return "null" if value is None else str(value)
