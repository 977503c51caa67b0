"""The rooms of engine, service and client: few, on floors, without an arrow backward or a circle."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.packaging.room_map import Floors, arrows_of, circle_in, contracts, faults_of, room_of

ENGINE, SERVICE = "tariffs.engine", "tariffs.service"
BESIDE_ROOMS = {"__init__.py", "py.typed", "__pycache__"}
PUBLIC_OF_THE_CLIENT = {
    "async_client.py",
    "cases",
    "cli",
    "client.py",
    "config.py",
    "demo",
    "desk",
    "errors.py",
    "find",
    "mcp",
    "results",
    "scenario.py",
    "testing",
    "traffic",
}


@pytest.fixture(scope="module", params=contracts(), ids=lambda floors: floors.package)
def floors(request: pytest.FixtureRequest) -> Floors:
    found: Floors = request.param
    return found


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - BESIDE_ROOMS


def test_the_map_has_no_fault(floors: Floors) -> None:
    graph = grimp.build_graph(floors.package, cache_dir=None)
    arrows = arrows_of(graph, floors.package)
    assert faults_of(floors, arrows, circle_in(graph, floors.package)) == []
    assert {room for pair in arrows for room in pair} <= floors.rooms


def test_engine_and_service_are_small(root: Path) -> None:
    assert len(entries(root / "engine" / "tariffs" / "engine")) <= 12
    floors = {found.package: found for found in contracts()}
    assert len(floors[ENGINE].rows) <= 8
    assert len(entries(root / "service" / "tariffs" / "service")) <= 10


def test_the_client_shows_public_things_alone(root: Path) -> None:
    found = entries(root / "clients" / "python" / "tariffs" / "client")
    assert {name for name in found if not name.startswith("_")} == PUBLIC_OF_THE_CLIENT


def test_contributing_opens_with_every_room(root: Path) -> None:
    opening = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Commands")[0]
    rooms = {room for found in contracts() for room in found.rooms} - {"__main__"}
    assert {room for room in rooms if f"  {room}/" not in opening and f"  {room}.py" not in opening} == set()


def test_a_backward_arrow_and_a_circle_are_faults() -> None:
    floors = next(found for found in contracts() if found.package == ENGINE)
    graph = grimp.build_graph(ENGINE, cache_dir=None)
    graph.add_import(importer=f"{ENGINE}.law.law", imported=f"{ENGINE}.runs.impact")
    graph.add_import(importer=f"{ENGINE}.schedule.lines", imported=f"{ENGINE}.law.law")
    found = faults_of(floors, arrows_of(graph, ENGINE), circle_in(graph, ENGINE))
    assert f"{ENGINE}: law imports runs, which the contract forbids" in found
    assert f"{ENGINE}: schedule imports law, which the contract forbids" in found
    assert any(fault.startswith("circle:") for fault in found)
    assert room_of(f"{ENGINE}.law.law", ENGINE) == "law"


def test_the_command_fails_on_an_arrow_added_to_the_code(root: Path, tmp_path: Path) -> None:
    for name in ("engine", "service", "tests/packaging"):
        shutil.copytree(
            root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "data", "*.parquet")
        )
    shutil.copytree(root / "proto", tmp_path / "proto")
    shutil.copy(root / "pyproject.toml", tmp_path)
    loader = tmp_path / "engine" / "tariffs" / "engine" / "law" / "loader.py"
    loader.write_text(
        "from tariffs.engine.runs import impact\n" + loader.read_text(encoding="utf-8"), encoding="utf-8"
    )
    roots = ":".join(str(tmp_path / name) for name in ("engine", "service", "proto", "."))
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {roots.split(':')!r}\n"
         "from tests.packaging.room_map import main; sys.exit(main())"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert found.returncode == 1
    assert "law imports runs, which the contract forbids" in found.stderr
