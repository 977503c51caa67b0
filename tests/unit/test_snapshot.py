"""Snapshots give the same bits as what they were made of, and no state of their files stops or changes an answer."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.base import snapshot
from tariffs.engine.base.packed_arrays import pack, unpack
from tariffs.engine.law import load_law, read_raw
from tariffs.engine.law.loader import digest_of
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import parse_scenario
from tariffs.engine.scenario.named import HERE, library, library_of
from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.lines import Schedule, load_schedule
from tariffs.engine.tables import prepare
from tariffs.engine.tables.kept_table import kept_table
from tariffs.engine.tables.trade_table import check_table

KEY = "0123456789abcdef" * 4
HEAD = "schema: tariffs.scenario/v1\nbasis: hypothesis\ntitle: Test\n"
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


def test_a_directory_that_cannot_be_made_only_costs_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(blocked))
    assert [kept(), kept()] == [(VALUE, 1), (VALUE, 1)]


def test_a_file_that_cannot_be_replaced_leaves_no_part(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert [kept(), kept()] == [(VALUE, 1), (VALUE, 1)]
    assert list(directory.iterdir()) == []


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
    for name, array in arrays.items():
        same_bits(array, read[name])
    with pytest.raises(ValueError, match="objects"):
        pack({}, {"objects": np.array([open], dtype=object)})


def same_bits(one: Any, other: Any, place: str = "") -> None:
    """Compare everything that two values hold, arrays by bits, and by what numba tells them apart by."""
    assert type(one) is type(other), place
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()), place
        flags = attrgetter("writeable", "aligned", "c_contiguous")
        assert flags(one.flags) == flags(other.flags), place
    elif isinstance(one, pl.DataFrame):
        assert one.schema == other.schema, place
        assert one.equals(other), place
    elif isinstance(one, pl.Series):
        assert (one.name, one.dtype) == (other.name, other.dtype), place
        assert one.equals(other), place
    elif dataclasses.is_dataclass(one):
        for each in dataclasses.fields(one):
            same_bits(getattr(one, each.name), getattr(other, each.name), f"{place}.{each.name}")
    elif isinstance(one, dict):
        assert list(one) == list(other), place
        for name in one:
            same_bits(one[name], other[name], f"{place}.{name}")
    else:
        assert one == other, place


def test_the_table_of_the_snapshot_is_the_prepared_one(directory: Path) -> None:
    law = load_law()
    checked = check_table(reference_data.reference_table(), prepare._rules(law))
    prepared = prepare._prepare(checked, law, reference_data.baseline().isoformat())
    kept_table("facts", law.claims, lambda: vars(prepared))
    assert list(directory.glob("table-*"))
    same_bits(prepared, prepare.PreparedTable(**kept_table("facts", law.claims, unmade)))


def unmade() -> Any:
    raise AssertionError("the snapshot is there")


def test_the_law_of_the_snapshot_is_that_of_the_files(directory: Path) -> None:
    made = load_law.__wrapped__()
    (path,) = directory.glob("law-*")
    raw, digest = json.loads(path.read_bytes()[snapshot.HEAD :])
    assert json.dumps(raw) == json.dumps(read_raw())
    assert made.digest == digest == load_law.__wrapped__().digest == digest_of(read_raw())


def test_the_schedule_of_the_snapshot_is_that_of_the_files(directory: Path) -> None:
    made, read = (editions(load_schedule.__wrapped__()) for _ in range(2))
    assert made == read
    assert list(directory.glob("schedule-*"))


def editions(schedule: Schedule) -> list[Any]:
    return [(one.name, one.start, dict(one.lines), one.codes) for one in schedule._vintages]


def test_scenarios_of_snapshots_are_those_of_their_files(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = library_of(HERE)
    assert dict(library.__wrapped__()) == files
    for reader in ("schema", "yaml_positions"):
        monkeypatch.setitem(sys.modules, f"tariffs.engine.scenario.{reader}", None)
    kept = dict(library.__wrapped__())
    assert kept == files
    assert {name: one.places for name, one in kept.items()} == {
        name: one.places for name, one in files.items()
    }
    assert len(list(directory.glob("*.scenario-*"))) == len(files)


def test_a_run_on_the_adjustment_path_has_the_same_bits_with_snapshots(directory: Path) -> None:
    text = f"{HEAD}id: shares\nchanges: [{{op: set_switch, name: usmca_basis, value: '2024'}}]\n"
    points = [Point(library()["forced-labor-zero-on-china"], ""), Point(parse_scenario(text, "test"), "")]
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
