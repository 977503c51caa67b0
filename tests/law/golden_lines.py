"""Entry lines of the golden cases, for tests that ask the same lines in another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tariffs.client.cases.case_file import read_cases
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line

GOLDEN = Path(__file__).parent / "golden"
_NAMES = {"hts": "hts", "origin": "origin", "date": "entry", "value": "value", "quantity": "quantity", "unit": "unit",
          "mode": "mode"}  # fmt: skip


def read_lines() -> dict[str, dict[str, Any]]:
    """Read the line of each case by its id, which is its own among all files."""
    found: dict[str, dict[str, Any]] = {}
    for case in [case for path in sorted(GOLDEN.glob("*.yaml")) for case in read_cases(path)]:
        line = {name: case.asked.get(key, "") for key, name in _NAMES.items()}
        assert case.id not in found
        found[case.id] = line | {
            "claims": case.asked.get("claims", {}),
            "hts": line["hts"].replace(".", ""),
        }
    return found


LINES = read_lines()


def quote_of(line: dict[str, Any]) -> Quote:
    """The engine's answer for a line."""
    return quote_line(load_law(), EntryLine(**{**line, "quantity": line["quantity"] or None}))
