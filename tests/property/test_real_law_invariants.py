"""What must hold of the embedded law whatever the good: sums by period, one heading of a family, floors, owed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.amendments import change_from_mapping
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.schedule.reference_data import reference_table

CENT = Decimal("0.01")
VALUE = Decimal(10_000)
FLOOR = Decimal("0.15")
FLOOR_MEASURES = {"recip_eu", "recip_jp", "recip_kr", "recip_ch_li"}


def codes(seed: int, count: int, origin: str) -> list[str]:
    """Codes that came from an origin in 2024, drawn at random."""
    table = reference_table()
    known = sorted(table.filter(table["origin"] == origin)["hts"].to_list())
    return random.Random(seed).sample(known, count)


def quotes(
    law: Law, origin: str, entry: str, seed: int, count: int, **claims: Any
) -> Iterator[tuple[str, Quote]]:
    for code in codes(seed, count, origin):
        line = EntryLine(code, origin, VALUE, entry, claims)
        try:
            yield code, quote_line(law, line)
        except InputError as error:
            assert error.reason in {"QUANTITY_REQUIRED", "RATE_NOT_COMPUTABLE"}, error  # noqa: PT017


def charged(quote: Quote, *nodes: str) -> list[Decimal]:
    """Amounts above zero of the layers under authority nodes."""
    return [
        layer.amount
        for layer in quote.layers
        if layer.amount and any(f"{layer.authority}.".startswith(node + ".") for node in nodes)
    ]


def touched(quote: Quote, *nodes: str) -> bool:
    """Whether a measure under the nodes exempts the good or reaches it at all in another state than applied."""
    return any(
        layer.state != "applied" and any(f"{layer.authority}.".startswith(node + ".") for node in nodes)
        for layer in quote.layers
    )


@pytest.mark.parametrize(
    ("entry", "nodes", "rate"),
    [
        ("2025-06-20", ("ieepa",), "0.30"),
        ("2025-09-20", ("ieepa",), "0.30"),
        ("2025-12-20", ("ieepa",), "0.20"),
        ("2026-03-20", ("s122",), "0.10"),
        ("2026-08-20", ("s301.fl",), "0.125"),
        ("2026-11-24", ("s301.fl",), "0.125"),
    ],
)
def test_the_broad_layers_on_a_chinese_good_outside_232_sum_to_one_rate(
    entry: str, nodes: tuple[str, ...], rate: str, scale: int
) -> None:
    seen = 0
    for code, quote in quotes(load_law(), "CN", entry, 11, 60 * scale):
        broad = charged(quote, *nodes)
        exempted = [
            x
            for x in quote.layers
            if not x.amount and any(f"{x.authority}.".startswith(n + ".") for n in nodes)
        ]
        if charged(quote, "s232") or not broad or any(x.state in {"exempt", "displaced"} for x in exempted):
            continue
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
        floors = [
            x
            for x in quote.layers
            if x.measure in FLOOR_MEASURES and x.state == "applied" and x.base == VALUE
        ]
        ordinary = [x for x in quote.layers if x.authority == "base"]
        if not floors or not ordinary:
            continue
        due = ordinary[0].amount + floors[0].amount
        assert abs(due - max(ordinary[0].amount, FLOOR * VALUE)) <= CENT, (code, due)
        seen += 1
    assert seen > 10 * scale


@pytest.mark.parametrize("origin", ["CN", "DE", "CA", "JP", "TR"])
def test_metal_content_means_nothing_once_metals_are_charged_on_full_value(origin: str, scale: int) -> None:
    metals = [
        {},
        {"steel_share": "0.2"},
        {"aluminum_share": "0.7"},
        {"steel_share": "0", "copper_share": "1"},
    ]
    for entry in ("2026-04-07", "2026-11-24"):
        told = [list(quotes(load_law(), origin, entry, 13, 12 * scale, **claims)) for claims in metals]
        for answers in zip(*told, strict=True):
            assert len({quote.assessed for _, quote in answers}) == 1, answers[0][0]


@pytest.mark.parametrize(
    "entry", ["2025-03-20", "2025-11-20", "2026-03-20", "2026-04-20", "2026-08-20", "2026-11-24"]
)
@pytest.mark.parametrize("origin", ["CN", "DE", "CA", "GB"])
def test_a_good_has_one_heading_of_each_family(origin: str, entry: str, scale: int) -> None:
    families = [("s301.fl",), ("s122",)] + ([("s232.metals",)] if entry > "2026-04-06" else [])
    for code, quote in quotes(load_law(), origin, entry, 14, 25 * scale):
        for family in families:
            assert len(charged(quote, *family)) <= 1, (code, family, quote.layers)
        lists = [x for x in quote.layers if x.amount and x.measure.startswith(("s301_l", "s301_n31"))]
        assert len(lists) <= 1, (code, lists)


@pytest.mark.parametrize("origin", ["CN", "HK", "CA", "MX", "BR", "IN", "DE", "VN"])
def test_only_ieepa_layers_are_not_owed(origin: str, scale: int) -> None:
    for entry in ("2025-02-20", "2025-05-20", "2025-10-20", "2026-02-22", "2026-05-20", "2026-11-24"):
        for code, quote in quotes(load_law(), origin, entry, 15, 10 * scale):
            assert quote.owed <= quote.assessed
            assert quote.assessed - quote.owed == sum(charged(quote, "ieepa")), (code, entry)


@pytest.mark.parametrize("origin", ["CN", "CA", "DE", "BR", "VN"])
def test_what_is_owed_is_what_a_law_without_ieepa_charges(origin: str, scale: int) -> None:
    law = load_law()
    end = {"op": "terminate", "measures": {"authority": "ieepa"}, "at": "2025-01-15"}
    without = law.with_changes([change_from_mapping(end, "changes[0]", source="scenario")])
    for entry in ("2025-03-20", "2025-05-20", "2025-10-20", "2026-01-20"):
        pairs = zip(
            quotes(law, origin, entry, 16, 10 * scale),
            quotes(without, origin, entry, 16, 10 * scale),
            strict=True,
        )
        for (code, quote), (_, bare) in pairs:
            # Where an IEEPA duty displaced another, what would have been charged instead is an open question.
            others = [x for x in quote.layers if not x.authority.startswith("ieepa") and not x.amount]
            if any(x.state in {"displaced", "undetermined"} for x in others):
                continue
            assert quote.owed == bare.assessed, (code, entry)
