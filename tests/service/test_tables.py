"""Stored tables: uploaded in parts, named by their content, kept so long and so many."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import polars as pl
import pytest

from tariffs.service.handlers.tables import TableHandler
from tariffs.service.server import run_scheduler
from tariffs.service.storage import storage as storage_module
from tariffs.service.storage.table_store import UploadFile
from tariffs.v1 import table_service_pb2 as pb
from tests.service.callers import ask, pages, refused
from tests.service.harness import TIMEOUT, Running, as_caller, caller_files, fails, no_warm_up, running
from tests.service.stored import arrow, parts, rows, simulation, start, until, upload, wait

APRIL = {"start": "2025-04-01", "end": "2025-04-30"}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(warm=no_warm_up, table_bytes_limit=1 << 20) as started:
        yield started


def test_cuts_and_compression_make_no_difference(server: Running) -> None:
    frame = rows(300)
    first = upload(server, frame, 300)
    again = server.tables.UploadTable(parts(frame, 41, "zstd"), timeout=TIMEOUT)
    assert (again.name, again.create_time) == (first.name, first.create_time)
    assert (again.row_count, again.column_count) == (300, 4)
    turned = frame.select(reversed(frame.columns))
    sent = [*parts(frame.head(150), 150), *parts(turned.tail(150), 150)]
    assert server.tables.UploadTable(iter(sent), timeout=TIMEOUT).name == first.name
    other = upload(server, frame.with_columns(mine=pl.col("mine") + "!"))
    assert other.name != first.name


def test_calls_over_a_kept_table_say_what_those_over_the_table_itself_say(server: Running) -> None:
    frame = rows(300)
    tables: list[dict[str, Any]] = [{"handle": upload(server, frame).name}, {"arrow": arrow(frame)}]
    stored, itself = (ask(server, "CheckTable", **one) for one in tables)
    assert stored == itself
    assert stored.row_count == 300 >= stored.usable_count > 0
    stored, itself = (ask(server, "ListChanges", **APRIL, **one) for one in tables)
    assert (stored.lines, stored.effects) == (itself.lines, itself.effects)
    assert pl.read_ipc_stream(stored.lines).height > 0
    empty = refused(server, "CheckTable")
    assert (empty.reason, empty.fields) == ("REQUEST_INVALID", ["table"])


def test_what_does_not_fit_an_answer_on_changes_is_counted(server: Running) -> None:
    bad = rows(5_000).with_columns(
        hts=pl.lit("no code"), origin=pl.lit("nowhere"), customs_value=pl.lit(-1.0)
    )
    answer = ask(server, "ListChanges", handle=upload(server, bad).name, **APRIL)
    told = pl.read_ipc_stream(answer.refused)["row"].n_unique()
    assert told > 0
    assert answer.refused_left_off == bad.height - told > 0


def test_so_many_tables_are_kept_listed_page_by_page_and_forgotten(tmp_path: Path) -> None:
    ann, bob = as_caller("ann"), as_caller("bob")
    with running(warm=no_warm_up, tables_per_owner=5, **caller_files(tmp_path)) as server:
        names = [upload(server, rows(5, seed), **ann).name for seed in range(5)]
        assert fails(lambda: upload(server, rows(5, 5), **ann)).reason == "ROW_QUOTA"
        assert upload(server, rows(5, 5), **bob).name
        assert upload(server, rows(5, 4), **ann).name == names[4]
        listed = [
            [table.name for table in page.tables] for page in pages(server, "ListTables", "ann", size=2)
        ]
        assert listed == [names[:2:-1], names[2:0:-1], names[:1]]
        ask(server, "DeleteTable", "ann", name=names[0])
        fault = refused(server, "GetTable", "ann", name=names[0])
        assert (fault.code, fault.reason) == (grpc.StatusCode.NOT_FOUND, "TABLE_NOT_FOUND")
        assert refused(server, "ListTables", "ann", page_token="no token").reason == "PAGE_TOKEN_INVALID"
        upload(server, rows(5, 5), **ann)


FIRST = rows(10)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (FIRST.with_columns(pl.col("customs_value").cast(pl.String)), "COLUMN_TYPE_MISMATCH"),
        (FIRST.drop("mine"), "COLUMN_MISSING"),
        (FIRST.with_columns(more=pl.lit(1)), "COLUMN_MISSING"),
        (FIRST.clear(), "TABLE_EMPTY"),
    ],
    ids=["other types", "a column less", "a column more", "no rows"],
)
def test_parts_that_do_not_fit_are_refused_by_their_place(
    server: Running, frame: pl.DataFrame, reason: str
) -> None:
    sent = [*parts(FIRST, 5), *parts(FIRST, 5), pb.UploadTableRequest(arrow=arrow(frame))]
    fault = fails(lambda: server.tables.UploadTable(iter(sent), timeout=TIMEOUT))
    assert (fault.reason, fault.metadata["part"]) == (reason, "4")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([], "TABLE_EMPTY"),
        ([b"no arrow at all"], "ARROW_MALFORMED"),
        ([arrow(FIRST)[:200]], "ARROW_MALFORMED"),
        ([arrow(FIRST.drop("hts"))], "COLUMN_MISSING"),
        ([arrow(rows(5000, seed)) for seed in range(4)], "ROW_QUOTA"),
        ([arrow(rows(500).with_columns(mine=pl.col("mine").str.pad_start(1500)))] * 2, "ROW_QUOTA"),
    ],
    ids=["nothing", "malformed", "cut off", "not a trade table", "too many rows", "too many bytes"],
)
def test_what_is_no_table_or_too_large_is_refused(server: Running, sent: list[bytes], reason: str) -> None:
    requests = (pb.UploadTableRequest(arrow=data) for data in sent)
    assert fails(lambda: server.tables.UploadTable(requests, timeout=TIMEOUT)).reason == reason


def test_tables_and_runs_outlive_their_server_and_are_forgotten_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(warm=no_warm_up, state_dir=tmp_path) as server:
        table, run = upload(server, rows(5)).name, start(server, simulation(rows(5))).name
        wait(server, run)
    with running(warm=no_warm_up, state_dir=tmp_path) as server:
        assert ask(server, "GetTable", name=table).row_count == 5
        assert ask(server, "GetOperation", name=run).done
    file = tmp_path / "tables" / f"{table.removeprefix('tables/')}.parquet"
    assert file.exists()
    monkeypatch.setattr(storage_module, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(run_scheduler, "SWEEP_SECONDS", 0.1)
    with running(warm=no_warm_up, state_dir=tmp_path, keep_days=1e-9) as server:
        until(lambda: not file.exists() and not any((tmp_path / "runs").iterdir()))
        assert refused(server, "GetTable", name=table).reason == "TABLE_NOT_FOUND"
        assert refused(server, "GetOperation", name=run).reason == "RUN_NOT_FOUND"


@pytest.mark.asyncio
async def test_an_upload_that_is_cancelled_twice_leaves_no_file_and_touches_none_on_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, threads, path_open, remove = list[Any](), set[int](), Path.open, UploadFile.remove

    def watched_open(self: Path, *given: Any) -> Any:
        threads.add(threading.get_ident())
        opened.append(path_open(self, *given))
        return opened[-1]

    def watched_remove(self: UploadFile) -> None:
        threads.add(threading.get_ident())
        remove(self)

    monkeypatch.setattr(Path, "open", watched_open)
    monkeypatch.setattr(UploadFile, "remove", watched_remove)
    storage: Any = SimpleNamespace(incoming=tmp_path, register=SimpleNamespace(check_room=lambda owner: None))
    nothing: Any = None
    sent, free, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    async def requests() -> AsyncIterator[Any]:
        for part in parts(rows(10), 5):
            yield part
        sent.set()
        await asyncio.Event().wait()

    loop.set_default_executor(ThreadPoolExecutor(1))
    work = asyncio.create_task(TableHandler(nothing, storage, 1 << 20).UploadTable(requests(), nothing))
    await asyncio.wait_for(sent.wait(), TIMEOUT)
    # A job of a busy pool that is cancelled before it begins never runs.
    busy = loop.run_in_executor(None, free.wait)
    for _ in range(2):
        work.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await work
    free.set()
    await busy
    await loop.run_in_executor(None, lambda: None)
    assert [file.closed for file in opened] == [True]
    assert not any(tmp_path.iterdir())
    assert threading.get_ident() not in threads
