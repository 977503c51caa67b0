"""What importers knew: acts published after an entry change its duty only from the day they were known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line

# hts, origin, entry, known before, duty as then known, duty as known now
CASES = {
    "electronics": ("8517.13.0000", "CN", "2025-04-06", "2025-04-07", "3000.00", "2000.00"),
    "japan floor": ("6110.30.3059", "JP", "2025-09-01", "2025-09-10", "4700.00", "3200.00"),
    "swiss floor": ("8479.50.0000", "CH", "2025-12-01", "2025-12-10", "4150.00", "1500.00"),
    "korea furniture": ("9401.61.4011", "KR", "2025-12-01", "2025-12-02", "2500.00", "1500.00"),
    "brazil coffee": ("0901.11.0025", "BR", "2025-11-15", "2025-11-16", "4000.00", "0.00"),
}


@pytest.mark.parametrize("name", CASES)
def test_known_on(name: str) -> None:
    hts, origin, entry, before, then, now = CASES[name]
    line = EntryLine(hts, origin, 10000, entry=entry)
    law = load_law()
    assert quote_line(law, line, known_on=before).assessed == Decimal(then)
    assert quote_line(law, line).assessed == Decimal(now)


def test_nothing_is_owed_of_a_void_duty_however_early_known() -> None:
    line = EntryLine("9503.00.0073", "CN", 10000, entry="2025-05-20")
    known_then = quote_line(load_law(), line, known_on="entry")
    assert known_then.owed == known_then.assessed == Decimal("3000.00")
    assert quote_line(load_law(), line).owed == Decimal("0.00")
