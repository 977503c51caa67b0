"""What a reader gets from `pip install tariffs`: one name, all data, and a client that needs no engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging.wheel import SOURCE_ROOTS, Environment, build_wheel, install, outcome

pytestmark = [pytest.mark.wheel, pytest.mark.slow]

CONSUMER = Path(__file__).parent / "consumer"
PIP_COMMAND = "pip install 'tariffs["


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(wheel, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def with_cli(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(wheel, tmp_path_factory.mktemp("cli"), "[cli]")


def members(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [entry for entry in archive.namelist() if ".dist-info/" not in entry]


def test_the_wheel_adds_one_name_and_is_small_enough_to_ship(wheel: Path) -> None:
    assert wheel.stat().st_size < 12 * 2**20
    assert {entry.split("/")[0] for entry in members(wheel)} == {"tariffs"}
    assert "tariffs/__init__.py" not in members(wheel)


def test_every_source_and_data_file_of_the_library_is_in_the_wheel(wheel: Path, root: Path) -> None:
    kept = {
        path.relative_to(root / folder).as_posix()
        for folder in SOURCE_ROOTS
        for path in (root / folder / "tariffs").rglob("*")
        if path.is_file() and not {"__pycache__", "importers", "reference_pages"} & set(path.parts)
    }
    assert kept == set(members(wheel))
    suffixes = {Path(entry).suffix for entry in kept}
    assert suffixes >= {".py", ".pyi", ".proto", ".yaml", ".csv", ".parquet", ".typed"}


def test_the_database_is_migrated_by_the_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "wheel")
    program = (
        "from tariffs.service.storage.database import Database\n"
        "database = Database('sqlite:///state.sqlite')\n"
        "database.migrate()\n"
        "print(database.schema_state().text)"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "wheel")}
    done = outcome([sys.executable, "-c", program], tmp_path, environment)
    assert done.stdout.strip().endswith("up to date"), done.stderr


def type_check(environment: Environment, program: Path) -> subprocess.CompletedProcess[str]:
    """Check a program as its author does: in strict mode, against what is installed."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--show-error-codes"]
    command += [
        "--config-file",
        os.devnull,
        "--python-executable",
        str(environment.folder / "bin" / "python"),
    ]
    variables = {"PATH": os.environ["PATH"], "HOME": str(environment.folder)}
    return outcome([*command, program.name], program.parent, variables)


def test_an_application_is_type_checked_against_the_wheel(base: Environment, tmp_path: Path) -> None:
    program = Path(shutil.copy(CONSUMER / "consumer.py", tmp_path))
    checked = type_check(base, program)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    done = base.run("python", "-W", "error", str(program))
    assert (done.returncode, done.stdout.strip()) == (0, "5"), done.stderr


def test_mistakes_of_an_application_are_found_by_its_types(base: Environment, tmp_path: Path) -> None:
    program = Path(shutil.copy(CONSUMER / "wrong.txt", tmp_path / "wrong.py"))
    told = [line.partition("  # ")[2] for line in program.read_text(encoding="utf-8").splitlines()]
    expected = [(str(place), code) for place, code in enumerate(told, 1) if code]
    printed = type_check(base, program).stdout
    assert re.findall(r"^wrong.py:(\d+): error: .*\[([a-z-]+)\]$", printed, re.MULTILINE) == expected


def test_the_client_needs_no_engine(base: Environment) -> None:
    program = """
import importlib.util, json, sys
import tariffs.client
from tariffs.client import Client, Scenario
print(json.dumps({
    "installed": [name for name in ("numba", "numpy", "yaml", "typer") if importlib.util.find_spec(name)],
    "loaded": [name for name in sys.modules if name.startswith(("tariffs.engine", "tariffs.service"))],
}))
"""
    done = base.run("python", "-W", "error", "-c", program)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"installed": [], "loaded": []}


def test_the_client_alone_talks_to_a_server(base: Environment, server: str) -> None:
    program = """
import sys
from tariffs.client import Client
with Client(sys.argv[1]) as client:
    print(client.duty("9503.00.0073", origin="CN", entry_date="2025-05-14", value=10000).assessed)
"""
    done = base.run("python", "-W", "error", "-c", program, server)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "3000.00"


def test_what_lacks_its_extra_says_what_to_install(base: Environment, with_cli: Environment) -> None:
    done = base.run("python", "-c", "from tariffs.client import Client; Client.local()")
    assert done.returncode != 0
    assert f"{PIP_COMMAND}server]'" in done.stderr.strip().splitlines()[-1]
    line = ("duty", "9503.00.0073", "--origin", "CN", "--date", "2025-05-14", "--value", "10000", "--local")
    command, plain = base.run("tariffs", "--help"), with_cli.run("tariffs", *line)
    as_json = with_cli.run("tariffs", *line, "--json")
    for done in (command, plain, as_json):
        assert done.returncode == 3
        assert "Traceback" not in done.stderr
    assert f"{PIP_COMMAND}cli]'" in command.stderr
    assert f"{PIP_COMMAND}server]'" in plain.stderr
    assert "EXTRA_MISSING" in json.dumps(json.loads(as_json.stdout))
    taught = with_cli.run("tariffs", "--help")
    assert taught.returncode == 0
    assert "duty" in taught.stdout
