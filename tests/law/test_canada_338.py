"""Lists of the Section 338 duties on Canada: which one holds depends on the day of entry and on what was published."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tests.unit.laws import changed

# A mattress joined the list of vehicles on 2026-09-15, by a proclamation of 2026-09-08.
MATTRESS, BABY_LINEN = "9404.21.0013", "4818.90.0010"


def charged(hts: str, entry: str, known_on: str | None = None) -> Decimal:
    """The duty under the heading of the list of vehicles."""
    line = EntryLine(hts, "CA", 10000, entry, claims={"usmca_share": 1})
    layers = quote_line(load_law(), line, known_on=known_on).layers
    return sum((layer.amount for layer in layers if layer.heading == "9903.03.14"), Decimal(0))


@pytest.mark.parametrize(
    ("hts", "entry", "known_on", "amount"),
    [
        (MATTRESS, "2026-09-15T00:00-04:00", None, "0"),
        (MATTRESS, "2026-09-15T00:01-04:00", None, "5000"),
        (MATTRESS, "2026-09-20", "2026-09-07", "0"),
        (MATTRESS, "2026-09-20", "2026-09-08", "5000"),
        (BABY_LINEN, "2026-09-14", None, "5000"),
        (BABY_LINEN, "2026-09-20", None, "0"),
        (BABY_LINEN, "2026-09-20", "2026-09-07", "5000"),
    ],
)
def test_a_list_holds_from_its_day_for_those_who_know_it(
    hts: str, entry: str, known_on: str | None, amount: str
) -> None:
    assert charged(hts, entry, known_on) == Decimal(amount)


@pytest.mark.parametrize(
    ("entry", "known_on", "amount"),
    [
        ("2026-08-20", "2026-08-17", "5000"),
        ("2026-08-20", "2026-08-18", "0"),
        ("2026-08-21", None, "0"),
        ("2026-08-23", None, "5000"),
    ],
)
def test_the_start_was_moved_before_it_came(entry: str, known_on: str | None, amount: str) -> None:
    assert charged(BABY_LINEN, entry, known_on) == Decimal(amount)


def test_a_scenario_that_ends_the_duty_ends_it_under_either_list() -> None:
    repeal = {"op": "terminate", "measures": {"id": "s338_ca_vehicles"}, "at": "2026-09-01T00:01-04:00"}
    law = changed(load_law(), repeal)
    for hts, entry in ((BABY_LINEN, "2026-09-02"), (MATTRESS, "2026-09-20")):
        layers = quote_line(law, EntryLine(hts, "CA", 10000, entry)).layers
        assert "s338_ca_vehicles" not in {layer.measure for layer in layers if layer.amount}
