"""Tables on their way: lazy frames and files go to a server in batches, and CSV files for people hold no formula."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client._wire.csv_text import for_people, guarded
from tariffs.client._wire.frames import batches_of
from tariffs.client.testing import FakeServer, fake_server
from tests.client.conftest import Cli, refuses

ROWS = 12_000_000
HANDLE: dict[str, object] = {"name": "tables/" + "0" * 64, "row_count": 1}
PROGRAM = """
import json, resource, sys
import polars as pl
from tariffs.client import Client
path, target = sys.argv[1:]
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
with Client(target) as client:
    client.upload(pl.scan_parquet(path).head(70_000))
    before = peak()
    client.upload(pl.scan_parquet(path).filter(pl.col("customs_value") > 0))
print(json.dumps({"grown": peak() - before}))
"""


def lazy(rows: int) -> pl.LazyFrame:
    """Rows that differ in an own column alone, made as they are read."""
    return pl.LazyFrame().select(
        hts=pl.repeat("9503000073", rows),
        origin=pl.repeat("CN", rows),
        customs_value=pl.repeat(1.5, rows),
        mine=pl.int_range(rows, dtype=pl.Int64),
        note=pl.repeat("a text that makes rows large in memory and small on the wire", rows),
    )


@pytest.fixture
def kept() -> Iterator[FakeServer]:
    with fake_server() as server:
        server.answer("UploadTable", HANDLE)
        server.answer("GetTable", HANDLE)
        yield server


@pytest.mark.slow
def test_a_table_beyond_memory_is_uploaded_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.parquet"
    lazy(ROWS).sink_parquet(path, row_group_size=100_000)
    with fake_server() as server:
        server.keep_requests = False
        sent: list[int] = []

        def count(parts: Any) -> dict[str, object]:
            sent.append(len(parts))
            return HANDLE

        server.answer("UploadTable", function=count)
        command = [sys.executable, "-c", PROGRAM, str(path), server.target]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    grown = json.loads(done.stdout)["grown"]
    in_memory = pl.scan_parquet(path).head(100_000).collect().estimated_size() * ROWS / 100_000
    assert in_memory > 1e9
    assert grown < in_memory / 4
    assert sent[-1] > 50


def test_a_small_lazy_frame_travels_with_the_request_and_a_large_one_in_parts(kept: FakeServer) -> None:
    kept.answer("CheckTable", {"row_count": 10})
    frame = lazy(400_000)
    with Client(kept.target) as client:
        assert client.check_table(lazy(10)).rows == 10
        assert "UploadTable" not in kept.requests
        client.upload(frame)
    assert pl.read_ipc_stream(kept.requests["CheckTable"][0].arrow).equals(lazy(10).collect())
    parts = [pl.read_ipc_stream(one.arrow) for one in kept.requests["UploadTable"]]
    assert len(parts) > 3
    assert pl.concat(parts).equals(frame.collect())


@pytest.mark.parametrize(("name", "write"), [("a.parquet", "write_parquet"), ("a.arrow", "write_ipc")])
def test_a_file_is_read_in_batches_and_sent_once(name: str, write: str, kept: FakeServer) -> None:
    path, frame = Path(name), lazy(400_000).collect()
    getattr(frame, write)(path)
    assert pl.concat(list(batches_of(path))).equals(frame)
    with Client(kept.target) as client:
        assert client.upload(path) == client.upload(path)
        first = len(kept.requests["UploadTable"])
        assert len(kept.requests["GetTable"]) == 1
        getattr(frame.head(399_999), write)(path)
        client.upload(path)
    assert len(kept.requests["UploadTable"]) > first


def test_an_error_in_the_middle_of_a_query_is_the_error_of_the_call(kept: FakeServer) -> None:
    def fail(rows: pl.DataFrame) -> pl.DataFrame:
        if (rows["mine"] > 300_000).any():
            raise pl.exceptions.ComputeError("the middle of the table is broken")
        return rows

    kept.fail("UploadTable", "ARROW_MALFORMED")
    broken = lazy(400_000).map_batches(fail, streamable=True)
    with Client(kept.target) as client, refuses("TABLE_UNREADABLE"):
        client.upload(broken)


def test_a_pattern_of_files_is_one_table(kept: FakeServer) -> None:
    for name in ("a", "b"):
        lazy(200_000).collect().write_parquet(f"{name}.parquet")
    with Client(kept.target) as client:
        client.upload("*.parquet")
    assert sum(pl.read_ipc_stream(one.arrow).height for one in kept.requests["UploadTable"]) == 400_000


def test_a_run_over_a_lazy_frame_is_that_over_its_rows(here: Client, there: Client) -> None:
    frame = pl.concat([lazy(75_000), lazy(75_000).with_columns(origin=pl.lit("VN"))])
    asked: dict[str, Any] = {"on": "2025-12-01", "response": "none"}
    found, other = there.impact(frame, **asked), here.impact(frame.collect(), **asked)
    assert found.groups.equals(other.groups)
    assert found.provenance["table_digest"] == other.provenance["table_digest"]


@pytest.mark.parametrize("table", [lazy(400_000), lazy(200_000).collect()], ids=["in batches", "held"])
def test_an_upload_that_a_restart_breaks_off_is_sent_again_whole(table: Any, kept: FakeServer) -> None:
    kept.fail("UploadTable", "SHUTTING_DOWN", code="UNAVAILABLE")
    refuse, seen = kept._answers["UploadTable"], list[int]()

    def refuse_first(requests: list[Any]) -> Any:
        seen.append(sum(pl.read_ipc_stream(one.arrow).height for one in requests))
        return refuse(requests) if len(seen) == 1 else [HANDLE]

    kept.answer("UploadTable", function=refuse_first)
    with Client(kept.target) as client:
        assert client.upload(table).name == HANDLE["name"]
    rows = table.lazy().select(pl.len()).collect().item()
    assert seen == [rows, rows]


HOSTILE = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "-",
]
HARMLESS = ["", "a=b", "'=1", "9503.00.0073", "1-2", '"quoted", "twice"', "x\ny", " =1"]
FIRST = ("=", "+", "-", "@", "\t", "\r")
ANSWER = "impact --on 2025-05-14 --response none --local --brief"
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]\d+)?")


def written(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_texts_that_a_spreadsheet_computes_are_guarded_once(dtype: type[pl.DataType]) -> None:
    frame = pl.DataFrame({"text": [*HOSTILE, *HARMLESS, None]}).with_columns(pl.col("text").cast(dtype))
    text = for_people(frame.with_row_index()).write_csv()
    found = [row[1] for row in csv.reader(io.StringIO(text, newline=""))]
    assert found[1:] == ["'" + text for text in HOSTILE] + HARMLESS + [""]
    assert guarded(guarded(frame)).equals(guarded(frame))
    numbers = pl.DataFrame({"=1+1": [-1.5, 2.0], "-2": [-3, 4]})
    assert guarded(numbers).to_dict(as_series=False) == {"'=1+1": [-1.5, 2.0], "'-2": [-3, 4]}


@pytest.fixture
def table() -> Path:
    rows = [["9503.00.0073", "CN", "100", text, "-5"] for text in HOSTILE[:5]]
    bad = [[HOSTILE[0], "CN", "100", "x", ""], ["9503.00.0073", HOSTILE[1], "100", "x", ""]]
    with Path("t.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["hts", "origin", "customs_value", "=mine", "-2"], *rows, *bad])
    return Path("t.csv")


@pytest.mark.parametrize(
    "words",
    [
        f"{ANSWER} t.csv --by =mine --lines lines.csv -o groups.csv",
        "duty --entries t.csv --date 2025-05-14 -o entries.csv --local",
        "table check t.csv",
    ],
)
def test_files_of_commands_are_guarded(table: Path, words: str, cli: Cli) -> None:
    cli.out(words, 1)
    files = [path for path in Path().glob("*.csv") if path != table]
    assert {path.name for path in files} >= {"t-refused.csv"}
    for path in files:
        texts = [cell for row in written(path) for cell in row if cell.startswith(FIRST)]
        assert [text for text in texts if not NUMBER.fullmatch(text)] == [], path.name
    (found,) = (row for row in written(Path("t-refused.csv")) if "HTS_CODE_MALFORMED" in row)
    assert "'" + HOSTILE[0] in found


def test_the_option_writes_raw_and_both_forms_replay(table: Path, cli: Cli) -> None:
    text = table.read_text(encoding="utf-8")
    for before, first in (("--raw-csv ", "=cmd"), ("", "'=cmd")):
        copy_context().run(cli.out, f"{before}{ANSWER} t.csv --lines lines.csv", 1)
        assert written(Path("lines.csv"))[1][5].startswith(first)
        cli.out("replay lines.csv --local")
        table.write_text(text.replace(",100,", ",200,"), encoding="utf-8")
        cli.out("replay lines.csv --local", 1)
        table.write_text(text, encoding="utf-8")
