"""Durations and sizes of each part of a load run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TOKEN_NAME, TOKEN = "load", "load-run-token-0123456789abcdef"
QUOTE = {"line": {"hts": "8504909650", "origin": "CN", "entry": "2025-11-20", "customs_value": "10000"}}
"""A line that many measures meet."""
CALLERS = 8
RATE = 400


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of one run.

    Attributes:
        folder: where servers and k6 may write.
        rounds: how often each interleaved comparison is made.
        seconds: how long each round of calls lasts.
        draws: goods drawn from trade that the server has quoted before new ones are measured.
        recorded: goods drawn from trade in the program whose calls are recorded and sent again.
        quotes, sweeps: calls whose memory is watched.
        kill_seconds, mix_seconds: how long the scenarios last in which something is killed.
        readers: readers that stop reading.
        cancels: runs ended early, each way.
        is_quick: whether the wider bounds hold.
    """

    folder: Path
    rounds: int
    seconds: float
    draws: int
    recorded: int
    quotes: int
    sweeps: int
    kill_seconds: float
    mix_seconds: float
    readers: int
    cancels: int
    is_quick: bool = False


def full(folder: Path) -> Plan:
    """The run that promises are judged by: some six minutes."""
    return Plan(folder, 3, 2.0, 20_000, 1_000, 100_000, 100, 8.0, 60.0, 2, 8)


def quick(folder: Path) -> Plan:
    """A run for every change: some four minutes."""
    return Plan(folder, 2, 1.0, 2_000, 500, 3_000, 4, 4.0, 5.0, 1, 4, is_quick=True)


def tokens_file(folder: Path) -> Path:
    """A tokens file with the one token of the run."""
    path = folder / "tokens"
    path.write_text(f"{TOKEN_NAME} {TOKEN}\n", encoding="utf-8")
    path.chmod(0o600)
    return path
