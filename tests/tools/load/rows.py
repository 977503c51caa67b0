"""Rows of the result table: measurement, target, and whether it was met."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

TARGETS = Path(__file__).resolve().parent / "targets.yaml"


@dataclass(frozen=True, slots=True)
class Measured:
    """Measurement of a scenario: a number for each round, whose median counts, or a note why there is none."""

    name: str
    rounds: tuple[float, ...]
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    text: str
    measured: float | None
    target: str
    met: bool | None
    spread: str
    notes: str


@dataclass(frozen=True, slots=True)
class Target:
    """Target of a row; `sign` is 1 for an upper bound and -1 for a lower one, 0 where nothing is promised."""

    text: str
    bound: float
    sign: int

    @classmethod
    def read(cls, given: Mapping[str, Any], quick: bool) -> Target:
        """The promise of one row of targets.yaml."""
        wider = float(given.get("quick", 1)) if quick else 1.0
        if "at_most" in given:
            return cls(given["text"], given["at_most"] * wider, 1)
        if "at_least" in given:
            return cls(given["text"], given["at_least"] / wider, -1)
        return cls(given["text"], 0.0, 0)

    def __str__(self) -> str:
        return {1: f"<= {self.bound:g}", -1: f">= {self.bound:.3g}", 0: "reported"}[self.sign]

    def met(self, measured: float) -> bool | None:
        """Return True if a measurement meets the target; None without a target."""
        return None if self.sign == 0 else measured * self.sign <= self.bound * self.sign


def targets(quick: bool) -> dict[str, Target]:
    """All promises by name, in the order of the table."""
    given = yaml.safe_load(TARGETS.read_text(encoding="utf-8"))["rows"]
    return {name: Target.read(row, quick) for name, row in given.items()}


def missed(part: Sequence[Measured] | None, promised: Mapping[str, Target]) -> bool:
    """Return True if a scenario failed or one of its measurements misses its target."""
    return part is None or any(_row(one.name, promised[one.name], one).met is False for one in part)


def joined(first: Sequence[Measured] | None, second: Sequence[Measured] | None) -> list[Measured] | None:
    """Join the rounds of a scenario that was run twice; where it failed once, those of the other time count."""
    if first is None or second is None:
        return None if second is None else list(second)
    return [
        replace(after, rounds=before.rounds + after.rounds)
        for before, after in zip(first, second, strict=True)
    ]


def judge(found: Sequence[Measured], promised: Mapping[str, Target]) -> list[Row]:
    """The rows of the table; what was promised and not measured has no number and does not count as met."""
    by_name = {one.name: one for one in found}
    return [_row(name, target, by_name.get(name)) for name, target in promised.items()]


def _row(name: str, target: Target, found: Measured | None) -> Row:
    if found is None or not found.rounds:
        why = found.notes if found else "the scenario failed"
        met = None if found else False
        return Row(name, target.text, None, str(target), met, "", f"not measured: {why}")
    measured = statistics.median(found.rounds)
    spread = f"{min(found.rounds):.3g} to {max(found.rounds):.3g}" if len(found.rounds) > 1 else ""
    return Row(name, target.text, measured, str(target), target.met(measured), spread, found.notes)


def table(rows: Sequence[Row], footer: Sequence[str]) -> str:
    """The table as text."""
    words: Callable[[Row], str] = lambda row: {True: "yes", False: "NO", None: "-"}[row.met]  # noqa: E731
    lines = [("row", "measured", "target", "met", "spread", "notes")]
    for row in rows:
        measured = "-" if row.measured is None else f"{row.measured:.3g}"
        lines.append((row.text, measured, row.target, words(row), row.spread, row.notes))
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    body = ["  ".join([*(line[c].ljust(widths[c]) for c in range(5)), line[5]]).rstrip() for line in lines]
    missing = [f"Missed: {line}" for row, line in zip(rows, body[1:], strict=True) if row.met is False]
    return "\n".join([body[0], "-" * len(body[0]), *body[1:], "", *footer, *missing])
