"""Stored tables: uploaded in parts, named by their content, visible to their owner only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import grpc
import polars as pl
import pytest

from tariffs.service.handlers.tables import TableHandler
from tariffs.service.storage import storage as storage_module
from tariffs.v1 import law_service_pb2
from tariffs.v1 import simulation_service_pb2 as sim
from tariffs.v1 import table_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, no_warm_up, points, running
from tests.service.stored import arrow, as_caller, parts, results, rows, tokens_file, until, upload


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(warm=no_warm_up, table_bytes_limit=1 << 20) as started:
        yield started


def simulation(**table: Any) -> sim.SimulateRequest:
    return sim.SimulateRequest(
        points=points(("base", "2026-11-20"), ("truce-lapses", "2027-01-11")),
        response=sim.RESPONSE_MODEL_NONE,
        by=["origin", "hts2"],
        include_lines=True,
        **table,
    )


def test_a_handle_gives_the_messages_of_the_table_itself(server: Running) -> None:
    frame = rows(500)
    handle = upload(server, frame, 70).name
    by_handle = list(server.simulation.Simulate(simulation(handle=handle), timeout=TIMEOUT))
    itself = list(server.simulation.Simulate(simulation(arrow=arrow(frame)), timeout=TIMEOUT))
    assert results(by_handle) == results(itself)
    digest = by_handle[-1].done.provenance.table_digest
    assert handle == f"tables/{digest}"


def test_a_handle_serves_a_period_too(server: Running) -> None:
    frame = rows(50)
    request = sim.TimelineRequest(
        scenarios=[{"name": "base"}],
        start="2026-11-01",
        end="2026-11-10",
        response=sim.RESPONSE_MODEL_NONE,
        handle=upload(server, frame).name,
    )
    by_handle = list(server.simulation.Timeline(request, timeout=TIMEOUT))
    request.arrow = arrow(frame)
    itself = list(server.simulation.Timeline(request, timeout=TIMEOUT))
    assert results(by_handle)[:-1] == results(itself)[:-1]


def test_no_file_of_an_upload_is_opened_or_closed_on_the_event_loop(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched: list[tuple[str, str]] = []
    open_path = Path.open

    class Watched:
        """Notes the thread that closes a file."""

        def __init__(self, file: Any) -> None:
            self._file = file
            self.write, self.flush, self.fileno = file.write, file.flush, file.fileno

        def close(self) -> None:
            touched.append(("close", threading.current_thread().name))
            self._file.close()

        def __enter__(self) -> Watched:
            return self

        def __exit__(self, *error: object) -> None:
            self.close()

    def opened(self: Path, *given: Any, **more: Any) -> Any:
        file = open_path(self, *given, **more)
        if self.parent.name != "incoming" or "wb" not in given:
            return file
        touched.append(("open", threading.current_thread().name))
        return Watched(file)

    monkeypatch.setattr(Path, "open", opened)
    assert upload(server, rows(30), 10).row_count == 30
    assert [what for what, _ in touched] == ["open", "close"]
    assert "server" not in {thread for _, thread in touched}


def test_cuts_and_compression_make_no_difference(server: Running) -> None:
    frame = rows(300)
    first = upload(server, frame, 300)
    again = server.tables.UploadTable(parts(frame, 41, "zstd"), timeout=TIMEOUT)
    assert (again.name, again.create_time) == (first.name, first.create_time)
    assert (again.row_count, again.column_count) == (300, 4)
    other = upload(server, frame.with_columns(mine=pl.col("mine") + "!"))
    assert other.name != first.name


def test_changes_of_the_law_are_told_of_a_kept_table_as_of_the_table_itself(server: Running) -> None:
    frame = rows(300)

    def asked(**table: Any) -> Any:
        request = law_service_pb2.ListChangesRequest(start="2025-04-01", end="2025-04-30", **table)
        return server.law.ListChanges(request, timeout=TIMEOUT)

    stored, itself = asked(handle=upload(server, frame).name), asked(arrow=arrow(frame))
    assert stored.lines == itself.lines
    assert stored.effects == itself.effects
    assert pl.read_ipc_stream(stored.lines).height > 0


def test_a_check_of_a_kept_table_says_as_much_as_one_of_the_table_itself(server: Running) -> None:
    frame = rows(300)
    stored = server.tables.CheckTable(
        pb.CheckTableRequest(handle=upload(server, frame).name), timeout=TIMEOUT
    )
    assert stored == server.tables.CheckTable(pb.CheckTableRequest(arrow=arrow(frame)), timeout=TIMEOUT)
    assert stored.row_count == 300 >= stored.usable_count > 0


def test_a_check_without_a_table_or_of_another_owner_is_refused(server: Running) -> None:
    empty = fails(lambda: server.tables.CheckTable(pb.CheckTableRequest(), timeout=TIMEOUT))
    assert (empty.reason, empty.fields) == ("REQUEST_INVALID", ["table"])
    unknown = pb.CheckTableRequest(handle="tables/" + "0" * 64)
    fault = fails(lambda: server.tables.CheckTable(unknown, timeout=TIMEOUT))
    assert fault.reason == "TABLE_NOT_FOUND"


def test_what_does_not_fit_an_answer_on_changes_is_counted(server: Running) -> None:
    bad = rows(5_000).with_columns(
        hts=pl.lit("no code"), origin=pl.lit("nowhere"), customs_value=pl.lit(-1.0)
    )
    request = law_service_pb2.ListChangesRequest(
        start="2025-04-01", end="2025-04-30", handle=upload(server, bad).name
    )
    answer = server.law.ListChanges(request, timeout=TIMEOUT)
    told = pl.read_ipc_stream(answer.refused)["row"].n_unique()
    assert told > 0
    assert answer.refused_left_off == bad.height - told > 0


def test_tables_are_listed_page_by_page_and_forgotten() -> None:
    with running(warm=no_warm_up) as server:
        names = [upload(server, rows(5, seed)).name for seed in range(5)]
        listed: list[str] = []
        token = ""
        while True:
            page = server.tables.ListTables(
                pb.ListTablesRequest(page_size=2, page_token=token), timeout=TIMEOUT
            )
            listed += [table.name for table in page.tables]
            assert len(page.tables) <= 2
            if not (token := page.next_page_token):
                break
        assert listed == names[::-1]
        server.tables.DeleteTable(pb.DeleteTableRequest(name=names[0]), timeout=TIMEOUT)
        fault = fails(lambda: server.tables.GetTable(pb.GetTableRequest(name=names[0]), timeout=TIMEOUT))
        assert (fault.code, fault.reason) == (grpc.StatusCode.NOT_FOUND, "TABLE_NOT_FOUND")
        fault = fails(
            lambda: server.tables.ListTables(pb.ListTablesRequest(page_token="no token"), timeout=TIMEOUT)
        )
        assert fault.reason == "PAGE_TOKEN_INVALID"


def test_nobody_sees_the_table_of_another(tmp_path: Path) -> None:
    with running(warm=no_warm_up, tokens_file=tokens_file(tmp_path)) as server:
        name = upload(server, rows(20), **as_caller("ann")).name
        asks: list[Any] = [
            lambda who: server.tables.GetTable(pb.GetTableRequest(name=name), timeout=TIMEOUT, **who),
            lambda who: list(server.simulation.Simulate(simulation(handle=name), timeout=TIMEOUT, **who)),
            lambda who: server.tables.DeleteTable(pb.DeleteTableRequest(name=name), timeout=TIMEOUT, **who),
            lambda who: server.law.ListChanges(
                law_service_pb2.ListChangesRequest(start="2025-04-01", end="2025-04-02", handle=name),
                timeout=TIMEOUT,
                **who,
            ),
        ]
        for ask in asks:
            assert fails(partial(ask, as_caller("bob"))).reason == "TABLE_NOT_FOUND"
        assert not server.tables.ListTables(
            pb.ListTablesRequest(), timeout=TIMEOUT, **as_caller("bob")
        ).tables
        # Who sends the same table has one of his own, and ann's goes on when he forgets his.
        assert upload(server, rows(20), **as_caller("bob")).name == name
        asks[2](as_caller("bob"))
        assert asks[0](as_caller("ann")).row_count == 20


FIRST = rows(10)
BAD_PARTS = {
    "other types": (FIRST.with_columns(pl.col("customs_value").cast(pl.String)), "COLUMN_TYPE_MISMATCH"),
    "a column less": (FIRST.drop("mine"), "COLUMN_MISSING"),
    "a column more": (FIRST.with_columns(more=pl.lit(1)), "COLUMN_MISSING"),
    "no rows": (FIRST.clear(), "TABLE_EMPTY"),
}


@pytest.mark.parametrize("case", BAD_PARTS)
def test_parts_that_do_not_fit_are_refused_by_their_place(server: Running, case: str) -> None:
    frame, reason = BAD_PARTS[case]
    sent = [*parts(FIRST, 5), *parts(FIRST, 5), pb.UploadTableRequest(arrow=arrow(frame))]
    fault = fails(lambda: server.tables.UploadTable(iter(sent), timeout=TIMEOUT))
    assert (fault.reason, fault.metadata["part"]) == (reason, "4")


def test_parts_in_another_order_of_columns_are_one_table(server: Running) -> None:
    frame = rows(10, seed=9)
    turned = frame.select(reversed(frame.columns))
    sent = [*parts(frame.head(5), 5), *parts(turned.tail(5), 5)]
    assert server.tables.UploadTable(iter(sent), timeout=TIMEOUT).name == upload(server, frame).name


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
    def requests() -> Iterator[pb.UploadTableRequest]:
        yield from (pb.UploadTableRequest(arrow=data) for data in sent)

    fault = fails(lambda: server.tables.UploadTable(requests(), timeout=TIMEOUT))
    assert fault.reason == reason


def test_one_table_more_than_a_caller_may_keep_is_refused() -> None:
    with running(warm=no_warm_up, tables_per_owner=2) as server:
        first = upload(server, rows(5, 1))
        upload(server, rows(5, 2))
        assert fails(lambda: upload(server, rows(5, 3))).reason == "ROW_QUOTA"
        server.tables.DeleteTable(pb.DeleteTableRequest(name=first.name), timeout=TIMEOUT)
        upload(server, rows(5, 3))


def test_tables_outlive_their_server_and_are_forgotten_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(warm=no_warm_up, state_dir=tmp_path) as server:
        name = upload(server, rows(5)).name
    with running(warm=no_warm_up, state_dir=tmp_path) as server:
        assert server.tables.GetTable(pb.GetTableRequest(name=name), timeout=TIMEOUT).row_count == 5
    file = tmp_path / "tables" / f"{name.removeprefix('tables/')}.parquet"
    assert file.exists()
    monkeypatch.setattr(storage_module, "IDLE_SECONDS", 0.0)
    with running(warm=no_warm_up, state_dir=tmp_path, keep_days=1e-9) as server:
        until(lambda: not file.exists())
        fault = fails(lambda: server.tables.GetTable(pb.GetTableRequest(name=name), timeout=TIMEOUT))
        assert fault.reason == "TABLE_NOT_FOUND"


def test_nothing_stays_of_an_upload_that_is_broken_off(tmp_path: Path) -> None:
    sent, wait = threading.Event(), threading.Event()

    def requests() -> Iterator[Any]:
        yield from parts(rows(10), 5)
        sent.set()
        wait.wait(TIMEOUT)

    with running(warm=no_warm_up, state_dir=tmp_path) as server:
        call = server.tables.UploadTable.future(requests(), timeout=TIMEOUT)
        assert sent.wait(TIMEOUT)
        until(lambda: any((tmp_path / "incoming").iterdir()))
        call.cancel()
        until(lambda: not any((tmp_path / "incoming").iterdir()))
        wait.set()
        assert not server.tables.ListTables(pb.ListTablesRequest(), timeout=TIMEOUT).tables


@pytest.mark.asyncio
async def test_an_upload_that_is_cancelled_twice_leaves_no_open_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    open_path = Path.open

    def remembered(self: Path, *given: Any) -> Any:
        opened.append(open_path(self, *given))
        return opened[-1]

    monkeypatch.setattr(Path, "open", remembered)
    storage: Any = SimpleNamespace(incoming=tmp_path, register=SimpleNamespace(check_room=lambda owner: None))
    queue, context = cast(Any, None), cast(Any, None)
    sent, free = asyncio.Event(), threading.Event()

    async def requests() -> AsyncIterator[Any]:
        for part in parts(rows(10), 5):
            yield part
        sent.set()
        await asyncio.Event().wait()

    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    work = asyncio.create_task(TableHandler(queue, storage, 1 << 20).UploadTable(requests(), context))
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
