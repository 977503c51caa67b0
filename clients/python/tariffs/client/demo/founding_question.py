"""Run the demo: start a server, ask it four things, print the answers and write the files, end the server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import wrap

import polars as pl

from tariffs.client._wire.frames import write_table
from tariffs.client._wire.server_process import server_process
from tariffs.client.cli.render.quote import print_brief
from tariffs.client.cli.render.results import print_table
from tariffs.client.client import Client
from tariffs.client.results.amounts import PERCENT, three
from tariffs.client.results.impact import ImpactResult
from tariffs.client.results.short_names import spelled_out

KEPT, LAPSED, LAPSES = "ieepa-upheld-truce-kept", "ieepa-upheld-truce-lapsed", "truce-lapses"
NOW, NEXT = "2026-11-20", "2027-01-11"
SCENARIOS = (KEPT, LAPSED, "base")
SCREWS, VALUE = "7318.15.8066", 10_000
QUESTION = "What if the truce of Kuala Lumpur between the United States and China lapses?"
DRAWS, SEED = 32, 1
_READY_SECONDS = 240.0
_RUN_SECONDS = 280.0
_SHOWN, _WIDTH = 6, 100
Say = Callable[[str], None]


def run(folder: Path, say: Say) -> ImpactResult:
    """Start a server, ask it, print the answers and write summary.json, lines.parquet, report.html, workbook.xlsx.

    Args:
        folder: folder for the files.
        say: called with a line of text for each step.

    Raises:
        TariffsError: the server does not start, or a run fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with server_process(folder / "server.log", _READY_SECONDS, say) as target, Client(target) as client:
        _quote(client, say)
        _under_the_law(client, say)
        result = client.impact(
            scenarios=list(SCENARIOS), on=NOW, by=["origin"], draws=DRAWS, seed=SEED, include_lines=True,
            timeout=_RUN_SECONDS,
        )  # fmt: skip
        _counterfactual(result, say)
        law = client.legal_text(result)
    result.report(folder / "report.html", question=QUESTION, law=law)
    # A sheet of a million lines takes a minute to write; they are in a file of their own.
    replace(result, lines=None).to_excel(folder / "workbook.xlsx", question=QUESTION)
    document = json.dumps(result.to_json_dict(None), indent=1)
    (folder / "summary.json").write_text(document + "\n", encoding="utf-8")
    assert result.lines is not None
    write_table(result.lines, folder / "lines.parquet", result.provenance)
    say(
        f"\nIn {folder}: report.html, workbook.xlsx, summary.json, lines.parquet ({result.lines.height:,} lines)."
    )
    say("In the browser, with scenarios and tables of your own: tariffs desk")
    say(f"Done in {time.monotonic() - started:.0f} s; the server has ended.")
    return result


def _quote(client: Client, say: Say) -> None:
    say(f"\nSteel screws of China ({SCREWS}) worth USD {VALUE:,}, entered on {NOW}:")
    print_brief(client.duty(SCREWS, "CN", NOW, VALUE))


def _under_the_law(client: Client, say: Say) -> None:
    """Say what the question is worth under the law as it is, and why."""
    found = client.impact(scenarios=["base", LAPSES], on=NEXT, response="none", timeout=_RUN_SECONDS)
    void = next((note.message for note in found.notes if note.reason == "PARENT_VOID"), "")
    added = found.total["duty_vs"].item(1) / 1e9
    answer = f"Under the law as it is: USD {added:,.1f} bn a year from {NEXT}. {spelled_out(void)}"
    say("\n".join(["", QUESTION, *wrap(answer, _WIDTH)]))


def _counterfactual(result: ImpactResult, say: Say) -> None:
    """Say what it would be worth had the duties not been voided, with its range, and print the scenarios."""
    law = _difference(result.total, "duty", 1e9)
    rate = _difference(result.groups.filter(origin="CN"), "effective_rate", PERCENT)
    say(
        f"""
Had the IEEPA duties stood, a lapse on 2026-11-10 would, over a year of US imports at the values of 2024,
  - change revenue by USD {law} bn before trade responds, {_drawn(result, "duty_after", 1e9)} bn after;
  - change the mean rate on goods of China by {rate} points, {_drawn(result, "effective_rate_after", PERCENT, "CN")}
    after, since goods that pay more are bought less;
  - change imports from China by USD {_drawn(result, "value_after", 1e9, "CN")} bn,
    and US welfare by USD {_drawn(result, "welfare", 1e9)} bn.
In brackets 5 to 95 % of {DRAWS} draws of elasticities and USMCA claims only; other models differ by more.
"""
    )
    for table in result.short_tables(shown=_SHOWN):
        print_table(table)


def _difference(rows: pl.DataFrame, column: str, unit: float) -> str:
    """Write the difference of the scenarios of the question, which differ in one thing."""
    kept, lapsed = (rows.filter(scenario=name)[column].item() for name in (KEPT, LAPSED))
    return three(lapsed - kept, unit)


def _drawn(result: ImpactResult, column: str, unit: float, origin: str = "") -> str:
    """Write the difference in a total, or in the goods of an origin, with its range over draws."""
    assert result.ranges is not None
    rows, drawn = (
        (result.groups.filter(origin=origin), result.ranges.groups.filter(origin=origin))
        if origin
        else (result.total, result.ranges.total)
    )
    band = drawn.filter(scenario=LAPSED, column=column).row(0, named=True)
    ends = " to ".join(three(band[end], unit) for end in ("vs_p5", "vs_p95"))
    return f"{_difference(rows, column, unit)} ({ends})"
