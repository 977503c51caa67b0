"""Uploads that a killed server leaves behind are removed at the next start, those under way never."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tariffs.service.storage import table_store
from tariffs.service.storage.table_store import UploadFile, sweep_uploads
from tests.service.harness import no_warm_up, running
from tests.service.stored import until

UPLOADING = """
import sys, time
from pathlib import Path
from tariffs.service.storage.table_store import UploadFile
file = UploadFile(Path(sys.argv[1]))
file.write(b"part")
file.flush()
print("begun", flush=True)
time.sleep(300)
"""


def test_an_upload_under_way_is_left_alone(tmp_path: Path) -> None:
    upload = UploadFile(tmp_path)
    assert sweep_uploads(tmp_path) == []
    upload.write(b"one")
    assert sweep_uploads(tmp_path) == []
    upload.write(b"two")
    upload.flush()
    assert sweep_uploads(tmp_path) == []
    assert upload.path.read_bytes() == b"onetwo"
    upload.remove()
    upload.write(b"three")
    assert list(tmp_path.iterdir()) == []


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


def test_a_file_that_cannot_be_made_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(table_store, "flock", fail)
    with pytest.raises(RuntimeError):
        UploadFile(tmp_path).write(b"x")
    assert list(tmp_path.iterdir()) == []
