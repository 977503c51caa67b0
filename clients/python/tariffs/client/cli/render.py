"""Answers for people to read, on a terminal or in a file."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tariffs.client._verbs.replay import Replay
from tariffs.client.cli import measure_rows, periods
from tariffs.client.results.impact import ImpactResult, Ranges, TimelineResult
from tariffs.client.results.law import CheckResult, Difference, Law, Measure, ScenarioInfo
from tariffs.client.results.quote import Layer, Note, Provenance, Quote
from tariffs.client.results.refused import refused_words

_WIDTH_WITHOUT_TERMINAL = 160
_NARROWEST = 110
_SHOWN_GROUPS = 20
_COLUMNS = (
    ("customs_value", "customs value"),
    ("duty", "duty"),
    ("duty_owed", "owed"),
    ("effective_rate", "rate"),
    ("rate", "rate"),
    ("landed_change", "landed change"),
    ("value_after", "value after"),
    ("duty_after", "duty after"),
    ("duty_vs", "duty vs first"),
)
_LARGE = 1e8
_FRACTIONS = frozenset({"effective_rate", "rate", "effective_rate_after", "quantity_hat", "share"})


class _TerminalOutput(Console):
    def on_broken_pipe(self) -> None:
        # Rich would exit with 1, which here means refused rows.
        raise BrokenPipeError


def console() -> Console:
    """Standard output; never so narrow that numbers in tables would be cut."""
    terminal = shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 0)).columns
    return _TerminalOutput(
        width=max(terminal, _NARROWEST) if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, highlight=False
    )


def quote(answer: Quote) -> None:
    """The layers of one line, what they sum to, and why."""
    out = console()
    table = Table("state", "measure", "heading", *_right("rate", "base", "amount"), box=None, pad_edge=False)
    for layer in answer.layers:
        table.add_row(
            layer.state,
            layer.measure,
            layer.heading,
            _rate(layer.rate),
            _money(layer.base),
            _money(layer.amount),
        )
    out.print(table)
    out.print()
    if answer.prohibited:
        out.print(f"[bold]prohibited[/bold] by {', '.join(answer.prohibited)}: see the note")
    out.print(f"assessed {_money(answer.assessed)}   owed {_money(answer.owed)}   landed {_landed(answer)}")
    parts = [
        f"{name} {_money(amount)}" for name, amount in answer.landed.items() if amount and name != "total"
    ]
    if parts:
        out.print(f"[dim]landed is {' + '.join(parts)}[/dim]")
    if (answer.min, answer.max) != (answer.assessed, answer.assessed):
        undeclared = ", ".join(answer.missing_claims)
        out.print(f"between {_money(answer.min)} and {_money(answer.max)}, depending on: {undeclared}")
    for layer in answer.layers:
        _why(out, layer)
    print_notes(out, answer.notes)
    for assumption in answer.assumptions:
        out.print(f"[dim]assumed: {escape(assumption)}[/dim]")
    footer(out, answer.provenance)


def impact(result: ImpactResult, shown: int = _SHOWN_GROUPS) -> None:
    """For each scenario and day its total and its largest groups, then what else to know."""
    out = console()
    points(out, result, [(str(row["scenario"]), str(row["on"])) for row in result.total.to_dicts()], shown)
    out.print()
    print_notes(out, result.notes)
    if result.refused.height:
        out.print(f"\n{refused_words(result.refused)}:")
        out.print(_frame(result.refused.head(shown)))
    footer(out, result.provenance)


def points(out: Console, result: ImpactResult, chosen: Iterable[tuple[str, str]], shown: int) -> None:
    """The tables of some scenarios and days."""
    for scenario, on in chosen:
        total = result.total.filter(scenario=scenario, on=on).to_dicts()[0]
        out.print(f"\n[bold]{escape(scenario)}[/bold] {escape(_days(result.provenance, on))}")
        out.print(impact_table(result.groups.filter(scenario=scenario, on=on), total, shown))
        if result.ranges is not None:
            out.print(ranges_table(result.ranges, scenario, on, _unit(total)))
        if result.attribution is not None:
            rows = result.attribution.filter(scenario=scenario, on=on)
            if rows.height:
                out.print(periods.attribution_table(rows))


def _days(provenance: Provenance, on: str) -> str:
    """The day asked for, or the days of the lines where they have their own."""
    details = provenance.get("details")
    dates = details.get("line_dates") if isinstance(details, Mapping) else None
    if not dates:
        return f"on {on}"
    own = f"the entry dates of its lines, {dates['first']} to {dates['last']}"
    return f"on {own}" if dates["lines"] == dates["of"] else f"on {own}, and on {on} for lines without one"


def impact_table(rows: pl.DataFrame, total: dict[str, object], shown: int) -> Table:
    """The largest groups of one scenario on one day, the rest counted, and the total."""
    columns = [(name, title) for name, title in _COLUMNS if name in rows.columns]
    keys = periods.keys_of(rows)
    table = Table(*keys, *_right(*(title for _, title in columns)), box=None, pad_edge=False)
    order = next((name for name in ("customs_value", "duty") if name in rows.columns), None)
    if order is not None:
        rows = rows.sort(order, descending=True, nulls_last=True)
    unit, word = _unit(total)
    for row in rows.head(shown).to_dicts():
        table.add_row(*periods.labels(row, keys), *(_cell(name, row[name], unit) for name, _ in columns))
    if rows.height > shown:
        table.add_row(f"[dim]and {rows.height - shown:,} more[/dim]")
    sums = {"rate": total.get("effective_rate"), **total}
    if keys:
        blanks = [""] * (len(keys) - 1)
        table.add_row(
            "[bold]total[/bold]", *blanks, *(_cell(name, sums.get(name), unit) for name, _ in columns)
        )
    table.caption = f"{word}; rates in percent"
    table.caption_justify = "left"
    return table


def ranges_table(ranges: Ranges, scenario: str, on: str, unit: tuple[float, str]) -> Table:
    """The ranges of one total, and what moves each column most."""
    titles = _right("central", "p5", "p50", "p95", "vs first p5", "vs first p95", "above first")
    table = Table("total over draws", *titles, "moved most by", box=None, pad_edge=False)
    tornado = ranges.tornado.filter(scenario=scenario, on=on)
    for row in ranges.total.filter(scenario=scenario, on=on).to_dicts():
        name = row["column"]
        cells = (_cell(name, row[at], unit[0]) for at in ("central", "p5", "p50", "p95", "vs_p5", "vs_p95"))
        moved = tornado.filter(column=name).head(1)["parameter"].to_list()
        table.add_row(name, *cells, _cell("share", row["vs_positive"], unit[0]), *moved)
    table.caption = "the draws cover the elasticities alone"
    table.caption_justify = "left"
    return table


def scenarios(found: Sequence[ScenarioInfo]) -> None:
    """The library, one scenario to a row."""
    table = Table("id", "basis", "title", "digest", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.id, one.basis, escape(one.title), one.digest[:12])
    console().print(table)


def check(name: str, result: CheckResult) -> None:
    """The problems of a scenario, one to a line as compilers do, and the verdict."""
    out = console()
    for one in result.problems:
        place = ":".join(str(part) for part in (name, one.line, one.column) if part is not None)
        path = f" {one.path}:" if one.path else ""
        out.print(escape(f"{place}: {one.severity}:{path} {one.message} [{one.reason}]"))
        if one.fix:
            out.print(escape(f"    {one.fix}"))
    out.print("ok" if result.ok else "does not run")


def measures(found: Sequence[Measure]) -> None:
    """All measures, one to a row."""
    table = Table("id", "authority", "direction", "standing", "conf", "title", box=None, pad_edge=False)
    for one in found:
        title = escape(one.title) if one.citations else f"{escape(one.title)} [dim](no citation)[/dim]"
        table.add_row(one.id, one.authority, one.direction, one.standing, one.confidence, title)
    console().print(table)


def measure(found: Measure) -> None:
    """One measure with its periods and events."""
    out = console()
    out.print(f"[bold]{escape(found.id)}[/bold]  {escape(found.title)}")
    out.print(
        f"{found.authority}, {found.direction}, {found.standing}, confidence {found.confidence or 'not given'}"
    )
    if found.note:
        out.print(escape(found.note))
    _sources(out, found.citations)
    for period in found.periods:
        end = f" to {period.end}" if period.end else ""
        out.print(f"\nperiod {escape(period.id)}: from {period.start or 'never enacted'}{end}")
        _sources(out, period.citations)
        if period.rows:
            out.print(measure_rows.rows_table(period.rows))
    for event in found.events:
        end = f" to {event.end}" if event.end else ""
        out.print(f"\n{event.op} {event.start}{end}: {escape(event.text)}")
        _sources(out, event.citations)
    if found.lists:
        lists = ", ".join(f"{one.id} ({one.codes:,} codes)" for one in found.lists)
        out.print(f"\nproduct lists: {escape(lists)}")


def switches(law: Law) -> None:
    """The switches, one to a row."""
    table = Table("switch", "default", "values", "conf", "decides", box=None, pad_edge=False)
    for one in law.switches:
        table.add_row(one.id, one.default, ", ".join(one.values), one.confidence, escape(one.text))
    console().print(table)


def _why(out: Console, layer: Layer) -> None:
    text, rule = layer.why.get("text", ""), layer.why.get("rule", "")
    if text or rule:
        out.print(f"[dim]{escape(layer.measure)}: {escape(text or rule)}[/dim]")


def print_notes(out: Console, notes: Iterable[Note]) -> None:
    """Print notes, one a line, and each once, whichever scenarios and days have it."""
    for note in {(note.reason, note.message): note for note in notes}.values():
        out.print(f"note {escape(note.reason)}: {escape(note.message)}")


def print_row_notes(out: Console, rows: Iterable[Iterable[str]]) -> None:
    """Print the notes of rows, each `REASON: message`, once per reason, with the count of rows that have it."""
    first: dict[str, str] = {}
    count: Counter[str] = Counter()
    for notes in rows:
        by_reason = {note.partition(": ")[0]: note.partition(": ")[2] for note in reversed(list(notes))}
        count.update(by_reason.keys())
        first = {**by_reason, **first}
    for reason, message in first.items():
        times = f"{count[reason]:,} times, first: " if count[reason] > 1 else ""
        out.print(f"note {escape(reason)}: {times}{escape(message)}")


def _sources(out: Console, citations: Iterable[str]) -> None:
    out.print(f"  [dim]{escape('; '.join(citations) or 'no citation')}[/dim]")


def footer(out: Console, provenance: Provenance) -> None:
    """Which law answered, and that it is an estimate."""
    version, known_on = provenance.get("law_version"), provenance.get("known_on")
    read_to = f", read to {provenance['law_read_to']}" if provenance.get("law_read_to") else ""
    out.print(f"[dim]law {version}{read_to}, known on {known_on}. A planning estimate, not a ruling.[/dim]")


def _landed(answer: Quote) -> str:
    return _money(answer.landed["total"]) if "total" in answer.landed else "not known"


def _frame(frame: pl.DataFrame) -> Table:
    table = Table(*frame.columns, box=None, pad_edge=False)
    for row in frame.iter_rows():
        table.add_row(*(escape("" if value is None else str(value)) for value in row))
    return table


def _right(*titles: str) -> list[Column]:
    return [Column(title, justify="right") for title in titles]


def _unit(total: dict[str, object]) -> tuple[float, str]:
    value = total.get("customs_value")
    large = isinstance(value, int | float) and value >= _LARGE
    return (1e6, "USD million") if large else (1.0, "USD")


def _cell(name: str, value: object, unit: float) -> str:
    if not isinstance(value, int | float):
        return "-"
    return f"{value * 100:,.2f}" if name in _FRACTIONS else f"{value / unit:,.1f}"


def _rate(rate: Decimal | None) -> str:
    return "" if rate is None else f"{(rate * 100).normalize():f} %"


def _money(amount: Decimal) -> str:
    return f"{amount:,}"


def timeline(result: TimelineResult, shown: int = _SHOWN_GROUPS) -> None:
    """The totals of each scenario by segment, and its largest groups on average of the period."""
    out = console()
    for name in result.totals["scenario"].unique(maintain_order=True):
        out.print(f"\n[bold]{escape(name)}[/bold]")
        average = result.average_total.filter(scenario=name).to_dicts()[0]
        out.print(periods.segments_table(result.totals.filter(scenario=name), average))
        out.print()
        out.print(periods.groups_table(result.averages.filter(scenario=name).drop("scenario"), shown))
    out.print()
    print_notes(out, result.notes)
    footer(out, result.provenance)


def differences(found: Sequence[Difference]) -> None:
    """What two scenarios have otherwise, one thing to a row."""
    out = console()
    if not found:
        out.print("No difference.")
        return
    table = Table("what", "goods", "from", "until", "first", "second", box=None, pad_edge=False)
    for one in found:
        cells = (one.id, one.goods, one.start, one.end, one.first, one.second)
        table.add_row(*(escape(text) for text in cells))
    out.print(table)


def replay(found: Replay) -> None:
    """Whether a result came out the same, and if not, what has changed."""
    out = console()
    if found.same:
        out.print(f"The same: {found.rows:,} rows, bit for bit.")
        return
    out.print("Not the same." if found.largest is None else f"Not the same: by {found.largest:.2g} at most.")
    for text in found.changed or ("No input has changed.",):
        out.print(escape(text))
