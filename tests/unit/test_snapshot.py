"""Kernels and snapshots kept between processes give the same bits, whatever the state of their files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tariffs.engine.base import kernel_cache, snapshot
from tariffs.engine.base.packed_arrays import pack, unpack
from tariffs.engine.law import load_law, read_raw
from tariffs.engine.law.loader import digest_of
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario.named import HERE, library, library_of
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.tables import prepare
from tests.unit.scenario_tables import written

PROGRAM = """
import numpy as np
from tariffs.engine.response.kernels.armington import growth
assert abs(growth(0.5, 2.0) - (np.e - 1.0) / 2.0) < 1e-15
print(sum(growth.compiled.stats.cache_hits.values()))
"""


UNWRITABLE = """
from tariffs.engine.base import kernel_cache
kernel_cache._is_writable = lambda directory: False
"""

COMPILED = """
from numba.core.cpu import CPUContext
def refuse(self): raise AssertionError("a kernel is compiled")
CPUContext.load_additional_registries = refuse
"""
EVERY_KERNEL = "from tariffs.service.server.warmup import fill_caches; fill_caches()"


def hits(directory: Path, before: str = "") -> int:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(directory)}
    done = subprocess.run(
        [sys.executable, "-c", before + PROGRAM], env=environment, check=True, capture_output=True, text=True
    )
    assert not done.stderr
    return int(done.stdout)


@pytest.mark.slow
def test_the_second_process_loads_what_the_first_compiled(tmp_path: Path) -> None:
    assert hits(tmp_path) == 0
    assert hits(tmp_path) == 1
    for kept in tmp_path.rglob("*.nb?"):
        kept.write_bytes(kept.read_bytes()[:40])
    assert hits(tmp_path) == 0
    assert hits(tmp_path) == 1


def test_a_shipped_cache_is_read_where_it_cannot_be_written_and_none_only_costs_a_compile(
    tmp_path: Path,
) -> None:
    shipped, empty = tmp_path / "shipped", tmp_path / "empty"
    assert hits(shipped) == 0
    before = {path: path.read_bytes() for path in shipped.rglob("*.nb?")}
    assert hits(shipped, COMPILED + UNWRITABLE) == 1
    assert {path: path.read_bytes() for path in shipped.rglob("*.nb?")} == before
    # A kernel that was not shipped is compiled, and kept nowhere.
    assert hits(empty, UNWRITABLE) == 0
    assert not empty.exists()
    (tmp_path / "file").write_text("")
    assert hits(tmp_path / "file") == 0  # no directory can be made there


@pytest.mark.slow
def test_no_kernel_needs_what_compiles_it() -> None:
    for program in (EVERY_KERNEL, COMPILED + EVERY_KERNEL):
        subprocess.run([sys.executable, "-c", program], check=True)


def test_the_setting_of_other_kernels_is_left_as_it_was() -> None:
    text = (
        "import numba; numba.config.CACHE_LOCATOR_CLASSES = 'UserWideCacheLocator'\n"
        "from tariffs.engine.response.kernels.armington import growth\n"
        "growth.compiled\n"
        "assert numba.config.CACHE_LOCATOR_CLASSES == 'UserWideCacheLocator'\n"
    )
    subprocess.run([sys.executable, "-c", text], check=True)


def test_the_directory_changes_with_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, digests = tmp_path / "response" / "kernels" / "lanes.py", set()
    kernel.parent.mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(kernel_cache, "__file__", str(tmp_path / "base" / "kernel_cache.py"))
        for text in ("one", "another"):
            kernel.write_text(text)
            digests.add(kernel_cache.kernels_digest.__wrapped__())
    assert len(digests) == 2
    using = {path for path in snapshot.ENGINE.rglob("*.py") if b"import jit" in path.read_bytes()}
    assert set() < using <= set(kernel_cache.kernel_sources())
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert kernel_cache.cache_directory() == tmp_path / kernel_cache.kernels_digest()[:16]
    monkeypatch.setattr(kernel_cache, "kernels_digest", lambda: "f" * 64)
    assert kernel_cache.cache_directory() == tmp_path / ("f" * 16)
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernel_cache.cache_directory().parent == tmp_path / "tariffs" / "kernels"


KEY = "0123456789abcdef" * 4
VALUE = {"rate": 0.1, "texts": ["ä", "", '"'], "none": None}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return snapshot.snapshot_directory()


def kept() -> tuple[Any, int]:
    """Value of the snapshot, and how often it was made."""
    made = []

    def make() -> Any:
        made.append(1)
        return VALUE

    return snapshot.kept_json("value", KEY, make), len(made)


def test_a_value_is_made_once_for_each_key(directory: Path) -> None:
    assert [kept(), kept()] == [(VALUE, 1), (VALUE, 0)]
    assert snapshot.kept_json("value", "f" * 64, lambda: 2) == 2
    assert [path.suffix for path in directory.iterdir()] == [snapshot.SUFFIX] * 2


def test_a_damaged_file_is_as_none_and_is_replaced(directory: Path) -> None:
    kept()
    (path,) = directory.iterdir()
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]):
            path.write_bytes(damaged)
            assert snapshot.read_snapshot("value", KEY) is None
    path.write_bytes(whole + b"0")
    assert kept() == (VALUE, 1)
    assert path.read_bytes() == whole


def test_a_directory_or_a_file_that_cannot_be_made_only_costs_the_work(
    directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert [kept(), kept()] == [(VALUE, 1), (VALUE, 1)]
    assert list(directory.iterdir()) == []  # no part of a file is left
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "blocked"))
    assert [kept(), kept()] == [(VALUE, 1), (VALUE, 1)]


def test_processes_that_write_and_read_at_once_meet_whole_files_alone(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from tariffs.engine.base.snapshot import read_snapshot, write_snapshot\n"
        "texts = [bytes([65 + n]) * 300_000 for n in range(2)]\n"
        f"key = {KEY!r}\n"
        "for n in range(150):\n"
        "    write_snapshot('value', key, (texts[int(sys.argv[1])],))\n"
        "    assert bytes(read_snapshot('value', key)) in texts\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    running = [subprocess.Popen([sys.executable, "-c", program, n], env=environment) for n in "01"]
    assert [one.wait() for one in running] == [0, 0]
    assert len(list((tmp_path / "snapshots").iterdir())) == 1


def test_only_the_newest_files_of_a_name_stay(directory: Path) -> None:
    for place in range(7):
        snapshot.write_snapshot("value", f"{place}" * 64, (b"0",))
        os.utime(snapshot._path("value", f"{place}" * 64), (place, place))
    assert sorted(path.name[6] for path in directory.iterdir()) == ["2", "3", "4", "5", "6"]


def test_packed_arrays_have_the_same_bits_and_flags(directory: Path) -> None:
    fixed = np.array([1.5, np.nan])
    fixed.flags.writeable = False
    arrays = {
        "numbers": np.array([[0.0, -0.0], [np.nan, 1e-310]]),
        "zeros": np.zeros((3, 2)),
        "negative zeros": np.full(3, -0.0),
        "ones": np.ones(4, np.int32),
        "none": np.zeros((0, 3), np.int64),
        "one": np.array([7], np.int8),
        "marks": np.array([True, False]),
        "fixed": fixed,
    }
    document, read = unpack(memoryview(bytearray(b"".join(pack({"a": [1]}, arrays)))))
    assert document == {"a": [1]}
    assert list(read) == list(arrays)
    flags = attrgetter("writeable", "aligned", "c_contiguous")
    for name, array in arrays.items():
        other = read[name]
        assert (type(array), array.dtype, array.shape) == (type(other), other.dtype, other.shape)
        assert array.tobytes() == other.tobytes()
        assert flags(array.flags) == flags(other.flags)  # by which numba tells arrays apart
    with pytest.raises(ValueError, match="objects"):
        pack({}, {"objects": np.array([open], dtype=object)})


def test_the_law_of_the_snapshot_is_that_of_the_files(directory: Path) -> None:
    made = load_law.__wrapped__()
    (path,) = directory.glob("law-*")
    raw, digest = json.loads(path.read_bytes()[snapshot.HEAD :])
    assert json.dumps(raw) == json.dumps(read_raw())
    assert made.digest == digest == load_law.__wrapped__().digest == digest_of(read_raw())


def test_the_schedule_of_the_snapshot_is_that_of_the_files(directory: Path) -> None:
    made, read = (
        [(one.name, one.start, dict(one.lines), one.codes) for one in load_schedule.__wrapped__()._vintages]
        for _ in range(2)
    )
    assert made == read
    assert list(directory.glob("schedule-*"))


def test_scenarios_of_snapshots_are_those_of_their_files(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = library_of(HERE)
    assert dict(library.__wrapped__()) == files
    for reader in ("schema", "yaml_positions"):
        monkeypatch.setitem(sys.modules, f"tariffs.engine.scenario.{reader}", None)
    kept = dict(library.__wrapped__())
    assert kept == files
    assert [one.places for one in kept.values()] == [files[name].places for name in kept]
    assert len(list(directory.glob("*.scenario-*"))) == len(files)


def test_a_run_on_the_adjustment_path_has_the_same_bits_with_snapshots(directory: Path) -> None:
    rebased = written("{op: set_switch, name: usmca_basis, value: '2024'}")
    points = [Point(library()["forced-labor-zero-on-china"], ""), Point(rebased, "")]
    results = []
    for _ in range(2):
        prepare._EMBEDDED.clear()
        results.append(
            impact(None, points, law=load_law(), options=Options(by=("origin",), baseline="2026-11-01"))
        )
    assert {path.name.partition("-")[0] for path in directory.iterdir()} >= {"table", "moves"}
    assert len(list(directory.glob("moves-*"))) == len(points)
    for made, read in zip(*(one.scenarios for one in results), strict=True):
        assert made.groups.equals(read.groups)
        assert made.total == read.total
