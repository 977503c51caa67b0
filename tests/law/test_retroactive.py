"""What importers knew: acts published after an entry change its duty only from the day they were known."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tests.law.interpreter import Reading
from tests.law.real_law import columns, raw_law, units

# hts, origin, entry, known before, duty as then known, duty as known now
CASES = {
    "electronics": ("8517.13.0000", "CN", "2025-04-06", "2025-04-07", "3000.00", "2000.00"),
    "japan floor": ("6110.30.3059", "JP", "2025-09-01", "2025-09-03", "4700.00", "3200.00"),
    "swiss floor": ("8479.50.0000", "CH", "2025-12-01", "2025-12-10", "4150.00", "1500.00"),
    "korea furniture": ("9401.61.4011", "KR", "2025-12-01", "2025-12-02", "2500.00", "1500.00"),
    "brazil coffee": ("0901.11.0025", "BR", "2025-11-15", "2025-11-16", "4000.00", "0.00"),
}

AIRCRAFT, US_METAL, USMCA = {"civil_aircraft_share": "1"}, {"us_metal_share": "0.9"}, {"usmca_share": "1"}
# Acts that an entry comes after, by claims: hts, origin, entry, claims, known on, duty as then known.
BEFORE: dict[str, tuple[str, str, str, dict[str, str], str, str]] = {
    # Proc 10947 of 2025-06-03 raised the metals duty and put it before the others; the day before, nothing of it.
    "german steel, Proc 10947 known": ("7210.49.0045", "DE", "2025-06-10", {}, "2025-06-03", "5000.00"),
    "german steel, Proc 10947 not known": ("7210.49.0045", "DE", "2025-06-10", {}, "2025-06-02", "2500.00"),
    "canadian steel, Proc 10947 known": ("7207.12.0050", "CA", "2025-06-10", {}, "2025-06-03", "5000.00"),
    "canadian steel, Proc 10947 not known": ("7207.12.0050", "CA", "2025-06-10", {}, "2025-05-30", "2500.00"),
    "canadian steel, EO 14289 not known": ("7207.12.0050", "CA", "2025-04-10", {}, "2025-04-28", "5000.00"),
    "canadian steel, EO 14289 known": ("7207.12.0050", "CA", "2025-04-10", {}, "2025-04-29", "2500.00"),
    "taiwan aircraft, not known": ("7318.15.2065", "TW", "2026-05-10", AIRCRAFT, "2026-05-27", "5000.00"),
    "taiwan aircraft, known": ("7318.15.2065", "TW", "2026-05-10", AIRCRAFT, "2026-05-28", "1000.00"),
    # EO 14193 was signed on 2025-02-01, EO 14197 put it off on 2025-02-03.
    "canada before it knew": ("8516.79.0000", "CA", "2025-02-10", {}, "2025-01-31", "270.00"),
    "canada before the delay": ("8516.79.0000", "CA", "2025-02-10", {}, "2025-02-02", "2770.00"),
    "canada after the delay": ("8516.79.0000", "CA", "2025-02-10", {}, "2025-02-03", "270.00"),
    "canada in march": ("8516.79.0000", "CA", "2025-03-05", {}, "2025-02-03", "2770.00"),
    "mexico, EO 14232 not known": ("8516.79.0000", "MX", "2025-03-10", USMCA, "2025-03-05", "2500.00"),
    "mexico, EO 14232 known": ("8516.79.0000", "MX", "2025-03-10", USMCA, "2025-03-06", "0.00"),
    "mexican potash, not known": ("3104.20.0000", "MX", "2025-03-10", {}, "2025-03-05", "2500.00"),
    "mexican potash, known": ("3104.20.0000", "MX", "2025-03-10", {}, "2025-03-06", "1000.00"),
    "US metal, Proc 11032 not known": ("7318.15.2065", "CN", "2026-06-10", US_METAL, "2026-05-31", "7500.00"),
    "US metal, Proc 11032 known": ("7318.15.2065", "CN", "2026-06-10", US_METAL, "2026-06-01", "3500.00"),
    "UK aircraft, not known": ("8807.30.0030", "GB", "2025-07-05", AIRCRAFT, "2025-06-22", "1000.00"),
    "UK aircraft, known": ("8807.30.0030", "GB", "2025-07-05", AIRCRAFT, "2025-06-23", "0.00"),
    "japan floor, EO 14345 known": ("6110.30.3059", "JP", "2025-09-01", {}, "2025-09-04", "3200.00"),
}  # fmt: skip


@pytest.mark.parametrize("name", BEFORE)
def test_an_act_counts_from_its_publication(name: str) -> None:
    hts, origin, entry, claims, known_on, then = BEFORE[name]
    line = EntryLine(hts, origin, 10000, entry=entry, claims=claims)
    assert quote_line(load_law(), line, known_on=known_on).assessed == Decimal(then)
    code = hts.replace(".", "")
    goods = {"hts": code, "origin": origin, "entry": entry, "claims": claims}
    plain = goods | {"value": "10000", "quantity": "1", "unit": "kg"}
    reading = Reading(raw_law(), plain, {code: columns(code, entry)}, units(), known_on)
    assert reading.assessed == Fraction(then)


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
