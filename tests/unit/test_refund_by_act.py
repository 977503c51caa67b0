"""What acts give back to entries between their effect and their publication."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine
from tariffs.engine.runs.refunds.refund import RefundLine, RefundOptions, refunds

AIRCRAFT = {"civil_aircraft_share": 1}
# Goods, origin, day of entry, claims, authority, and what an act published later gave back.
GIVEN_BACK: dict[str, tuple[str, str, str, dict[str, int], str, str]] = {
    # Aircraft of Taiwan from 2026-05-01, FR 2026-10571 of 05-28: a row added to an older period.
    "aircraft of Taiwan": ("7318.15.2065", "TW", "2026-05-10", AIRCRAFT, "s232", "5000.00"),
    "aircraft of Taiwan, entered after": ("7318.15.2065", "TW", "2026-06-01", AIRCRAFT, "s232", "0.00"),
    # EO 14289 of 2025-04-29: steel that pays the duty on Canada pays no metals duty from 2025-03-04.
    "steel of Canada": ("7207.12.0050", "CA", "2025-04-10", {"usmca_share": 0}, "s232", "2500.00"),
    "steel of Canada, entered after": ("7207.12.0050", "CA", "2025-05-10", {"usmca_share": 0}, "s232", "0.00"),
    # EO 14345 of 2025-09-04: the floor for Japan counts from 2025-08-07.
    "shirts of Japan": ("6110.30.3059", "JP", "2025-09-03", {}, "ieepa", "1500.00"),
    "shirts of Japan, entered after": ("6110.30.3059", "JP", "2025-09-05", {}, "ieepa", "0.00"),
}  # fmt: skip


@pytest.mark.parametrize("name", GIVEN_BACK)
def test_acts_give_back_from_their_effect_to_their_publication(name: str) -> None:
    hts, origin, entry, claims, authority, back = GIVEN_BACK[name]
    line = RefundLine(EntryLine(hts, origin, 10000, entry, dict(claims), entry_id="A"))
    (found,) = refunds(load_law(), [line], RefundOptions(authority=(authority,))).entries
    assert found.by_act == Decimal(back)
