"""Bounds over facts asked hold the amount, are at least 0, and are the extremes that the interpreter finds."""

from __future__ import annotations

import random
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
        parts = [text for name, text in claims.items() if known[name].get("partition") == partition]
        return sum(map(Fraction, parts), Fraction(0))

    def largest(name: str) -> str:
        partition = known[name].get("partition")
        taken = total(line["claims"], partition) if partition else Fraction(0)
        return "yes" if known[name]["type"] == "bool" else str(1 - taken)

    least = {name: "no" if known[name]["type"] == "bool" else "0" for name in asked}
    values = product(*((least[name], largest(name)) for name in asked))
    told = [line["claims"] | dict(zip(asked, one, strict=True)) for one in values]
    return [claims for claims in told if all(total(claims, name) <= 1 for name in ("content", "preference"))]


@pytest.mark.parametrize("block", range(4))
def test_bounds_are_in_order_and_those_of_the_interpreter(block: int, scale: int) -> None:
    asked = compared = 0
    for seed in range(150 * scale):
        found = with_unit(partly_declared(random.Random(f"bounds {block} {seed}")))
        quote = rated(found[0]) if found else ""
        if found is None or isinstance(quote, str):
            continue
        line, own = found
        assert all(0 <= layer.min <= layer.amount <= layer.max for layer in quote.layers), line
        assert 0 <= quote.min <= quote.assessed <= quote.max, line
        metals = set(METALS) & line["claims"].keys()
        assert not metals or not set(METALS) & set(quote.missing_claims), (line, quote.missing_claims)
        if not quote.missing_claims or 2 ** len(quote.missing_claims) > READINGS_AT_MOST:
            continue
        asked += 1
        told = [{**line, "claims": claims} for claims in declarations(line, quote.missing_claims)]
        duties = [Reading(raw_law(), one, {line["hts"]: own}, units()).assessed for one in told]
        least, most = Fraction(quote.min), Fraction(quote.max)
        assert least <= min(duties) <= max(duties) <= most, (line, quote.min, quote.max)
        if {raw_law()["claims"][name]["type"] for name in quote.missing_claims} <= {"share", "bool"}:
            read = [*duties, Fraction(quote.assessed)]
            assert (least, most) == (min(read), max(read)), (line, quote.min, quote.max)
            compared += 1
    assert asked > 10 * scale
    assert compared > 5 * scale


METALS_OF_GOODS = (
    (("8450.20.0080", "JP", 10_000, "2026-03-20"), {"aluminum_share": "0.25"}),
    (("8415.90.8085", "CN", 10_000, "2025-10-02"), {"steel_share": "0", "copper_share": "0.1"}),
)


@pytest.mark.parametrize(("goods", "claims"), METALS_OF_GOODS)
def test_other_metals_are_0_once_one_is_declared(goods: tuple[Any, ...], claims: dict[str, str]) -> None:
    law, zeros = load_law(), dict.fromkeys(METALS, "0") | claims
    answer, whole = (quote_line(law, EntryLine(*goods)._replace(claims=one)) for one in (claims, zeros))
    assert not set(METALS) & set(answer.missing_claims)
    assert (answer.assessed, answer.min, answer.max) == (whole.assessed, whole.min, whole.max)
    silent = [name for name in METALS if name not in claims]
    assert any(f"{name}: not declared, so taken as 0" in answer.assumptions for name in silent)
