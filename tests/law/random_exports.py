"""Random lines of exports over the embedded law: rated alone, in a table, and by the plain interpreter."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.exports import ExportLine, quote_export
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tests.law.interpreter import Reading
from tests.law.interpreter_time import market
from tests.law.real_law import raw_law, units

LINES_OF_A_BLOCK = 50
KNOWN = ("", "", "", "2025-04-05", "2025-09-10", "2026-09-10")
ORIGINS = ("US", "US", "US", "US", "BR", "MX")
MARKETS = ("CN", "CA", "JP")
SHARES = ("0", "0.25", "0.4", "1")
CLAIMS: dict[str, dict[str, tuple[str, ...]]] = {
    "CN": {
        "in_quota_share": SHARES,
        "cn_excluded_share": SHARES,
        "loading_date": ("2025-03-01", "2025-05-01"),
    },
    "JP": {"fta_share": SHARES},
    "CA": {"usmca_share": SHARES, "ca_remission_share": SHARES, "loading_date": ("2025-03-01", "2026-09-07")},
}
Column = tuple[str, str, str]
Found = Counter[str]


@cache
def schedule(to: str) -> dict[str, tuple[dict[str, Column], str]]:
    """Columns and weight of every line of a market, read from its files by dicts and loops."""
    own = market(raw_law(), to)
    lines = {}
    for row in csv.DictReader(own["lines"].splitlines()):
        found: dict[str, Fraction | None] = {"general": _percent(row["rate"])}
        found |= {"reduced": _percent(row["reduced"])} if row["reduced"] else {}
        for stated in own.get("ordinary", []):
            if any(row["code"].startswith(code.replace(".", "")) for code in stated["products"]):
                found = {"general": _share(stated["rate"])}
                found |= {"reduced": _share(stated["reduced"])} if "reduced" in stated else {}
                break
        lines[row["code"]] = (
            {name: (str(rate), "0", "kg") for name, rate in found.items()}, row["weight"] or "1",
        )  # fmt: skip
    return lines


def _percent(cell: str) -> Fraction | None:
    """Rate of a cell; None for one that is no percentage of the value."""
    return Fraction(cell) / 100 if cell.replace(".", "").isdigit() else None


def _share(text: str) -> Fraction:
    return Fraction(text.removesuffix("%")) / 100


@cache
def of_subheading(to: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code in schedule(to):
        found.setdefault(code[:6], []).append(code)
    return found


@cache
def instants(to: str) -> list[datetime]:
    """The boundaries of the law inside its coverage in a market, and a minute before each."""
    law = load_law()
    first, last = law.covered(to)
    inside = [at for at in law.boundaries if first < at < last - timedelta(days=2) and at > law.coverage[0]]
    return [*inside, *(at - timedelta(minutes=1) for at in inside)]


def random_goods(dice: random.Random, to: str) -> dict[str, Any]:
    code = dice.choice(list(schedule(to)))
    hts = dice.choice((code, code, code, code[:6]))
    claims = {name: dice.choice(values) for name, values in CLAIMS[to].items() if dice.random() < 0.3}
    value = dice.randint(1, 5_000_000)
    return {"hts": hts, "origin": dice.choice(ORIGINS), "value": str(value), "claims": claims, "to": to}


def readings(line: dict[str, Any], known_on: str) -> list[tuple[Fraction, Reading]] | None:
    """The interpreter's answer for each line of the schedule that the goods are in, with its share of them.

    None if a rate that is paid is no percentage of the value.
    """
    lines, to = schedule(line["to"]), line["to"]
    codes = [line["hts"]] if line["hts"] in lines else of_subheading(to)[line["hts"]]
    weights = {code: Fraction(lines[code][1]) if len(codes) > 1 else Fraction(1) for code in codes}
    preference = market(raw_law(), to)["preference"]
    open_to = not preference.get("origins") or line["origin"] in preference["origins"]
    told = dict(line["claims"])
    if open_to and any("reduced" in lines[code][0] for code in codes if weights[code]):
        told.setdefault(preference["claim"], "1")
    share = Fraction(told.get(preference["claim"], "0")) if open_to else Fraction(0)
    for code in codes:
        columns = lines[code][0]
        own = share if "reduced" in columns else Fraction(0)
        if (own < 1 and columns["general"][0] == "None") or (own and columns["reduced"][0] == "None"):
            return None
    return [
        (
            weights[code] / sum(weights.values()),
            Reading(
                raw_law(), {**line, "hts": code, "claims": told, "quantity": "1", "unit": "kg"},
                {code: lines[code][0]}, units(), known_on,
            ),
        )
        for code in codes
        if weights[code]
    ]  # fmt: skip


def block_of_lines(block: int, count: int = LINES_OF_A_BLOCK) -> Found:
    """Compare some lines of one instant and market.

    Raises:
        AssertionError: one of the three says something else, with the line and the day whose acts count.
    """
    dice = random.Random(block * 1_000_003 + 29)
    to = MARKETS[block % len(MARKETS)]
    at, known_on = dice.choice(instants(to)), dice.choice(KNOWN)
    lines = [{**random_goods(dice, to), "entry": at.isoformat()} for _ in range(count)]
    exact, found = list[float | None](), Counter[str]()
    for line in lines:
        parts = readings(line, known_on)
        if parts is None:
            assert _refusal(line, known_on) == "RATE_NOT_COMPUTABLE", ("refusal", line, known_on)
            exact.append(None)
            found["not computable"] += 1
            continue
        duty = sum((share * sum(one.exact.values(), Fraction(0)) for share, one in parts), Fraction(0))
        owed = sum((share * one.exact_owed for share, one in parts), Fraction(0))
        quote = quote_export(load_law(), _goods(line), known_on=known_on or None)
        if len(parts) == 1:
            assert (Fraction(quote.assessed), Fraction(quote.owed)) == (parts[0][1].assessed, parts[0][1].owed), (
                "line", line, known_on, quote.assessed, float(parts[0][1].assessed),
            )  # fmt: skip
        layers = max(1, len(quote.layers))
        assert abs(quote.assessed - Decimal(float(duty))) <= Decimal("0.0051") * layers, (
            "line",
            line,
            known_on,
        )
        assert abs(quote.owed - Decimal(float(owed))) <= Decimal("0.0151") * layers, ("owed", line, known_on)
        exact.append(float(duty))
        found["parts"] += len(parts)
        found["charged"] += duty > 0
    _in_a_table(lines, exact, known_on)
    found["compared"] += len(lines)
    return found


def _refusal(line: dict[str, Any], known_on: str) -> str:
    try:
        quote_export(load_law(), _goods(line), known_on=known_on or None)
    except InputError as error:
        return error.reason
    return ""


def _goods(line: dict[str, Any]) -> ExportLine:
    return ExportLine(
        line["hts"], line["origin"], line["value"], line["entry"], line["claims"], to=line["to"]
    )


def _in_a_table(lines: Sequence[dict[str, Any]], exact: list[float | None], known_on: str) -> None:
    to = lines[0]["to"]
    names = list(CLAIMS[to])
    rows = [
        {
            "hts": line["hts"],
            "origin": line["origin"],
            "customs_value": float(line["value"]),
            "destination": to,
        }
        | {name: _declared(name, line["claims"].get(name)) for name in names}
        for line in lines
    ]
    table = pl.DataFrame(rows, infer_schema_length=None)
    options = Options(response="none", direction="export", include_lines=True, known_on=known_on)
    found = impact(table, [Point(library()["base"], lines[0]["entry"])], law=load_law(), options=options)
    unknown = [(row, "RATE_NOT_COMPUTABLE") for row, duty in enumerate(exact) if duty is None]
    assert found.refused.select("row", "reason").rows() == unknown
    block = found.scenarios[0].lines
    assert block is not None
    known = [duty for duty in exact if duty is not None]
    assert block["duty"].to_list() == pytest.approx(known, rel=1e-9, abs=1e-6)


def _declared(name: str, text: str | None) -> float | str | None:
    return text if name == "loading_date" or text is None else float(text)
