"""Importing the client costs little beyond Polars and loads nothing that only extras bring."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = (
    *("altair", "vl_convert", "marimo", "tqdm", "xlsxwriter", "fastexcel", "pyarrow", "pandas"),
    *("typer", "rich", "numba", "numpy", "yaml", "pytest", "sqlalchemy", "pydantic", "structlog"),
)
PROGRAM = """
import json, sys, time
start = time.process_time()
import polars
middle = time.process_time()
import tariffs.client
from tariffs.client import AsyncClient, Client, Scenario, read_table
client = Client("localhost:1")
end = time.process_time()
print(json.dumps({
    "polars": middle - start,
    "client": end - middle,
    "loaded": sorted({name.partition(".")[0] for name in sys.modules}),
    "ours": sorted(name for name in sys.modules if name.startswith(("tariffs.engine", "tariffs.service"))),
}))
"""
SECONDS = 0.25


def measured() -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_client_loads_nothing_of_the_extras() -> None:
    found = measured()
    loaded = found["loaded"]
    assert isinstance(loaded, list)
    assert {"polars", "grpc", "tariffs"} <= set(loaded)
    assert set(loaded) & set(EXTRAS) == set()
    assert found["ours"] == []


@pytest.mark.slow
def test_the_client_costs_little_beyond_polars() -> None:
    runs = [measured() for _ in range(5)]
    best = {name: min(float(str(run[name])) for run in runs) for name in ("polars", "client")}
    # Processor time of the quickest of five runs; on a slow machine Polars is the yardstick.
    assert best["client"] < max(SECONDS, 3 * best["polars"]), best


def test_modules_that_the_client_imports_by_name_exist() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "clients").rglob("*.py"))
    named = set(re.findall(r'"(tariffs\.(?:engine|service|bench)\.[a-z_.]+)"', source))
    named |= {f"tariffs.engine.{name}" for name in re.findall(r'_engine\("([a-z_.]+)"\)', source)}
    assert len(named) > 8
    assert [name for name in sorted(named) if find_spec(name) is None] == []
