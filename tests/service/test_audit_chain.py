"""The chain of audit entries: what was done to its files is found, and it goes on over files, restarts and failures."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import subprocess
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tariffs.service.storage.audit import file_chain
from tariffs.service.storage.audit.chain import Head
from tariffs.service.storage.audit.file_chain import FileChain
from tariffs.service.storage.audit.sources import chains_at
from tariffs.service.storage.audit.verify import ChainReport, verify

DAY = "2026-11-27"


@pytest.fixture(autouse=True)
def _on_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that the chain itself adds are of the day of the others: a new day begins a new file."""
    now = datetime.fromisoformat(f"{DAY}T08:00:00Z").timestamp()
    monkeypatch.setattr(file_chain, "time", SimpleNamespace(time=lambda: now))


def fact(number: int, day: str = DAY) -> dict[str, Any]:
    return {"time": f"{day}T07:00:00.{number:06}Z", "kind": "call", "who": "ann", "rows": number}


def write(directory: Path, numbers: range, day: str = DAY, size: int = 1 << 20) -> None:
    """Append entries as one process does from its start to its end."""
    chain = FileChain(directory, "web-0", size)
    chain.append(deque(fact(number, day) for number in numbers))
    chain.close()


def report(path: Path, **anchors: Head) -> ChainReport:
    (chain,) = chains_at(path)
    return verify(chain, **anchors)


def found(path: Path, **anchors: Head) -> list[tuple[str, str, int, int]]:
    return [(one.kind, one.place, one.first, one.last) for one in report(path, **anchors).findings]


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.jsonl"))


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def cut_off(path: Path, kept: int) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:kept]))


def test_the_chain_goes_on_over_files_days_and_restarts(tmp_path: Path) -> None:
    for start in range(0, 90, 30):
        write(tmp_path, range(start, start + 30), f"2026-11-{start // 30 + 1:02}", size=2048)
    assert len(files(tmp_path)) > 6
    assert {path.name[len("web-0-") :][:10] for path in files(tmp_path)} == {
        f"2026-11-0{day}" for day in (1, 2, 3)
    }
    assert all(path.stat().st_size < 2048 + 400 for path in files(tmp_path))
    result = report(tmp_path)
    assert (result.entries, result.findings) == (90, [])
    last = files(tmp_path)[-1].read_bytes().splitlines()[-1]
    assert (result.head.seq, result.head.digest) == (90, hashlib.sha256(last).hexdigest())
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_shell_of_the_page_checks_a_chain(tmp_path: Path, root: Path) -> None:
    page = (root / "docs" / "audit.md").read_text(encoding="utf-8")
    script = next(block.partition("```")[0] for block in page.split("```sh\n") if "sha256sum" in block)
    for day in (1, 2):
        write(tmp_path, range(5), f"2026-11-0{day}")
    script = script.replace("web-1-0", "web-0")

    def said() -> str:
        return subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    assert said().strip() == report(tmp_path).head.digest
    path = files(tmp_path)[1]
    path.write_bytes(path.read_bytes().replace(b"ann", b"bob", 1))
    assert "broken before" in said()


def rename(at: int) -> Callable[[list[bytes]], Any]:
    return lambda lines: lines.__setitem__(at, lines[at].replace(b"ann", b"bob"))


def remove(first: int, last: int) -> Callable[[list[bytes]], Any]:
    return lambda lines: lines.__delitem__(slice(first, last))


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (rename(6), [("changed", 7, 7, 7)]),
        (rename(19), [("changed", 20, 20, 20)]),
        (rename(0), [("changed", 1, 1, 1)]),
        (remove(6, 7), [("removed", 7, 7, 7)]),
        (remove(3, 9), [("removed", 4, 4, 9)]),
        (remove(0, 1), [("removed", 1, 1, 1)]),
        (remove(15, 20), [("cut", 15, 16, 20)]),
        (lambda lines: lines.insert(9, lines[4]), [("inserted", 10, 5, 5)]),
        (lambda lines: lines.insert(7, lines.pop(6)), [("reordered", 8, 7, 7)]),
        (lambda lines: lines.append(lines.pop(3)), [("reordered", 20, 4, 4)]),
        (lambda lines: lines.__setitem__(6, b"{"), [("removed", 8, 7, 7), ("unreadable", 7, 7, 7)]),
    ],
)
def test_what_was_done_to_a_file_is_found_with_its_place(
    tmp_path: Path, tamper: Callable[[list[bytes]], Any], expected: Any
) -> None:
    write(tmp_path, range(20))
    (path,) = files(tmp_path)
    lines = path.read_bytes().splitlines()
    tamper(lines)
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    assert sorted(found(tmp_path)) == sorted((kind, f"{path.name}:{at}", a, b) for kind, at, a, b in expected)


def test_every_changed_byte_is_found(tmp_path: Path) -> None:
    write(tmp_path, range(8))
    (path,) = files(tmp_path)
    whole, draw = path.read_bytes(), random.Random(1)
    for _ in range(300):
        data = bytearray(whole)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
        assert found(tmp_path), data
    path.write_bytes(whole)
    assert found(tmp_path) == []


