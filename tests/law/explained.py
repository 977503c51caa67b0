"""Unlike entries whose answers are cases in `lines/explained.yaml`, and what was considered on a line."""

from __future__ import annotations

from pathlib import Path

from tariffs.client.cases.case_file import read_cases
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.class_profile import profile_of
from tariffs.engine.line_duty.entry_line import resolve_line
from tariffs.engine.line_duty.quote import EntryLine
from tariffs.engine.line_duty.unapplied import UnappliedMeasure
from tariffs.engine.line_duty.why_not import why_not
from tariffs.engine.schedule.lines import load_schedule

CASES = {
    case.id: EntryLine(*(case.asked.get(key, {}) for key in ("hts", "origin", "value", "date", "claims")))
    for case in read_cases(Path(__file__).parent / "lines" / "explained.yaml")
}


def considered(law: Law, line: EntryLine, *, known_on: str | None = None) -> tuple[UnappliedMeasure, ...]:
    """Measures that did not apply to a line, which is read again."""
    reading = resolve_line(law, line, known_on, load_schedule())
    return why_not(law, reading, profile_of(law, reading))
