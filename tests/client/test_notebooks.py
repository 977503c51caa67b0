"""The notebooks of the docs run as scripts and give the same figures in this process and against a server."""

from __future__ import annotations

import runpy
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tariffs.client import Client

pytest.importorskip("marimo", reason="the extra `notebook` is not installed")
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))


@pytest.fixture(scope="module")
def local() -> Iterator[Client]:
    with Client.local() as client:
        yield client


def frames_of(names: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """All frames among the names that a notebook defines, and those of its results."""
    found = {name: value for name, value in names.items() if isinstance(value, pl.DataFrame)}
    for name, value in names.items():
        if is_dataclass(value) and not isinstance(value, type):
            parts = {field.name: getattr(value, field.name) for field in fields(value)}
            found |= {f"{name}.{part}": one for part, one in parts.items() if isinstance(one, pl.DataFrame)}
    return found


def figures(notebook: Path, client: Client) -> dict[str, pl.DataFrame]:
    _, names = runpy.run_path(str(notebook))["app"].run(defs={"client": client})
    return frames_of(names)


def test_there_are_five() -> None:
    assert len(NOTEBOOKS) == 5


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_figures_are_the_same_in_process_and_from_a_server(
    notebook: Path, local: Client, server: str
) -> None:
    here = figures(notebook, local)
    with Client(server) as remote:
        there = figures(notebook, remote)
    assert len(here) >= 5
    assert list(here) == list(there)
    for name, frame in here.items():
        assert_frame_equal(frame, there[name], check_exact=True)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_text_has_no_marimo_error_and_ends_with_the_law(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    assert 'provenance["law_version"]' in text
    assert "not rulings" in text
