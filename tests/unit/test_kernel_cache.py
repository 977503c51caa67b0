"""Compiled kernels are kept between processes, and no state of the cache stops a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tariffs.engine.base import kernel_cache

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


def test_a_directory_that_cannot_be_made_only_costs_a_compile(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert hits(blocked) == 0


def test_a_shipped_cache_is_read_where_it_cannot_be_written(tmp_path: Path) -> None:
    shipped, empty = tmp_path / "shipped", tmp_path / "empty"
    assert hits(shipped) == 0
    before = {path: path.read_bytes() for path in shipped.rglob("*.nb?")}
    assert hits(shipped, COMPILED + UNWRITABLE) == 1
    assert {path: path.read_bytes() for path in shipped.rglob("*.nb?")} == before
    # A kernel that was not shipped is compiled, and kept nowhere.
    assert hits(empty, UNWRITABLE) == 0
    assert not empty.exists()


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
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert kernel_cache.cache_directory() == tmp_path / kernel_cache.kernels_digest()[:16]
    monkeypatch.setattr(kernel_cache, "kernels_digest", lambda: "f" * 64)
    assert kernel_cache.cache_directory() == tmp_path / ("f" * 16)
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernel_cache.cache_directory().parent == tmp_path / "tariffs" / "kernels"
