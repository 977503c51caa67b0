"""Golden cases and their neighbours as the interpreter reads them, and the cases over gRPC and in this process."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, EntriesResult
from tariffs.engine.law import load_law
from tariffs.engine.law.values import read_instant
from tariffs.engine.line_duty.quote import Quote
from tariffs.engine.schedule.lines import load_schedule
from tests.law.golden_lines import LINES, quote_of
from tests.law.harness import layers_of
from tests.law.interpreter import Key, Reading
from tests.law.real_law import columns, raw_law, units


def neighbours(line: dict[str, Any]) -> list[dict[str, Any]]:
    """The line, the line of another value, a sibling code, and other days near by: one thing changed in each."""
    value = str(Decimal(line["value"]) * Decimal("1.37"))
    siblings = [code for code in load_schedule().children(line["hts"][:8]) if code != line["hts"]]
    law, found = load_law(), [line, {**line, "value": value}]
    found += [{**line, "hts": code} for code in siblings[:1]]
    for days in (-11, -1, 1, 11):
        moment = read_instant(line["entry"], law.zones["import"]) + timedelta(days=days)
        if law.coverage[0] <= moment < law.coverage[1]:
            found.append({**line, "entry": moment.isoformat()})
    return found


@pytest.mark.parametrize("case", LINES)
def test_the_interpreter_reads_a_case_and_its_neighbours_alike(case: str) -> None:
    for line in neighbours(LINES[case]):
        found = columns(line["hts"], line["entry"])
        plain = {**line, "claims": {name: told(name, value) for name, value in line["claims"].items()}}
        reading = Reading(raw_law(), plain, {line["hts"]: found}, units())
        quote = quote_of(line)
        assert (Fraction(quote.assessed), Fraction(quote.owed)) == (reading.assessed, reading.owed), line
        assert by_heading(layers_of(quote)) == by_heading(reading.layers), line


def told(name: str, value: str) -> str:
    """A declared claim as the interpreter writes it."""
    kind = raw_law()["claims"][name]["type"]
    return {"true": "yes", "false": "no"}.get(value, value) if kind == "bool" else value


def by_heading(layers: dict[Key, tuple[Fraction, Fraction, Fraction]]) -> dict[tuple[str, str], Fraction]:
    """Amounts by measure and heading of chapter 99."""
    found: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for (measure, heading, _), (_, amount, _) in layers.items():
        found[measure, heading if heading.startswith("99") else ""] += amount
    return {key: amount for key, amount in found.items() if amount}


# -- by entry file, over gRPC and in this process ------------------------------------------------------------------

Answer = dict[str, Any]


def cases_table() -> pl.DataFrame:
    """The worked entries as an entry file: one line each, every line an entry of its own."""
    names = {"value": "customs_value", "entry": "entry_date"}
    names |= {name: name for name in ("hts", "origin", "quantity", "unit", "mode")}
    claims = dict.fromkeys(sorted({name for line in LINES.values() for name in line["claims"]}))
    rows = [
        {"line_id": case, **{column: line[name] or None for name, column in names.items()}} | claims | line["claims"]
        for case, line in LINES.items()
    ]  # fmt: skip
    return pl.DataFrame(rows, dict.fromkeys(rows[0], pl.String))


def by_case(result: EntriesResult) -> dict[str, Answer]:
    """Layers and money of each line of an answer, as text."""
    names = ("measure", "heading", "state", "base", "amount", "min", "max")
    document: Answer = result.to_json_dict()
    return {
        line["line_id"]: {name: line[name] for name in ("prohibited", "assessed", "owed", "landed")}
        | {"layers": [{name: layer[name] for name in names} for layer in line["layers"]]}
        for line in document["lines"]
    }


def plain(quote: Quote) -> Answer:
    """The same of the engine's answer."""
    amounts = ("base", "amount", "min", "max")
    return {
        "prohibited": list(quote.prohibited),
        "assessed": f"{quote.assessed:.2f}",
        "owed": f"{quote.owed:.2f}",
        "landed": {name: f"{amount:.2f}" for name, amount in quote.landed.as_dict().items()},
        "layers": [
            {"measure": layer.measure, "heading": layer.heading, "state": layer.state}
            | {name: f"{getattr(layer, name):.2f}" for name in amounts}
            for layer in quote.layers
        ],
    }


def test_every_case_is_the_same_over_grpc_in_process_and_in_the_engine(
    client: Client, server: str, tmp_path: Path
) -> None:
    file = tmp_path / "cases.csv"
    cases_table().write_csv(file)
    with Client(server) as remote:
        over_grpc = remote.duties(file)
    assert over_grpc.refused.is_empty()
    found, here = by_case(over_grpc), by_case(client.duties(file))
    assert list(found) == list(here) == list(LINES)
    for case, line in LINES.items():
        assert found[case] == here[case] == plain(quote_of(line)), case
