"""`python -m tests.tools.fuzz --inputs N [--first SEED]`: make hostile calls in this process and count their outcomes.

The same seeds make the same calls. Exits with 1 if a call raised what no caller may get; its seed is printed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence

import psutil

from tests.tools.fuzz import in_process, requests
from tests.tools.load.servers import MIB

LIGHT_SHARE = 12
"""Calls of a method for each call of one that computes for milliseconds."""
PART = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=PART)
    parser.add_argument("--first", type=int, default=0, help="seed of the first call")
    given = parser.parse_args(arguments)
    names = [
        name for name in in_process.names() for _ in range(1 if name in in_process.SLOW else LIGHT_SHARE)
    ]
    outcomes: Counter[str] = Counter()
    faults: dict[str, int] = {}
    begun = time.monotonic()
    for number, seed in enumerate(range(given.first, given.first + given.inputs), 1):
        name = random.Random(seed).choice(names)
        found = _outcome(name, seed)
        outcomes[found] += 1
        if found.startswith("!") and found not in faults:
            faults[found] = seed
            _print({"fault": found, "seed": seed})
        if number % PART == 0 or number == given.inputs:
            memory = psutil.Process().memory_info().rss / MIB
            _print({"inputs": number, "seconds": round(time.monotonic() - begun), "mib": round(memory)})
    _print({"outcomes": dict(outcomes.most_common()), "faults": faults})
    return int(bool(faults))


def _outcome(name: str, seed: int) -> str:
    try:
        return in_process.outcome(name, requests.bodies_from(name, requests.choices(seed)))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"! {name} {type(error).__name__} {str(error)[:160]}"


def _print(record: object) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
