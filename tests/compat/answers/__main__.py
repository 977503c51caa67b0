"""Compare answers to entry lines with their digests, or write them: `python -m tests.compat.answers [--write]`.

Prose, the law's digest and what is made of it are left out: words may change, answers may not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict

from tariffs.client import Client, TariffsError
from tariffs.v1 import duty_service_pb2 as pb
from tests.law.random_lines import KNOWN, random_line

FILE = Path(__file__).resolve().with_name("quotes.txt")
LINES_OF_A_BLOCK = 100
BLOCKS = 200
"""Digests; one is of a block of 100 lines."""
PROSE = frozenset({"message", "text", "why", "assumptions", "operands"})
OF_THE_LAW = frozenset({"law_version", "law_digest", "law_read_to", "engine_version", "run_digest", "call"})
UNSTABLE = PROSE | OF_THE_LAW | {"details"}
SCENARIOS = (
    "base", "base", "fentanyl-zero", "forced-labor-invalidated", "ieepa-upheld-truce-lapsed", "metals-at-25",
    "metals-by-content", "canada-338-repealed", "no-kuala-lumpur-deal", "truce-lapses", "usmca-lapses",
    "exclusions-lapse", "parity-floors", "semiconductors-widened", "russian-oil-buyers", "excess-capacity",
)  # fmt: skip
SWITCHES = (
    ("truce_extension", "off"), ("revive_displaced", "on"), ("s338_after_2026_09_15", "all"),
    ("recip_on_derivatives", "charged"), ("pharma_with_301", "displaced"), ("uk_metals", "full_rate"),
    ("usmca_basis", "2024"), ("preference_basis", "none"), ("us_content_basis", "0"),
)  # fmt: skip


@cache
def client() -> Client:
    """The client that answers, in this process."""
    return Client.local()


def quotes(dice: random.Random) -> object:
    """Answers to 100 lines: most in a batch, the last five one by one with what was considered."""
    days = [random_line(dice)["entry"] for _ in range(4)]
    lines = [wire_line(random_line(dice), dice.choice(days)) for _ in range(LINES_OF_A_BLOCK)]
    shared = {
        "scenario": {"name": dice.choice(SCENARIOS)},
        "known_on": dice.choice((*KNOWN, "entry")),
        "switches": dict([dice.choice(SWITCHES)]) if dice.random() < 0.3 else {},
    }
    batch = ParseDict({"lines": lines[:-5], **shared}, pb.BatchCalculateDutiesRequest())
    found = [_asked("BatchCalculateDuties", batch)]
    for line in lines[-5:]:
        request = ParseDict({"line": line, "explain": True, **shared}, pb.CalculateDutyRequest())
        found.append(_asked("CalculateDuty", request))
    return found


def wire_line(line: Mapping[str, Any], day: str) -> dict[str, Any]:
    """A line of trade on a day in the JSON form of the wire, in the unit of its ordinary duty."""
    told = {"hts": line["hts"], "origin": line["origin"], "entry": day, "customs_value": line["value"]}
    told |= {"mode": f"TRANSPORT_MODE_{line['mode'].upper()}"} if line["mode"] else {}
    return {**told, "quantity": line["quantity"], "claims": {"others": line["claims"]}}


def digest(number: int) -> str:
    """The digest of one random block."""
    text = json.dumps(plain(quotes(random.Random(f"quotes {number}"))), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def differences(numbers: Iterable[int]) -> list[int]:
    """Numbers of the blocks that are no longer what was recorded."""
    known = FILE.read_text(encoding="utf-8").split()
    return [number for number in numbers if digest(number) != known[number]]


def plain(value: object) -> object:
    """A value of an answer without prose; numbers as JSON holds them exactly."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items() if key not in UNSTABLE}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value.hex() if isinstance(value, float) else value


def _asked(method: str, request: Any) -> object:
    try:
        answer = client()._backend.unary(method, request, 120.0)
        return MessageToDict(answer, preserving_proto_field_name=True)
    except TariffsError as error:
        return {"reason": error.reason, "field": error.field}


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare or write; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.compat.answers", description=__doc__)
    parser.add_argument("--write", action="store_true", help="record the answers of this code")
    if parser.parse_args(arguments).write:
        FILE.write_text("\n".join(map(digest, range(BLOCKS))) + "\n", encoding="utf-8")
        return 0
    found = differences(range(BLOCKS))
    sys.stdout.write(f"{len(found)} differ {found[:20]}\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