def test_a_removed_file_is_found_and_files_moved_away_are_named(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        write(tmp_path, range(5), f"2026-11-0{day}")
    kept = report(tmp_path).head
    first, second, third = files(tmp_path)
    moved = second.read_bytes()
    second.unlink()
    assert found(tmp_path) == [("removed", f"{third.name}:1", 6, 10)]
    second.write_bytes(moved)
    first.unlink()
    assert found(tmp_path) == [("removed", f"{second.name}:1", 1, 5)]
    last = Head(5, json.loads(moved.splitlines()[0])["previous"])
    assert found(tmp_path, after=last) == []
    assert [one[0] for one in found(tmp_path, after=Head(5, "f" * 64))] == ["changed"]
    third.unlink()
    assert found(tmp_path, after=last) == [("cut", f"{second.name}:5", 11, 15)]
    # Who removes the head file too is found by that, and how much is gone by a head that was noted elsewhere.
    (tmp_path / "web-0.head").unlink()
    assert found(tmp_path, after=last) == [("headless", f"{second.name}:5", 10, 10)]
    assert sorted(one[0] for one in found(tmp_path, after=last, until=kept)) == ["cut", "headless"]
    # The last entry of an archive, noted when it was moved there, is as good as a head.
    noted = report(tmp_path, after=last).head
    assert found(tmp_path, after=last, until=noted) == []


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda head: head.write_text("x"), lambda head: head.write_bytes(b"")]
)
def test_an_end_and_a_head_that_are_both_gone_are_found(tmp_path: Path, spoil: Callable[[Path], Any]) -> None:
    write(tmp_path, range(5))
    (path,) = files(tmp_path)
    spoil(tmp_path / "web-0.head")
    assert found(tmp_path) == [("headless", f"{path.name}:5", 5, 5)]
    cut_off(path, 3)
    assert found(tmp_path) == [("headless", f"{path.name}:3", 3, 3)]
    # A server that goes on says so in the chain, and so it stays found.
    write(tmp_path, range(5, 8))
    assert entries(path)[3]["missing_head"] is True
    write(tmp_path, range(8, 9))
    assert found(tmp_path) == [("headless", f"{path.name}:4", 4, 4)]
    for one in (path, tmp_path / "web-0.head"):
        one.unlink()
    assert found(tmp_path) == [("headless", "web-0", 0, 0)]


def test_a_chain_has_a_head_before_its_first_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server killed between the first entry and its head leaves nothing to be found."""
    chain = FileChain(tmp_path, "web-0", 1 << 20)
    written = chain._write_head

    def killed() -> None:
        if chain._head.seq:
            raise KeyboardInterrupt
        written()

    monkeypatch.setattr(chain, "_write_head", killed)
    with pytest.raises(KeyboardInterrupt):
        chain.append(deque([fact(0)]))
    chain.close()
    assert found(tmp_path) == []
    write(tmp_path, range(1, 3))
    assert (report(tmp_path).entries, found(tmp_path)) == (3, [])


def test_a_chain_written_anew_is_found_by_a_head_noted_before(tmp_path: Path) -> None:
    for name, numbers in (("one", range(10)), ("two", range(1, 13))):
        write(tmp_path / name, numbers)
    assert found(tmp_path / "two") == []
    noted = report(tmp_path / "one").head
    assert [one[0] for one in found(tmp_path / "two", until=noted)] == ["changed"]


def test_a_crash_within_a_line_is_mended_and_noted_and_entries_cut_off_stay_missing(tmp_path: Path) -> None:
    write(tmp_path, range(5))
    (path,) = files(tmp_path)
    with path.open("ab") as stream:
        stream.write(b'{"audit":1,"chain":"web-0","se')
    write(tmp_path, range(5, 8))
    assert [one["kind"] for one in entries(path)] == ["call"] * 5 + ["recovered"] + ["call"] * 3
    noted = entries(path)[5]
    assert (noted["dropped_bytes"], noted["missing_entries"]) == (30, 0)
    assert found(tmp_path) == []
    cut_off(path, 7)
    write(tmp_path, range(8, 11))
    assert found(tmp_path) == [("removed", f"{path.name}:8", 8, 9)]
    assert entries(path)[7]["missing_entries"] == 2


def test_processes_have_chains_of_their_own(tmp_path: Path) -> None:
    chains = [FileChain(tmp_path, "web-0", 1 << 20) for _ in range(3)]
    for number, chain in enumerate(chains):
        chain.append(deque([fact(number)]))
    assert [chain.name for chain in chains] == ["web-0", "web-0.2", "web-0.3"]
    for chain in chains:
        chain.close()
    assert [(one.name, verify(one).findings) for one in chains_at(tmp_path)] == [(c.name, []) for c in chains]


@pytest.mark.parametrize("cut_fails", [False, True])
def test_a_full_disk_leaves_no_half_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_fails: bool
) -> None:
    chain, write_all = FileChain(tmp_path, "web-0", 1 << 20), os.write
    chain.append(deque([fact(0)]))

    def full(handle: int, data: bytes) -> int:
        write_all(handle, bytes(data)[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    def fails(handle: int, size: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    pending: deque[Any] = deque([fact(1), fact(2)])
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        if cut_fails:
            patched.setattr(os, "ftruncate", fails)
        with pytest.raises(OSError, match="No space left"):
            chain.append(pending)
    assert len(pending) == 2
    chain.append(pending)
    chain.close()
    assert not pending
    told = [one["kind"] for one in entries(files(tmp_path)[0])]
    assert told == ["call", *(["recovered"] if cut_fails else []), "call", "call"]
    assert found(tmp_path) == []
