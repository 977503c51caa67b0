"""A full disk and a database that is away delay calls and runs; nothing is lost.

Uploads that a killed server leaves behind are removed at the next start, those under way never.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import ServiceError
from tariffs.service.server import run_scheduler
from tariffs.service.storage import files, table_store
from tariffs.service.storage.run_store import RunStore
from tariffs.service.storage.table_store import UploadFile, sweep_uploads
from tariffs.service.workers.overflow_queue import IN_MEMORY, OverflowQueue
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.callers import ask
from tests.service.harness import fails, no_warm_up, running
from tests.service.stored import Failing, metadata_of, read, rows, simulation, start, until, upload, wait

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def no_space(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def by_polars(_: Path) -> None:
    pl.DataFrame({"a": range(100_000)}).write_parquet(FULL)


@needs_full
@pytest.mark.parametrize("write", [no_space, by_polars])
def test_a_file_on_a_full_disk_is_told_and_leaves_no_draft(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    with pytest.raises(ServiceError) as caught:
        files.write_whole(tmp_path / "part", write)
    assert caught.value.reason == "STORAGE_UNAVAILABLE"
    assert list(tmp_path.iterdir()) == []


@needs_full
def test_messages_wait_for_their_reader_while_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(OverflowQueue(1_000)) as messages:
        assert all(messages.put(bytes([number])) for number in range(IN_MEMORY))
        with monkeypatch.context() as patched:
            patched.setattr(tempfile, "TemporaryFile", lambda **_: FULL.open("r+b", buffering=0))
            assert not messages.put(b"a")
            assert not messages.put(b"a")
        messages._file.close()
        messages._file = None
        assert messages.put(b"a")
        found = [messages.take_from_file() for _ in range(IN_MEMORY + 1)]
    assert found == [*(bytes([number]) for number in range(IN_MEMORY)), b"a"]


@pytest.mark.parametrize("step", [7_200.0, -7_200.0])
def test_a_clock_that_is_stepped_removes_no_file_in_use(
    step: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, left = tmp_path / "upload", tmp_path / "left"
    upload.touch()
    left.touch()
    os.utime(left, (time.time() - 20_000, time.time() - 20_000))
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + step)
    assert files.sweep(tmp_path, lambda name: False, 3_600.0) == ["left"]
    assert upload.exists()


def test_directories_of_callers_files_are_for_this_user_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running(warm=no_warm_up, state_dir=str(state)):
        made = [state, *(path for path in state.iterdir() if path.is_dir())]
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []


def test_an_upload_onto_a_full_disk_may_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(warm=no_warm_up) as server:
        with monkeypatch.context() as patched:
            patched.setattr(UploadFile, "_append", no_space)
            fault = fails(lambda: upload(server, rows(10), 5))
        assert (fault.reason, fault.code.name) == ("STORAGE_UNAVAILABLE", "UNAVAILABLE")
        assert upload(server, rows(10), 5).row_count == 10


def test_a_run_waits_for_room_on_the_disk_however_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_scheduler, "POLL_SECONDS", 0.05)
    disk = Failing("run", ServiceError("STORAGE_UNAVAILABLE", "The server cannot write to its disk."), 6)
    with running(disk, no_warm_up) as server:
        operation = wait(server, start(server, simulation(rows(5))).name)
        assert metadata_of(operation).state == pb.RUN_STATE_SUCCEEDED
    assert disk.failures == 6


def test_a_run_whose_last_message_was_read_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    succeed = RunStore.succeed

    def late(*arguments: Any) -> None:
        time.sleep(0.5)
        succeed(*arguments)

    monkeypatch.setattr(RunStore, "succeed", late)
    with running(warm=no_warm_up) as server:
        name = start(server, simulation(rows(5))).name
        assert read(server, name)
        ask(server, "DeleteOperation", name=name)


UPLOADING = """
import sys, time
from pathlib import Path
from tariffs.service.storage.table_store import UploadFile, sweep_uploads
file = UploadFile(Path(sys.argv[1]))
file.write(b"part")
file.flush()
print("begun", flush=True)
time.sleep(300)
"""


def test_an_upload_cut_by_a_kill_is_removed_at_the_next_start(tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    arguments = [sys.executable, "-c", UPLOADING, str(incoming)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        under_way = UploadFile(incoming)
        under_way.write(b"another server's")
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    assert len(list(incoming.iterdir())) == 2
    with running(warm=no_warm_up, state_dir=tmp_path):
        until(lambda: len(list(incoming.iterdir())) == 1)
    assert list(incoming.iterdir()) == [under_way.path]
    under_way.remove()


def test_an_upload_under_way_is_left_alone_and_one_that_fails_leaves_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = UploadFile(tmp_path)
    for data in (b"one", b"two"):
        assert sweep_uploads(tmp_path) == []
        upload.write(data)
    upload.flush()
    assert sweep_uploads(tmp_path) == []
    assert upload.path.read_bytes() == b"onetwo"
    upload.remove()
    upload.write(b"three")
    assert list(tmp_path.iterdir()) == []

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(table_store, "flock", fail)
    with pytest.raises(RuntimeError):
        UploadFile(tmp_path).write(b"x")
    assert list(tmp_path.iterdir()) == []
