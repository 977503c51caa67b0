"""The interpreter rates the lines of `lines/known_days.yaml` as they were known, as the engine does."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tariffs.client.cases.case_file import Case, read_cases
from tests.law.interpreter import Reading
from tests.law.real_law import columns, raw_law, units

CASES = [
    case
    for case in read_cases(Path(__file__).parent / "lines" / "known_days.yaml")
    if "assessed" in case.expect
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_interpreter_counts_an_act_from_its_publication(case: Case) -> None:
    line = dict(case.asked)
    day, known_on = line.pop("date"), line.pop("known_on", "")
    code = line["hts"].replace(".", "")
    plain = {"claims": {}, "quantity": "1", "unit": "kg", **line, "hts": code, "entry": day}
    rates = {code: columns(code, day)}
    reading = Reading(
        raw_law(), plain, rates, units(), *([known_on] if known_on not in {"", "entry"} else [])
    )
    assert reading.assessed == Fraction(case.expect["assessed"])
