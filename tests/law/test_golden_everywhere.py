"""Every worked entry comes out the same over gRPC, in this process and on the command line: layers and cents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, EntriesResult
from tariffs.client.cli.__main__ import run
from tariffs.engine.line_duty.quote import Quote
from tests.law.golden_lines import LINES, quote_of
from tests.service.harness import no_warm_up, running

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


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("golden") / "cases.csv"
    cases_table().write_csv(path)
    return path


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with running(warm=no_warm_up) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def over_grpc(file: Path, target: str) -> EntriesResult:
    with Client(target) as client:
        return client.duties(file)


@pytest.fixture(scope="module")
def local(file: Path) -> EntriesResult:
    with Client.local() as client:
        return client.duties(file)


def by_case(result: EntriesResult) -> dict[str, Answer]:
    """Layers and money of each line of an answer, as text."""
    names = ("measure", "heading", "state", "base", "amount", "min", "max")
    return {
        line["line_id"]: {name: line[name] for name in ("prohibited", "assessed", "owed", "landed")}
        | {"layers": [{name: layer[name] for name in names} for layer in line["layers"]]}
        for line in result.to_json_dict()["lines"]
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
    over_grpc: EntriesResult, local: EntriesResult
) -> None:
    remote, here = by_case(over_grpc), by_case(local)
    assert over_grpc.refused.is_empty()
    assert list(remote) == list(here) == list(LINES)
    for case, line in LINES.items():
        assert remote[case] == here[case] == plain(quote_of(line)), case


def test_the_command_line_says_the_same(
    file: Path, target: str, over_grpc: EntriesResult, capsys: pytest.CaptureFixture[str]
) -> None:
    for where in (("--target", target), ("--local",)):
        assert run(["duty", "--entries", str(file), *where, "--json"]) == 0
        # The server of this test logs to the same standard output.
        document = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert document.pop("schema") == "tariffs.entries/v1"
        assert document == json.loads(json.dumps(over_grpc.to_json_dict()))
