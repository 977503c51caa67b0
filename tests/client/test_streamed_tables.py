"""Lazy frames and columnar files go to a server in batches, so that a table may be larger than memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client._wire.frames import batches_of
from tariffs.client.testing import FakeServer, fake_server

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
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(path), server.target],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
    grown = json.loads(done.stdout)["grown"]
    in_memory = pl.scan_parquet(path).head(100_000).collect().estimated_size() * ROWS / 100_000
    assert in_memory > 1e9
    assert grown < in_memory / 4
    assert sent[-1] > 50


def test_a_small_lazy_frame_travels_with_the_request(kept: FakeServer) -> None:
    kept.answer("CheckTable", {"row_count": 10})
    with Client(kept.target) as client:
        assert client.check_table(lazy(10)).rows == 10
    assert "UploadTable" not in kept.requests
    sent = pl.read_ipc_stream(kept.requests["CheckTable"][0].arrow)
    assert sent.equals(lazy(10).collect())


def test_all_rows_arrive_in_order(kept: FakeServer) -> None:
    frame = lazy(400_000)
    with Client(kept.target) as client:
        client.upload(frame)
    parts = [pl.read_ipc_stream(one.arrow) for one in kept.requests["UploadTable"]]
    assert len(parts) > 3
    assert pl.concat(parts).equals(frame.collect())


def write(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_ipc(path)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_file_is_read_in_batches_and_sent_once(suffix: str, kept: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / f"table{suffix}"
    frame = lazy(400_000).collect()
    write(frame, path)
    assert pl.concat(list(batches_of(path))).equals(frame)
    with Client(kept.target) as client:
        assert client.upload(path) == client.upload(path)
        first = len(kept.requests["UploadTable"])
        assert len(kept.requests["GetTable"]) == 1
        frame.head(399_999).write_parquet(path) if suffix == ".parquet" else frame.head(399_999).write_ipc(
            path
        )
        client.upload(path)
    assert len(kept.requests["UploadTable"]) > first


def test_an_error_in_the_middle_of_a_query_is_the_error_of_the_call(kept: FakeServer) -> None:
    def fail(rows: pl.DataFrame) -> pl.DataFrame:
        if (rows["mine"] > 300_000).any():
            raise pl.exceptions.ComputeError("the middle of the table is broken")
        return rows

    kept.fail("UploadTable", "ARROW_MALFORMED")
    broken = lazy(400_000).map_batches(fail, streamable=True)
    with Client(kept.target) as client, pytest.raises(InvalidRequest) as caught:
        client.upload(broken)
    assert caught.value.reason in {"TABLE_UNREADABLE"}


def test_a_pattern_of_files_is_one_table(kept: FakeServer, tmp_path: Path) -> None:
    for name in ("a", "b"):
        lazy(200_000).collect().write_parquet(tmp_path / f"{name}.parquet")
    with Client(kept.target) as client:
        client.upload(str(tmp_path / "*.parquet"))
    assert sum(pl.read_ipc_stream(one.arrow).height for one in kept.requests["UploadTable"]) == 400_000


def test_an_empty_query_keeps_its_columns() -> None:
    (only,) = batches_of(lazy(10).filter(pl.col("mine") < 0))
    assert (only.height, only.columns[:2]) == (0, ["hts", "origin"])


def test_a_run_over_a_lazy_frame_is_that_over_its_rows(server: str) -> None:
    frame = lazy(150_000).with_columns(
        origin=pl.when(pl.col("mine") % 2 == 0).then(pl.lit("CN")).otherwise(pl.lit("VN"))
    )
    with Client(server) as client:
        there = client.impact(frame, on="2025-12-01", response="none")
    here = Client.local().impact(frame, on="2025-12-01", response="none")
    assert there.groups.equals(here.groups)
    assert there.provenance["table_digest"] == here.provenance["table_digest"]


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
