"""Print measures, switches, scenarios and changes of the law."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tariffs.client.cli.render.notes import print_citations, print_footer
from tariffs.client.cli.render.table import console, frame_table, text_table
from tariffs.client.results.law import (
    PERIOD_COLUMNS,
    ClaimKind,
    Law,
    Measure,
    MeasureCodes,
    Period,
    ScenarioInfo,
    period_rows,
    standing_words,
)
from tariffs.client.results.law_changes import LawChange, LawChanges
from tariffs.client.results.scenario_check import CheckResult, Difference
from tariffs.client.results.short_names import name_of

_SHOWN_LINES = 20
_DIGITS_OF_DIGEST = 12
_WORDS = re.compile(r"\w+")


def print_scenarios(scenarios: Sequence[ScenarioInfo]) -> None:
    """Print the scenarios of the library, one per row."""
    rows = ((one.id, one.basis, one.title, one.digest[:_DIGITS_OF_DIGEST]) for one in scenarios)
    console().print(text_table(["id", "basis", "title", "digest"], rows))


def print_check(name: str, result: CheckResult) -> None:
    """Print the problems of a scenario, one per line as compilers do, and whether it can be run."""
    out = console()
    for one in result.problems:
        place = ":".join(str(part) for part in (name, one.line, one.column) if part is not None)
        path = f" {one.path}:" if one.path else ""
        out.print(escape(f"{place}: {one.severity}:{path} {one.message} [{one.reason}]"))
        if one.fix:
            out.print(escape(f"    {one.fix}"))
    out.print("ok" if result.ok else "cannot be run")


def print_differences(differences: Sequence[Difference]) -> None:
    """Print the differences of two scenarios, one per row."""
    if not differences:
        console().print("No difference.")
        return
    rows = ((one.id, one.goods, one.start, one.end, one.first, one.second) for one in differences)
    console().print(text_table(["id", "goods", "from", "until", "first", "second"], rows))


def print_measures(measures: Sequence[Measure]) -> None:
    """Print measures, one per row."""
    rows = ((one.id, one.authority, one.way, one.standing, one.confidence, _title(one)) for one in measures)
    console().print(text_table(["id", "authority", "direction", "status", "conf", "title"], rows))


def print_codes(found: MeasureCodes) -> None:
    """Print codes of a measure with the name of their heading and their list."""
    out = console()
    rows = [
        (one.dotted, name_of("hts4", one.code), one.list, "left out" if one.is_left_out else "")
        for one in found.codes
    ]
    none = "It names none of these codes; rows without codes are of all goods, see `tariffs law show`."
    out.print(text_table(["code", "heading", "list", ""], rows) if rows else none)
    if found.next_page_token:
        out.print(f"{found.total_size:,} codes in all; --page {found.next_page_token} lists the next.")


def print_measure(measure: Measure, claims: Sequence[ClaimKind]) -> None:
    """Print one measure with its periods, later acts and product lists, and the meaning of the facts it asks for."""
    out = console()
    out.print(f"[bold]{escape(measure.id)}[/bold]  {escape(measure.title)}")
    founded = standing_words("", measure.confidence, measure.switches)
    out.print(f"{measure.authority}, {measure.way}, {measure.standing}, {founded}")
    if measure.note:
        out.print(escape(measure.note))
    print_citations(out, measure.citations)
    for period in measure.periods:
        _print_period(out, period)
    for event in measure.events:
        end = f" to {event.end}" if event.end else ""
        reach = f" {event.reach}" if event.reach else ""
        out.print(f"\n{event.op} {event.start}{end}: {escape(event.text)}{escape(reach)}")
        out.print(event.standing)
        print_citations(out, event.citations)
    if measure.lists:
        lists = ", ".join(f"{one.id} ({one.codes:,} codes)" for one in measure.lists)
        out.print(f"\nproduct lists: {escape(lists)}")
    for claim in _claims_of(measure, claims):
        out.print(f"{claim.id}: {escape(claim.text)}")


def _claims_of(measure: Measure, claims: Sequence[ClaimKind]) -> list[ClaimKind]:
    """List the claims that the conditions of a measure name."""
    conditions = [row.conditions for period in measure.periods for row in period.rows]
    conditions += [event.conditions for event in measure.events]
    named = {word for text in conditions for word in _WORDS.findall(text)}
    return [claim for claim in claims if claim.id in named]


def print_switches(law: Law) -> None:
    """Print the switches of the law, one per row."""
    rows = ((one.id, one.default, ", ".join(one.values), one.confidence, one.text) for one in law.switches)
    console().print(text_table(["switch", "default", "values", "conf", "decides"], rows))


def print_changes(result: LawChanges) -> None:
    """Print the changes of the law by instant, and the effect of each step on the table."""
    out = console()
    for change in result.changes:
        # Steps are the keys of the tables below.
        _print_change(out, change if result.effects.height else replace(change, step=None))
    if result.effects.height:
        out.print()
        out.print(_rounded(result.effects))
        out.print()
        out.print(_rounded(result.lines.head(_SHOWN_LINES)))
        more = result.lines.height - _SHOWN_LINES + result.lines_left_off
        if more > 0:
            out.print(f"[dim]and {more:,} more lines[/dim]")
        if result.effects_left_off:
            out.print(
                f"[dim]and {result.effects_left_off:,} more effects, which the server did not send[/dim]"
            )
    print_footer(out, result.provenance)


def _print_change(out: Console, change: LawChange) -> None:
    step = "" if change.step is None else f"step {change.step}, "
    when = change.effect_time or "no date"
    known = f", published {change.known_from}" if change.known_from else ""
    out.print(escape(f"{step}{when}{known}: {change.kind} {', '.join(change.measures)}"))
    out.print(f"  {escape(change.text)}")
    print_citations(out, change.citations)


def _print_period(out: Console, period: Period) -> None:
    end = f" to {period.end}" if period.end else ""
    out.print(f"\nperiod {escape(period.id)}: from {period.start or 'never enacted'}{end}")
    out.print(period.standing)
    print_citations(out, period.citations)
    if period.rows:
        out.print(text_table(PERIOD_COLUMNS, period_rows(period)))


def _title(measure: Measure) -> Text:
    title = Text(measure.title)
    return title if measure.citations else title.append(" (no citation)", "dim")


def _rounded(frame: pl.DataFrame) -> Table:
    return frame_table(frame.with_columns(pl.col(pl.Float64).round(2)))
