"""Every worked entry comes out the same over gRPC, in this process and in the engine: layers and cents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tariffs.client import Client, EntriesResult
from tariffs.engine.line_duty.quote import Quote
from tests.law.golden_lines import LINES, quote_of

Answer = dict[str, Any]


def cases_table() -> pl.DataFrame:
    """The worked entries as an entry file: one line each, every line an entry of its own."""
    claims = sorted({name for line in LINES.values() for name in line["claims"]})
    names = ("origin", "value", "entry", "quantity", "unit", "mode")
    columns = ("origin", "customs_value", "entry_date", "quantity", "unit", "mode")
    rows = [
        {"line_id": case, "hts": line["hts"]}
        | {column: line[name] or None for name, column in zip(names, columns, strict=True)}
        | {name: line["claims"].get(name) for name in claims}
        for case, line in LINES.items()
    ]
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
