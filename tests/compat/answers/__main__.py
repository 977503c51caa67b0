"""Compare answers to entry lines with their digests, or write them: `python -m tests.compat.answers [--write]`.

Prose, the law's digest and what is made of it are left out: words may change, answers may not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from google.protobuf.json_format import MessageToDict, ParseDict

from tariffs.client import Client, TariffsError
from tariffs.v1 import duty_service_pb2 as pb
from tests.compat.answers import draws

FILE = Path(__file__).resolve().with_name("quotes.txt")
LINES_OF_A_BLOCK = 100
BLOCKS = 200
"""Digests; one is of a block of 100 lines."""
PROSE = frozenset({"message", "text", "why", "assumptions", "operands"})
OF_THE_LAW = frozenset({"law_version", "law_digest", "law_read_to", "engine_version", "run_digest", "call"})
UNSTABLE = PROSE | OF_THE_LAW | {"details"}


@cache
def client() -> Client:
    """The client that answers, in this process."""
    return Client.local()


def quotes(dice: random.Random) -> object:
    """Answers to 100 lines: most in a batch, the last five one by one with what was considered."""
    days = draws.entry_days(dice)
    lines = [draws.entry_line(dice, days) for _ in range(LINES_OF_A_BLOCK)]
    shared, single = draws.terms(dice), lines[-5:]
    batch = ParseDict({"lines": lines[:-5], **shared}, pb.BatchCalculateDutiesRequest())
    found = [_without_headings(_asked("BatchCalculateDuties", batch))]
    for line in single:
        request = ParseDict({"line": line, "explain": True, **shared}, pb.CalculateDutyRequest())
        found.append(_asked("CalculateDuty", request))
    return found


def _without_headings(answer: Any) -> object:
    """Leave out headings, which batches did not give when the digests were recorded; single lines are held to them."""
    for one in answer.get("quotes", ()):
        one.get("quote", {}).pop("headings", None)
    return answer


def digest(number: int) -> str:
    """The digest of one random block."""
    text = json.dumps(plain(quotes(random.Random(f"quotes {number}"))), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def recorded() -> list[str]:
    """The digests that were written."""
    return FILE.read_text(encoding="utf-8").split()


def differences(numbers: Iterable[int]) -> list[int]:
    """Numbers of the blocks that are no longer what was recorded."""
    known = recorded()
    return [number for number in numbers if digest(number) != known[number]]


def plain(value: object) -> object:
    """A value as JSON holds it exactly, without prose; unordered parts in an order of their own."""
    if isinstance(value, pl.DataFrame):
        return [plain(row) for row in value.to_dicts()]
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items() if key not in UNSTABLE}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return value.hex()
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _asked(method: str, request: Any) -> object:
    return _told(lambda: client()._backend.unary(method, request, 120.0))


def _told(call: Callable[[], Any]) -> object:
    try:
        return MessageToDict(call(), preserving_proto_field_name=True)
    except TariffsError as error:
        return {"reason": error.reason, "field": error.field}


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare or write; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.compat.answers", description=__doc__)
    parser.add_argument("--write", action="store_true", help="record the answers of this code")
    parser.add_argument("--part", default="0/1", help="every N-th answer from the K-th, as K/N")
    given = parser.parse_args(arguments)
    first, step = map(int, given.part.split("/"))
    if given.write:
        FILE.write_text("\n".join(map(digest, range(BLOCKS))) + "\n", encoding="utf-8")
        return 0
    found = differences(range(first, BLOCKS, step))
    sys.stdout.write(f"{len(found)} differ {found[:20]}\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
