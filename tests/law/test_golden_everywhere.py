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
    plain = {
        "origin": "origin",
        "value": "customs_value",
        "entry": "entry_date",
        "quantity": "quantity",
        "unit": "unit",
        "mode": "mode",
    }
    rows = [
        {"line_id": case, "hts": line["hts"]}
        | {column: line[name] or None for name, column in plain.items()}
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


def by_case(document: Answer) -> dict[str, Answer]:
    return {line["line_id"]: line for line in document["lines"]}


def plain(quote: Quote) -> Answer:
    """What an answer says of layers and money, as text."""
    names = ("measure", "heading", "state")
    amounts = ("base", "amount", "min", "max")
    return {
        "prohibited": list(quote.prohibited),
        "assessed": f"{quote.assessed:.2f}",
        "owed": f"{quote.owed:.2f}",
        "landed": {name: f"{amount:.2f}" for name, amount in quote.landed.as_dict().items()},
        "layers": [
            {name: getattr(layer, name) for name in names}
            | {name: f"{getattr(layer, name):.2f}" for name in amounts}
            for layer in quote.layers
        ],
    }


def told(line: Answer) -> Answer:
    """The same of a line of an answer in JSON."""
    names = ("measure", "heading", "state", "base", "amount", "min", "max")
    layers = [{name: layer[name] for name in names} for layer in line["layers"]]
    return {name: line[name] for name in ("prohibited", "assessed", "owed", "landed")} | {"layers": layers}


def test_every_case_is_the_same_over_grpc_in_process_and_in_the_engine(
    over_grpc: EntriesResult, local: EntriesResult
) -> None:
    remote, here = (by_case(result.to_json_dict()) for result in (over_grpc, local))
    assert over_grpc.refused.is_empty()
    assert list(remote) == list(here) == list(LINES)
    for case, line in LINES.items():
        assert told(remote[case]) == told(here[case]) == plain(quote_of(line)), case


def test_the_command_line_says_the_same(
    file: Path, target: str, over_grpc: EntriesResult, capsys: pytest.CaptureFixture[str]
) -> None:
    for where in (("--target", target), ("--local",)):
        assert run(["duty", "--entries", str(file), *where, "--json"]) == 0
        # The server of this test logs to the same standard output.
        document = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert document.pop("schema") == "tariffs.entries/v1"
        assert document == json.loads(json.dumps(over_grpc.to_json_dict()))


def test_a_case_alone_on_the_command_line_is_the_case_in_the_file(
    over_grpc: EntriesResult, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = by_case(over_grpc.to_json_dict())
    for case, line in list(LINES.items())[:: max(1, len(LINES) // 25)]:
        options = ["--origin", line["origin"], "--value", line["value"], "--date", line["entry"]]
        options += [word for name, value in line["claims"].items() for word in ("--claim", f"{name}={value}")]
        if line["mode"]:
            options += ["--mode", line["mode"]]
        if line["quantity"]:
            options += ["--quantity", line["quantity"], "--unit", line["unit"]]
        assert run(["duty", line["hts"], *options, "--json"]) == 0, case
        assert told(json.loads(capsys.readouterr().out)) == told(lines[case]), case
