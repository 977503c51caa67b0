"""Each modelled measure is a layer of some worked entry and of some line of the reference table, or says why not."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import numpy as np
import pytest

from tariffs.engine.compile import compile_lines
from tariffs.engine.law import load_law
from tariffs.engine.tables import prepare_table
from tests.law.test_golden import CASES, quote_of

LAW = load_law()
MODELLED = [m.id for m in LAW.measures.values() if m.modelled and not m.announced]
DATES = (
    "2025-02-10", "2025-03-20", "2025-05-20", "2025-08-20", "2025-12-01", "2026-03-15", "2026-06-15", "2026-11-20",
    "2027-02-01",
)  # fmt: skip
# Measures that no line of the reference table meets, and the reason.
NOT_IN_THE_TABLE: dict[str, str] = {}
# Measures that no worked entry under the embedded law meets, and the reason.
NOT_IN_A_CASE: dict[str, str] = {}


@cache
def in_cases() -> frozenset[str]:
    """Measures that are a layer of some worked entry."""
    return frozenset(layer.measure for case in CASES for layer in quote_of(case.line).layers)


@cache
def in_table() -> frozenset[str]:
    """Measures that are a layer of some line of the reference table on one of the dates, with the sourced shares."""
    lines, names = prepare_table(None, LAW).lines, list(LAW.measures)
    met: set[str] = set()
    for day in DATES:
        in_force = LAW.in_force(datetime.fromisoformat(f"{day}T12:00-05:00"))
        compiled = compile_lines(LAW, in_force, lines, None)
        met |= {names[index] for index in np.unique(compiled.profiles.layer_measure)}
    return frozenset(met)


@pytest.mark.parametrize("name", MODELLED)
def test_a_worked_entry_exercises_it(name: str) -> None:
    assert (name in in_cases()) != (name in NOT_IN_A_CASE)


@pytest.mark.parametrize("name", MODELLED)
def test_a_line_of_the_reference_table_exercises_it(name: str) -> None:
    assert (name in in_table()) != (name in NOT_IN_THE_TABLE)


def test_reasons_are_of_modelled_measures() -> None:
    assert NOT_IN_THE_TABLE.keys() | NOT_IN_A_CASE.keys() <= set(MODELLED)
