"""Convert worked cases of other calculators' public tests into the project's compact table.

`python -m tests.law.peers.convert FILE` writes cases.csv beside this module from a file of JSON lines. Facts alone are
kept: the entry line, the headings and amounts its source asserts, and the verdict of the comparison.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases.csv"
COLUMNS = (
    "id", "source", "hts", "origin", "date", "value", "claims", "quantity", "unit", "total", "charged", "zero",
    "absent", "verdict",
)  # fmt: skip
VERDICTS = {
    "agree": "agree",
    "soft": "soft",
    "ours wrong": "ours_wrong",
    "our data lacks it": "ours_lacking",
    "peer wrong": "peer_wrong",
    "open": "open",
    "facts expressed otherwise": "other_facts",
    "outside coverage or knowledge day": "outside",
}


def rows(lines: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Rows of the table, in the order of COLUMNS, from JSON lines; a public source keeps its name."""
    for line in lines:
        raw: dict[str, Any] = json.loads(line)
        expect = raw["expect"]
        yield (
            raw["id"],
            raw["source"],
            raw["hts"].replace(".", ""),
            raw["origin"],
            raw["date"],
            str(raw["value"]),
            _pairs(raw["claims"]),
            _text(raw["quantity"]),
            _text(raw["unit"]),
            _text(expect["total"]),
            _pairs(expect["charged"]),
            " ".join(expect["zero"]),
            " ".join(expect["absent"]),
            VERDICTS[raw["verdict"]],
        )


def _pairs(mapping: dict[str, Any]) -> str:
    return " ".join(f"{key}={_text(value)}" for key, value in mapping.items())


def _text(value: object) -> str:
    return "" if value is None else str(value)


def main(source: Path) -> None:
    """Write the table from a file of JSON lines."""
    with source.open(encoding="utf-8") as lines, CASES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
