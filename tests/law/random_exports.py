"""Random lines of exports over the embedded law: rated alone, in a table, and by the plain interpreter."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
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
LOADED = ("2025-03-01", "2025-05-01", "2026-09-07")
CLAIMS: dict[str, dict[str, tuple[str, ...]]] = {
    "CN": {"in_quota_share": SHARES, "cn_excluded_share": SHARES, "loading_date": LOADED},
    "JP": {"fta_share": SHARES},
    "CA": {"usmca_share": SHARES, "ca_remission_share": SHARES, "loading_date": LOADED},
}


@cache
def schedule(to: str) -> dict[str, tuple[dict[str, tuple[str, str, str]], str]]:
    """Columns and weight of every line of a market, read from its files by dicts and loops."""
    own = market(raw_law(), to)
    lines = {}
    for row in csv.DictReader(own["lines"].splitlines()):
        reach = [one for one in own.get("ordinary", []) if _is_of(row["code"], one["products"])]
        stated = reach[0] if reach else row
        told = {"general": stated["rate"], "reduced": stated.get("reduced")}
        columns = {name: (_percent(cell), "0", "kg") for name, cell in told.items() if cell}
        lines[row["code"]] = {"general": ("None", "0", "kg")} | columns, row["weight"] or "1"
    return lines


def _is_of(code: str, products: Sequence[str]) -> bool:
    return any(code.startswith(one.replace(".", "")) for one in products)


def _percent(cell: str) -> str:
    """Rate of a cell as a fraction; "None" for one that is no percentage of the value."""
    number = cell.removesuffix("%")
    return str(Fraction(number) / 100) if number.replace(".", "").isdigit() else "None"


@cache
def of_subheading(to: str) -> dict[str, list[str]]:
    found = defaultdict(list)
    for code in schedule(to):
        found[code[:6]].append(code)
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
    plain, rates = {**line, "claims": told, "quantity": "1", "unit": "kg"}, {c: lines[c][0] for c in codes}
    return [
        (weights[code] / sum(weights.values()),
         Reading(raw_law(), {**plain, "hts": code}, rates, units(), known_on))
        for code in codes if weights[code]
    ]  # fmt: skip


def block_of_lines(block: int) -> int:
    """Compare some lines of one instant and market, refusals too; gives how many."""
    dice = random.Random(block * 1_000_003 + 29)
    to = MARKETS[block % len(MARKETS)]
    at, known_on = dice.choice(instants(to)), dice.choice(KNOWN)
    lines = [{**random_goods(dice, to), "entry": at.isoformat()} for _ in range(LINES_OF_A_BLOCK)]
    exact: list[float | None] = []
    for line in lines:
        parts = readings(line, known_on)
        if parts is None:
            assert _refusal(line, known_on) == "RATE_NOT_COMPUTABLE", ("refusal", line, known_on)
            exact.append(None)
            continue
        duty = sum((share * sum(one.exact.values(), Fraction(0)) for share, one in parts), Fraction(0))
        owed = sum((share * one.exact_owed for share, one in parts), Fraction(0))
        quote = quote_export(load_law(), _goods(line), known_on=known_on or None)
        if len(parts) == 1:
            wanted = parts[0][1].assessed, parts[0][1].owed
            assert (Fraction(quote.assessed), Fraction(quote.owed)) == wanted, ("line", line, known_on)
        layers = max(1, len(quote.layers))
        for ours, plain, cents in ((quote.assessed, duty, "0.0051"), (quote.owed, owed, "0.0151")):
            assert abs(Fraction(ours) - plain) <= Fraction(cents) * layers, ("parts", line, known_on)
        exact.append(float(duty))
    _in_a_table(lines, exact, known_on)
    return len(lines)


def _refusal(line: dict[str, Any], known_on: str) -> str:
    try:
        quote_export(load_law(), _goods(line), known_on=known_on or None)
    except InputError as error:
        return error.reason
    return ""


def _goods(line: dict[str, Any]) -> ExportLine:
    return ExportLine(**line)


def _in_a_table(lines: Sequence[dict[str, Any]], exact: list[float | None], known_on: str) -> None:
    to = lines[0]["to"]
    rows = [
        {
            "hts": line["hts"],
            "origin": line["origin"],
            "customs_value": float(line["value"]),
            "destination": to,
        }
        | {name: _declared(name, line["claims"].get(name)) for name in CLAIMS[to]}
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
