"""Entry lines of the golden cases and of `lines/explained.yaml`, for tests that ask the same lines in another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tariffs.client.cases.case_file import read_cases
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.class_profile import profile_of
from tariffs.engine.line_duty.entry_line import resolve_line
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.line_duty.unapplied import UnappliedMeasure
from tariffs.engine.line_duty.why_not import why_not
from tariffs.engine.schedule.lines import load_schedule

GOLDEN = Path(__file__).parent / "golden"
_NAMES = {"hts": "hts", "origin": "origin", "date": "entry", "value": "value", "quantity": "quantity", "unit": "unit",
          "mode": "mode"}  # fmt: skip


def read_lines() -> dict[str, dict[str, Any]]:
    """Read the line of each case by its id, which is its own among all files."""
    found: dict[str, dict[str, Any]] = {}
    for case in [case for path in sorted(GOLDEN.glob("*.yaml")) for case in read_cases(path)]:
        line = {name: case.asked.get(key, "") for key, name in _NAMES.items()}
        assert case.id not in found
        found[case.id] = {**line, "claims": case.asked.get("claims", {}), "hts": line["hts"].replace(".", "")}
    return found


LINES = read_lines()
EXPLAINED = {
    case.id: EntryLine(*(case.asked.get(key, {}) for key in ("hts", "origin", "value", "date", "claims")))
    for case in read_cases(GOLDEN.with_name("lines") / "explained.yaml")
}
"""Unlike entries whose answers are cases."""


def considered(law: Law, line: EntryLine) -> tuple[UnappliedMeasure, ...]:
    """Measures that did not apply to a line, which is read again."""
    reading = resolve_line(law, line, None, load_schedule())
    return why_not(law, reading, profile_of(law, reading))


def quote_of(line: dict[str, Any]) -> Quote:
    """The engine's answer for a line."""
    return quote_line(load_law(), EntryLine(**{**line, "quantity": line["quantity"] or None}))
