"""Bounds over facts asked hold the amount, are at least 0, and are the extremes that the interpreter finds."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tests.law.interpreter import Reading
from tests.law.random_lines import random_line, rated, with_unit
from tests.law.real_law import raw_law, units

METALS = ("steel_share", "aluminum_share", "copper_share")
PREFERENCES = ("usmca_share", "fta_share")
SHARES = ("0", "0.1", "0.25", "0.4")
READINGS_AT_MOST = 16


def partly_declared(dice: random.Random) -> dict[str, Any]:
    """Draw a line of real trade that declares a part of its metals, and perhaps of its preferences."""
    line = random_line(dice)
    claims = {name: text for name, text in line["claims"].items() if name not in METALS + PREFERENCES}
    for names in (METALS, PREFERENCES):
        claims |= {name: dice.choice(SHARES) for name in dice.sample(names, dice.randint(0, 2))}
    return {**line, "claims": claims}


def declarations(line: dict[str, Any], asked: tuple[str, ...]) -> list[dict[str, str]]:
    """Claims of a line with each asked share at 0 or at all that its partition leaves, and their sums at most 1."""
    known = raw_law()["claims"]

    def total(claims: dict[str, str], partition: str) -> Fraction:
        return sum((Fraction(text) for name, text in claims.items() if known[name].get("partition") == partition),
                   Fraction(0))  # fmt: skip

    def largest(name: str) -> str:
        partition = known[name].get("partition")
        return "yes" if known[name]["type"] == "bool" else (
            str(Decimal(1) - sum((Decimal(text) for other, text in line["claims"].items()
                                  if partition and known[other].get("partition") == partition), Decimal(0)))
        )  # fmt: skip

    least = {name: "no" if known[name]["type"] == "bool" else "0" for name in asked}
    told = [
        line["claims"] | dict(zip(asked, values, strict=True))
        for values in product(*((least[name], largest(name)) for name in asked))
    ]
    return [claims for claims in told if all(total(claims, name) <= 1 for name in ("content", "preference"))]


@pytest.mark.parametrize("block", range(4))
def test_bounds_are_in_order_and_those_of_the_interpreter(block: int, scale: int) -> None:
    asked = compared = 0
    for seed in range(150 * scale):
        told = with_unit(partly_declared(random.Random(f"bounds {block} {seed}")))
        quote = rated(told[0]) if told else ""
        if told is None or isinstance(quote, str):
            continue
        line, own = told
        for layer in quote.layers:
            assert 0 <= layer.min <= layer.amount <= layer.max, (line, layer.measure, layer.min, layer.max)
        assert 0 <= quote.min <= quote.assessed <= quote.max, (line, quote.min, quote.max)
        metals = set(METALS) & line["claims"].keys()
        assert not metals or not set(METALS) & set(quote.missing_claims), (line, quote.missing_claims)
        if not quote.missing_claims or 2 ** len(quote.missing_claims) > READINGS_AT_MOST:
            continue
        asked += 1
        duties = [
            Reading(raw_law(), {**line, "claims": claims}, {line["hts"]: own}, units()).assessed
            for claims in declarations(line, quote.missing_claims)
        ]
        least, most = Fraction(quote.min), Fraction(quote.max)
        assert least <= min(duties) <= max(duties) <= most, (line, quote.min, quote.max)
        if {raw_law()["claims"][name]["type"] for name in quote.missing_claims} <= {"share", "bool"}:
            read = [*duties, Fraction(quote.assessed)]
            assert (least, most) == (min(read), max(read)), (line, quote.min, quote.max)
            compared += 1
    assert asked > 10 * scale
    assert compared > 5 * scale


@pytest.mark.parametrize(
    ("goods", "claims"),
    [
        ({"hts": "8450.20.0080", "origin": "JP", "entry": "2026-03-20"}, {"aluminum_share": "0.25"}),
        ({"hts": "8415.90.8085", "origin": "CN", "entry": "2025-10-02"}, {"steel_share": "0", "copper_share": "0.1"}),
    ],
)  # fmt: skip
def test_other_metals_are_0_once_one_is_declared(goods: dict[str, Any], claims: dict[str, str]) -> None:
    law = load_law()
    answer = quote_line(law, EntryLine(**goods, value=10_000, claims=claims))
    zeros = dict.fromkeys(METALS, "0") | claims
    assert not set(METALS) & set(answer.missing_claims)
    whole = quote_line(law, EntryLine(**goods, value=10_000, claims=zeros))
    assert (answer.assessed, answer.min, answer.max) == (whole.assessed, whole.min, whole.max)
    silent = [name for name in METALS if name not in claims]
    assert any(f"{name}: not declared, so taken as 0" in answer.assumptions for name in silent)
