"""Results are the same whatever the hash seed of the process, so that another process can replay them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

SEEDS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "4294967295")
DAILY = 2
"""Seeds tried in the daily run; a process takes seconds, most of it to load the law."""


def printed(seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.hash_seed"],
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


def test_hash_seeds_give_the_same_quote_table_and_attribution(scale: int) -> None:
    seeds = SEEDS if scale > 1 else SEEDS[:DAILY]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = set(pool.map(printed, seeds))
    assert len(results) == 1
    assert '"units": ["changes[1]"]' in results.pop()
