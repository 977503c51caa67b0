"""Check the claims of a soak and write its summary."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.tools.soak.callers import Calls
from tests.tools.soak.disturbances import Disturber
from tests.tools.soak.samples import Samples, Trend

MEMORY_GROWTH, FILES_GROWTH = 1.10, 8
"""Bounds of the line through the samples: memory as a ratio, files and threads as a number."""
_SHOWN = 12


@dataclass(frozen=True)
class Soak:
    """All that was seen.

    Attributes:
        times: begin of the calls, begin and end of the disturbances.
        left: runs on the server that did not succeed.
        logs: text of each server's log.
        incoming: files of uploads left behind.
    """

    times: tuple[float, float, float]
    calls: Calls
    disturber: Disturber
    samples: Samples
    left: Sequence[str]
    logs: dict[str, str]
    incoming: int


@dataclass(frozen=True)
class Claim:
    """A promise, what was found, and whether it held."""

    text: str
    found: str
    held: bool


def claims_of(soak: Soak) -> list[Claim]:
    """Check every promise."""
    calls, disturber = soak.calls, soak.disturber
    kept = calls.answered["runs ended"]
    unexpected = _events(soak)["unexpected error"]
    crashes = disturber.done["server killed"]
    server = soak.samples.of_server()
    memory, files, threads = (Trend.of(server, column) for column in (1, 2, 3))
    return [
        _none("idempotent calls that failed after the client's own retries", calls.failed),
        _none("results that differ from those of undisturbed servers", calls.wrong),
        Claim(
            "long runs started, and ended with the right result",
            f"{calls.started}, {kept}",
            calls.started == kept,
        ),
        _none("long runs left that did not succeed", soak.left),
        _none("disturbances from which the servers did not recover", disturber.errors),
        Claim("errors in the logs that nobody foresaw", str(unexpected), not unexpected),
        Claim(
            "uploads left behind, at most one of each server that was killed: the others remove it within two minutes",
            f"{soak.incoming} of {crashes}",
            soak.incoming <= crashes,
        ),
        Claim(
            f"memory of the steady server at the end over that after its warm-up, at most {MEMORY_GROWTH}",
            f"{memory.growth:.3f} ({memory.first:.0f} to {memory.last:.0f} MiB)",
            memory.growth <= MEMORY_GROWTH,
        ),
        Claim(
            f"open files and threads more at the end, at most {FILES_GROWTH} each",
            f"{files.last - files.first:+.1f} files of {files.first:.0f}, "
            f"{threads.last - threads.first:+.1f} threads of {threads.first:.0f}",
            max(files.last - files.first, threads.last - threads.first) <= FILES_GROWTH,
        ),
    ]


def _none(text: str, found: Sequence[str]) -> Claim:
    return Claim(text, str(len(found)), not found)


def _events(soak: Soak) -> Counter[str]:
    """Log lines of all servers by their event."""
    found: Counter[str] = Counter()
    for text in soak.logs.values():
        for line in text.splitlines():
            if line.startswith("{"):
                found[str(json.loads(line).get("event"))] += 1
            elif line.startswith("Traceback"):
                found["traceback outside the log"] += 1
    return found


def _tail(soak: Soak, kind: str, *spans: tuple[float, float]) -> str:
    seconds = [
        took
        for at, took in soak.calls.seconds.get(kind, [])
        if any(begin <= at < end for begin, end in spans)
    ]
    if not seconds:
        return "-"
    p50, p99, most = (1000 * float(value) for value in (*np.percentile(seconds, (50, 99)), max(seconds)))
    return f"{len(seconds):,} calls, p50 {p50:.1f} ms, p99 {p99:.0f} ms, slowest {most:.0f} ms"


def _tails(soak: Soak) -> list[str]:
    """Rows of quotes by what disturbed the servers at their beginning."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for name, begin, end in soak.disturber.lasted:
        spans.setdefault(name, []).append((begin, end))
    return [f"| while: {name} | {_tail(soak, 'quotes', *own)} |" for name, own in sorted(spans.items())]


def summary(soak: Soak, claims: Sequence[Claim]) -> str:
    """The summary as Markdown."""
    begun, disturbed, ended = soak.times
    calls = soak.calls
    lines = [
        f"{(ended - disturbed) / 60:.0f} minutes, {os.cpu_count()} cores shared by clients, servers and database, "
        f"load average at the end {os.getloadavg()[2]:.1f} (15 minutes).",
        "",
        "| promise | found | held |",
        "|---|---|---|",
        *(f"| {claim.text} | {claim.found} | {'yes' if claim.held else '**no**'} |" for claim in claims),
        "",
        "| disturbance | times |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in sorted(soak.disturber.done.items())),
        "",
        "| calls | answered |",
        "|---|---|",
        *(f"| {kind} | {count:,} |" for kind, count in sorted(calls.answered.items())),
        f"| broken: calls that are not idempotent, streams of lines | {len(calls.broken):,} |",
        "",
        "| quotes, from the client | |",
        "|---|---|",
        f"| before the disturbances, {disturbed - begun:.0f} s | {_tail(soak, 'quotes', (begun, disturbed))} |",
        f"| during them | {_tail(soak, 'quotes', (disturbed, ended))} |",
        *_tails(soak),
        "",
        "| process of the steady server | memory | an hour | open files | threads |",
        "|---|---|---|---|---|",
        *_processes(soak.samples),
        "",
        "| log lines of all servers | times |",
        "|---|---|",
        *(f"| {event} | {count} |" for event, count in sorted(_events(soak).items())),
        "",
    ]
    for title, found in (
        ("Failed", calls.failed),
        ("Wrong", calls.wrong),
        ("Broken", calls.broken),
        ("Not recovered", soak.disturber.errors),
        ("Left", list(soak.left)),
    ):
        if found:
            lines += [
                f"{title}, the first of {len(found)}:",
                "",
                *(f"- {text}" for text in found[:_SHOWN]),
                "",
            ]
    return "\n".join(lines)


def _processes(samples: Samples) -> list[str]:
    rows = [("server", samples.of_server())]
    rows += [(f"worker, {own[-1][0] - own[0][0]:.0f} s", own) for own in samples.of_workers()[:4]]
    made = []
    for name, own in rows:
        memory, files, threads = (Trend.of(own, column) for column in (1, 2, 3))
        made.append(
            f"| {name} | {memory.first:.0f} to {memory.last:.0f} MiB | {memory.an_hour:+.0f} MiB | "
            f"{files.first:.0f} to {files.last:.0f} | {threads.first:.0f} to {threads.last:.0f} |"
        )
    return made
