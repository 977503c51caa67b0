"""Text forms of law data, and assumptions as values."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tariffs.engine.law.assumptions import Assumptions, PortCalls
from tariffs.engine.law.values import read_instant

ZONE = ZoneInfo("America/New_York")


def test_an_instant_is_read_with_its_offset_or_in_the_zone() -> None:
    assert read_instant("2025-11-10T00:01-05:00", ZONE) == datetime(2025, 11, 10, 5, 1, tzinfo=UTC)
    assert read_instant("2025-07-10T00:01", ZONE) == datetime(2025, 7, 10, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["9999-12-31T23:59-14:00", "0001-01-01T00:00+14:00", "2025-13-01", "soon"])
def test_an_instant_outside_the_calendar_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a day or instant such as"):
        read_instant(text, ZONE)


@pytest.mark.parametrize(
    "assumed",
    [
        Assumptions(let_through={"cn.rare_earths": Decimal("0.5")}),
        Assumptions(compliance={"cn.soybeans": Decimal("0.5")}),
        Assumptions(port_calls={"s301_ships": PortCalls("built")}),
    ],
)
def test_assumptions_of_any_one_kind_are_some(assumed: Assumptions) -> None:
    assert assumed
    assert not Assumptions()
