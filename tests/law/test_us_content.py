"""US content is limited by metal content only in duties that treat the metal apart: lines, tables, interpreter."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.table_duty.duties import Dated, duties_of
from tests.law.harness import line_set
from tests.law.interpreter import Reading
from tests.law.real_law import columns, raw_law, units

TRUCK = "8701210080"
METALS = ("steel_share", "aluminum_share")
CONTENTS = (None, "0", "0.3", "0.5")
GOODS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "truck of Mexico, metals displaced": (TRUCK, "MX", "2025-11-10T12:00-05:00", {"usmca_share": "1"}),
    "equipment of Mexico, US content capped": (
        "8429521010",
        "MX",
        "2026-11-20T12:00-05:00",
        {"usmca_share": "1"},
    ),
    "furniture of Taiwan, reciprocal duty beside the metals": (
        "9403200050",
        "TW",
        "2025-09-01T12:00-04:00",
        {},
    ),
    "toys of Taiwan, no metals": ("9503000073", "TW", "2025-09-01T12:00-04:00", {}),
}


def quote(code: str, origin: str, entry: str, claims: dict[str, str]) -> Quote:
    return quote_line(load_law(), EntryLine(code, origin, 10_000, entry, claims))


@pytest.mark.parametrize("goods", GOODS)
def test_lines_tables_and_the_interpreter_agree_on_us_content_beside_metals(goods: str) -> None:
    law = load_law()
    code, origin, entry, declared = GOODS[goods]
    lines: list[dict[str, Any]] = []
    for us, *metals in itertools.product(("0.25", "0.4", "1"), *[CONTENTS] * len(METALS)):
        claims = {name: text for name, text in zip(METALS, metals, strict=True) if text is not None}
        claims |= {"us_content_share": us or "0", **declared}
        line: dict[str, Any] = {
            "hts": code,
            "origin": origin,
            "entry": entry,
            "value": "10000",
            "claims": claims,
        }
        lines.append(line | {"quantity": "10", "unit": "kg"})
    rates = {code: columns(code, entry)}
    dated = Dated([datetime.fromisoformat(entry)], [date.fromisoformat("2026-11-24")], None)
    table = duties_of(law, line_set(law, lines, rates, units()), dated, lambda: None)
    for index, line in enumerate(lines):
        reading = Reading(raw_law(), line, rates, units())
        assert Fraction(quote(code, origin, entry, line["claims"]).assessed) == reading.assessed, line
        assert table.duty[index] == pytest.approx(float(sum(reading.exact.values())), rel=1e-9), line


@pytest.mark.parametrize("steel", [None, "0", "0.5", "1"])
def test_the_duty_on_a_truck_does_not_depend_on_the_metal_in_it(steel: str | None) -> None:
    claims = {"usmca_share": "1", "us_content_share": "0.4"} | ({"steel_share": steel} if steel else {})
    found = quote(TRUCK, "MX", "2025-11-10", claims)
    assert found.assessed == found.min == found.max == Decimal(1_500)
    (layer,) = [layer for layer in found.layers if layer.measure == "s232_mhdv" and layer.amount]
    assert (layer.state, layer.heading, layer.base) == ("applied", "9903.74.03", Decimal(6_000))
