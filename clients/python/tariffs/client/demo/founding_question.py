"""Run the demo: start a server, call it, print and write the result, end the server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from tariffs.client._wire.frames import write_table
from tariffs.client._wire.server_process import server_process
from tariffs.client.cli.render.impact import print_points
from tariffs.client.cli.render.table import console
from tariffs.client.client import Client
from tariffs.client.results.impact import ImpactResult
from tariffs.client.scenario import Scenario

KEPT, LAPSED, NO_DEAL, LAPSES = (
    "ieepa-upheld-truce-kept",
    "ieepa-upheld-truce-lapsed",
    "no-kuala-lumpur-deal",
    "truce-lapses",
)
NOW, THEN, NEXT = "2026-11-20", "2025-12-01", "2027-01-11"
CHINA = "CN"
RUNS = (
    ("base", NOW),
    (KEPT, NOW),
    (LAPSED, NOW),
    ("base", THEN),
    (NO_DEAL, THEN),
    ("base", NEXT),
    (LAPSES, NEXT),
)
SHOWN_RUNS = RUNS[:5]
_READY_SECONDS = 240.0
_RUN_SECONDS = 280.0
_GROUPS = 8


def run(folder: Path, say: Callable[[str], None]) -> ImpactResult:
    """Start a server, run the scenarios, print the result and write `summary.json` and `lines.parquet`.

    Args:
        folder: folder for the files.
        say: called with a line of text for each step.

    Raises:
        TariffsError: the server does not start, or the run fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with server_process(folder / "server.log", _READY_SECONDS, say) as target, Client(target) as client:
        result = client.impact(
            scenarios=[Scenario.named(name).on(day) for name, day in RUNS],
            by=["origin"],
            include_lines=True,
            progress=_DemoSteps(say),
            timeout=_RUN_SECONDS,
        )
        print_points(console(), result, SHOWN_RUNS, _GROUPS)
        _conclude(result, _why_nothing(client, result), say)
    _write(result, folder, say)
    say(f"Done in {time.monotonic() - started:.0f} s; the server has ended.")
    return result


def _conclude(result: ImpactResult, why: str, say: Callable[[str], None]) -> None:
    """Print the measured changes: static, then after the response, with its model, horizon and set."""
    made = cast(Mapping[str, object], result.provenance["details"])
    say(
        f"\nA year of US imports at the values of 2024; trade response of the model {made['response']}, "
        f"horizon {made['horizon']}, parameter set {made['parameters']}:"
    )
    say(
        f"  - had the IEEPA duties stood, a lapse of the truce would add {_change(result, NOW, LAPSED, KEPT)};"
    )
    say(f"    over all goods of China {_points(result, NOW, LAPSED, KEPT)};")
    say(
        f"  - without the Kuala Lumpur deal, duty on {THEN} would be higher by {_change(result, THEN, NO_DEAL)};"
    )
    void = _duty(result, "base", THEN) - _duty(result, "base", THEN, "duty_owed")
    say(
        f"  - of the duty at the rates of {THEN}, {_billion(void)} is under void acts: assessed on a year of imports "
        "and not owed (not an estimate of refunds);"
    )
    nothing = _duty(result, LAPSES, NEXT) - _duty(result, "base", NEXT)
    say(f"  - truce-lapses changes US duty on {NEXT} by {_billion(nothing)}: {why}")


def _change(result: ImpactResult, on: str, scenario: str, other: str = "base") -> str:
    before, after = (
        _duty(result, scenario, on, column) - _duty(result, other, on, column)
        for column in ("duty", "duty_after")
    )
    return f"{_billion(before)}, {_billion(after)} after the response"


def _points(result: ImpactResult, on: str, scenario: str, other: str) -> str:
    """Describe the change of the mean rate on goods of China, before and after the response, in percentage points."""
    rows = [
        result.groups.filter(scenario=name, on=on, origin=CHINA).row(0, named=True)
        for name in (scenario, other)
    ]
    before, after = (rows[0][name] - rows[1][name] for name in ("effective_rate", "effective_rate_after"))
    return f"the mean rate would be {100 * before:.1f} points higher, {100 * after:.1f} after the response"


def _why_nothing(client: Client, result: ImpactResult) -> str:
    about = [note for note in result.notes if note.scenario == LAPSES]
    void = next((note.message for note in about if note.reason == "PARENT_VOID"), "")
    if void:
        return void
    problems = client.check(Scenario.named(LAPSES)).problems
    return next((problem.message for problem in problems), "the law gives no reason.")


def _duty(result: ImpactResult, scenario: str, on: str, column: str = "duty") -> float:
    rows = result.total.filter(scenario=scenario, on=on)
    return float(rows[column].item())


def _billion(dollars: float) -> str:
    return f"USD {dollars / 1e9:,.1f} bn"


def _write(result: ImpactResult, folder: Path, say: Callable[[str], None]) -> None:
    summary, lines = folder / "summary.json", folder / "lines.parquet"
    refused = folder / "refused.csv" if result.refused.height else None
    if refused is not None:
        write_table(result.refused, refused, result.provenance)
    document = result.to_json_dict(str(refused) if refused else None)
    summary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    say(f"\nWrote {summary}: {result.total.height} scenarios and dates, {result.groups.height:,} group rows.")
    if result.lines is not None:
        write_table(result.lines, lines, result.provenance)
        say(f"Wrote {lines}: {result.lines.height:,} lines.")


class _DemoSteps:
    """Progress as lines of text: one for each stage and each 20 percent."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last: tuple[str, int] = ("", -1)

    def __call__(self, stage: str, fraction: float) -> None:
        step = (stage, int(fraction * 5))
        if step != self._last:
            self._last = step
            self._say(f"  [{fraction:4.0%}] {stage}")
