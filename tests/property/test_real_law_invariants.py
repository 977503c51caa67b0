"""What must hold of the embedded law whatever the good: sums by period, one heading of a family, floors, owed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.line_duty.rounding import QuoteLayer
from tariffs.engine.schedule.reference_data import reference_table
from tests.law.traps.bench import changed

CENT = Decimal("0.01")
VALUE = Decimal(10_000)
FLOOR = Decimal("0.15")
FLOOR_MEASURES = {"recip_eu", "recip_jp", "recip_kr", "recip_ch_li"}


def quotes(law: Law, origin: str, entry: str, seed: int, count: int) -> Iterator[tuple[str, Quote]]:
    """Answers on codes that came from an origin in 2024, drawn at random."""
    table = reference_table()
    known = sorted(table.filter(table["origin"] == origin)["hts"].to_list())
    for code in random.Random(seed).sample(known, count):
        try:
            yield code, quote_line(law, EntryLine(code, origin, VALUE, entry))
        except InputError as error:
            assert error.reason in {"QUANTITY_REQUIRED", "RATE_NOT_COMPUTABLE"}, error  # noqa: PT017


def under(quote: Quote, node: str) -> list[QuoteLayer]:
    """The layers of an authority and those below it."""
    return [layer for layer in quote.layers if f"{layer.authority}.".startswith(node + ".")]


def charged(quote: Quote, node: str) -> list[Decimal]:
    return [layer.amount for layer in under(quote, node) if layer.amount]


@pytest.mark.parametrize(
    ("entry", "node", "rate"),
    [
        ("2025-06-20", "ieepa", "0.30"),
        ("2025-09-20", "ieepa", "0.30"),
        ("2025-12-20", "ieepa", "0.20"),
        ("2026-03-20", "s122", "0.10"),
        ("2026-08-20", "s301.fl", "0.125"),
        ("2026-11-24", "s301.fl", "0.125"),
    ],
)
def test_the_broad_layers_on_a_chinese_good_outside_232_sum_to_one_rate(
    entry: str, node: str, rate: str, scale: int
) -> None:
    seen = 0
    for code, quote in quotes(load_law(), "CN", entry, 11, 60 * scale):
        broad = charged(quote, node)
        relieved = [x for x in under(quote, node) if not x.amount and x.state in {"exempt", "displaced"}]
        if broad and not relieved and not charged(quote, "s232"):
            assert sum(broad) == VALUE * Decimal(rate), (code, [(x.heading, x.amount) for x in quote.layers])
            seen += 1
    assert seen > 15 * scale


@pytest.mark.parametrize(
    ("origin", "entry"),
    [
        ("DE", "2025-10-15"),
        ("JP", "2025-10-15"),
        ("KR", "2025-12-15"),
        ("CH", "2026-01-15"),
        ("FR", "2026-02-10"),
    ],
)
def test_a_floor_partner_pays_the_floor_or_its_ordinary_duty(origin: str, entry: str, scale: int) -> None:
    seen = 0
    for code, quote in quotes(load_law(), origin, entry, 12, 40 * scale):
        floors = [x for x in quote.layers if x.measure in FLOOR_MEASURES and x.state == "applied"]
        floors = [x for x in floors if x.base == VALUE]
        ordinary = [x for x in quote.layers if x.authority == "base"]
        if floors and ordinary:
            due = ordinary[0].amount + floors[0].amount
            assert abs(due - max(ordinary[0].amount, FLOOR * VALUE)) <= CENT, (code, due)
            seen += 1
    assert seen > 10 * scale


@pytest.mark.parametrize("origin", ["CN", "HK", "CA", "MX", "BR", "IN", "DE", "VN"])
def test_a_good_has_one_heading_of_each_family_and_only_void_duties_are_not_owed(
    origin: str, scale: int
) -> None:
    law = load_law()
    bare = changed(law, {"op": "terminate", "measures": {"authority": "ieepa"}, "at": "2025-01-15"})
    days = ("2025-03-20", "2025-05-20", "2025-10-20", "2026-01-20", "2026-02-22", "2026-05-20", "2026-11-24")
    for entry in days:
        pairs = zip(*(quotes(one, origin, entry, 15, 10 * scale) for one in (law, bare)), strict=True)
        for (code, quote), (_, without) in pairs:
            for family in ["s301.fl", "s122"] + (["s232.metals"] if entry > "2026-04-06" else []):
                assert len(charged(quote, family)) <= 1, (code, family, quote.layers)
            lists = [x for x in quote.layers if x.amount and x.measure.startswith(("s301_l", "s301_n31"))]
            assert len(lists) <= 1, (code, lists)
            assert quote.assessed - quote.owed == sum(charged(quote, "ieepa")), (code, entry)
            # Where an IEEPA duty displaced another, what would have been charged instead is an open question.
            others = [x for x in quote.layers if not x.authority.startswith("ieepa") and not x.amount]
            if not any(x.state in {"displaced", "undetermined"} for x in others):
                assert quote.owed == without.assessed, (code, entry)
