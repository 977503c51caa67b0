"""Run the demo: start a server, call it, print and write the result, end the server."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tariffs.client._wire.frames import write_table
from tariffs.client._wire.server_process import server_process
from tariffs.client.cli.render.impact import print_points
from tariffs.client.cli.render.table import console
from tariffs.client.client import Client
from tariffs.client.results.headline import assumptions
from tariffs.client.results.impact import ImpactResult, Ranges
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
SHOWN_NOW, SHOWN_THEN = RUNS[:3], RUNS[3:5]
WITHOUT_VOID = """\
schema: tariffs.scenario/v1
id: without-ieepa
title: No duty under the International Emergency Economic Powers Act
basis: hypothesis
changes:
  - {op: terminate, measures: {authority: ieepa}, at: 2025-01-02}
"""
"""Scenario whose difference from base is the duty under acts that are void from the beginning."""
DRAWS, SEED = 128, 1
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
        say("\nDrawing elasticities for the ranges ...")
        _conclude(result, client, say)
    _write(result, folder, say)
    say(f"Done in {time.monotonic() - started:.0f} s; the server has ended.")
    return result


@dataclass(frozen=True)
class _Differences:
    """Differences of scenarios from the first one of a run: static, after the response, and the range of the latter."""

    result: ImpactResult

    @classmethod
    def of(cls, client: Client, scenarios: list[Scenario]) -> _Differences:
        """Draw the scenarios, all on one day; the ranges of a run are against its first scenario."""
        return cls(
            client.impact(scenarios=scenarios, by=["origin"], draws=DRAWS, seed=SEED, timeout=_RUN_SECONDS)
        )

    def show(self, points: Sequence[tuple[str, str]]) -> None:
        """Print the tables of some scenarios, with ranges."""
        print_points(console(), self.result, points, _GROUPS)

    def duty(self, scenario: str) -> str:
        """Describe the size of the change of the total duty, in dollars; an end on the other side of 0 is negative."""
        total, ranges = self.result.total, _ranges(self.result).total
        before, after = (self._change(total, scenario, name) for name in ("duty", "duty_after"))
        unit = math.copysign(1e9, after)
        low, high = sorted(end / unit for end in self._ends(ranges, scenario, "duty_after"))
        return f"USD {before / unit:,.1f} bn static, {after / unit:,.1f} after the response ({low:,.1f} to {high:,.1f})"

    def rate(self, scenario: str, origin: str) -> str:
        """Describe the change of the mean rate on the goods of an origin, in percentage points."""
        groups, ranges = (
            frame.filter(origin=origin) for frame in (self.result.groups, _ranges(self.result).groups)
        )
        before, after = (
            self._change(groups, scenario, name) for name in ("effective_rate", "effective_rate_after")
        )
        low, high = self._ends(ranges, scenario, "effective_rate_after")
        return (
            f"{100 * before:.1f} points static, {100 * after:.1f} after the response "
            f"({100 * low:.1f} to {100 * high:.1f})"
        )

    def _change(self, rows: pl.DataFrame, scenario: str, column: str) -> float:
        first = self.result.total.row(0, named=True)["scenario"]
        now, then = (rows.filter(scenario=name)[column].item() for name in (scenario, first))
        return float(now - then)

    @staticmethod
    def _ends(ranges: pl.DataFrame, scenario: str, column: str) -> tuple[float, float]:
        """Return p5 and p95 of a change."""
        row = ranges.filter(scenario=scenario, column=column).row(0, named=True)
        return float(row["vs_p5"]), float(row["vs_p95"])


def _ranges(result: ImpactResult) -> Ranges:
    assert result.ranges is not None
    return result.ranges


def _conclude(result: ImpactResult, client: Client, say: Callable[[str], None]) -> None:
    """Print the tables, then the measured changes, each static, after the response, and with its range."""
    lapse = _Differences.of(client, [Scenario.named(name).on(NOW) for name in (KEPT, LAPSED, "base")])
    void = Scenario.from_text(WITHOUT_VOID)
    then = _Differences.of(
        client, [each.on(THEN) for each in (Scenario.base(), Scenario.named(NO_DEAL), void)]
    )
    lapse.show(SHOWN_NOW)
    then.show(SHOWN_THEN)
    nothing = (
        _duty(result, LAPSES, NEXT, name) - _duty(result, "base", NEXT, name)
        for name in ("duty", "duty_after")
    )
    before, after = nothing
    say(
        f"""
A year of US imports at the values of 2024. In brackets p5 to p95 of the figure after the response, over {DRAWS} draws
of the elasticities and of the period of USMCA claims. {assumptions(result.provenance)}
  - had the IEEPA duties stood, a lapse of the truce would add {lapse.duty(LAPSED)};
    the 24 points are on the lines covered; the mean over all goods of China rises by
    {lapse.rate(LAPSED, CHINA)};
  - without the Kuala Lumpur deal, duty on {THEN} would be higher by {then.duty(NO_DEAL)};
  - at the rates of {THEN}, void acts make up {then.duty("without-ieepa")}
    of a year's duty: assessed and not owed. This is not the refund, which is of duty paid from February 2025 to
    February 2026: about USD 166 bn (CBP, declaration of 2026-03-06 in Atmus Filtration v. United States, CIT);
  - truce-lapses changes US duty on {NEXT} by {_billion(before)} static and {_billion(after)} after the response, under
    any elasticity: {_why_nothing(client, result)}"""
    )


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
