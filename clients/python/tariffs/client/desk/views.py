"""Show results, errors and downloads on the page."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import marimo as mo
import polars as pl

from tariffs.client._wire.csv_text import for_people
from tariffs.client._wire.progress import Report
from tariffs.client.desk.forms import Choices
from tariffs.client.desk.questions import OwnTable
from tariffs.client.errors import TariffsError
from tariffs.client.results import html
from tariffs.client.results.columns import largest_first
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.quote import Quote
from tariffs.client.results.refused import refused_words
from tariffs.client.results.scenario_check import CheckResult, Difference
from tariffs.client.results.shown import TableResult
from tariffs.client.results.sweep import Sweep

_AT_POINT = ("customs_value", "duty", "value_after", "duty_after")
_LARGEST = 10
_BEFORE = "Fill in the form and compute."
_LEGEND = {
    "applied": "is charged",
    "exempt": "the goods are exempt",
    "displaced": "another duty takes its place",
    "suspended": "not collected for now",
    "undetermined": "depends on a fact that was not declared",
    "prohibited": "the goods may not be imported",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """Result that other parts of the page use, or the view in its place."""

    result: Any
    instead: Any = None


def title(choices: Choices, place: str) -> Any:
    """Show the title of the page with the law and where it is computed."""
    return mo.md(
        f"# Tariff desk\n\nLaw {choices.law_version}, as of {choices.as_of}, {place}. "
        "Planning estimates, not rulings."
    )


def part(name: str, chosen: str, *content: Any) -> Any:
    """Show a part of the page under its heading, if it is the one chosen."""
    return mo.vstack([mo.md(f"## {name}"), *content], gap=1) if name == chosen else None


def answer(values: Any, name: str, compute: Callable[[Any, Report], Any], before: str = _BEFORE) -> Any:
    """Show the answer to submitted values, or the error with its fix.

    Args:
        values: values of the form; None before it is submitted.
        name: words beside the progress bar.
        compute: computes and makes the view, given the values and a function that reports progress.
        before: help shown before the first submission.
    """
    got = kept(values, name, compute, before)
    return got.instead if got.result is None else got.result


def kept(values: Any, name: str, compute: Callable[[Any, Report], Any], before: str = _BEFORE) -> Kept:
    """Compute the answer to submitted values as `answer` does, and keep it."""
    if values is None:
        return Kept(None, hint(before))
    try:
        with mo.status.progress_bar(total=100, title=name, remove_on_exit=True) as bar:
            return Kept(compute(values, _reporter(bar)))
    except TariffsError as error:
        return Kept(None, failure(error))


def _reporter(bar: Any) -> Report:
    done = 0

    def report(stage: str, fraction: float) -> None:
        nonlocal done
        step, done = max(int(100 * fraction) - done, 0), max(int(100 * fraction), done)
        bar.update(increment=step, subtitle=stage)

    return report


def failure(error: TariffsError) -> Any:
    """Show an error: reason, field, message and fix."""
    place = f" in {error.field}" if error.field else ""
    return _alert(
        html.heading(f"{error.reason}{place}"), html.paragraph(error.message), html.paragraph(error.fix)
    )


def hint(text: str) -> Any:
    """Show a line of help in place of a result."""
    return mo.Html(html.block(html.paragraph(text, "dim")))


def quote(result: Quote) -> Any:
    """Show the bill of a line with its reasons open, the meaning of its states, and the steps of the duty."""
    parts: list[Any] = [mo.Html(result._repr_html_())]
    if sum(bool(layer.amount) for layer in result.layers) > 1:
        parts.append(_chart(result.chart()))
    states = dict.fromkeys(layer.state for layer in result.layers)
    words = html.items(f"{state}: {_LEGEND[state]}" for state in states if state in _LEGEND)
    parts.append(mo.Html(html.block(html.folded("States", words))))
    return mo.vstack(parts)


def checked(answer: CheckResult, differences: Sequence[Difference]) -> Any:
    """Show the problems of a scenario, and what it changes of the law."""
    words = html.items(one.text for one in differences)
    return mo.vstack(
        [
            mo.Html(answer._repr_html_()),
            mo.Html(html.block(html.heading("What it changes"), words)) if words else "",
        ]
    )


def comparison(result: ImpactResult, key: str, question: str) -> Any:
    """Show an impact: tables, duty by scenario and by group, trade after the response, downloads."""
    charts = [
        _chart(result.chart()),
        _chart(result.chart("duty", key)),
    ]
    if result.total["value_after"].count():
        charts.append(_chart(result.chart("value_after", key)))
    return mo.vstack([mo.Html(result._repr_html_()), *charts, downloads(result, "comparison", question)])


def days(result: TimelineResult) -> Any:
    """Show a timeline: steps, tables, downloads."""
    return mo.vstack(
        [
            _chart(result.chart()),
            mo.Html(result._repr_html_()),
            downloads(result, "timeline"),
        ]
    )


def point_slider(result: Sweep | None) -> Any:
    """Build the slider over the points of a sweep: their values if they are numbers in rising order, else 0, 1, 2."""
    if result is None or result.points.height < 2:
        return mo.ui.slider(0, 1, step=1, label="Point of the sweep", disabled=True)
    name, values = result.points.columns[0], result.points.to_series(0)
    rising = values.dtype.is_numeric() and values.is_sorted() and values.n_unique() == values.len()
    steps = values.to_list() if rising else list(range(values.len()))
    label = name if rising else f"Point of {name}"
    return mo.ui.slider(steps=steps, value=steps[0], label=label, show_value=True, full_width=True)


def swept(kept_sweep: Kept, slider: Any) -> Any:
    """Show a sweep: curves before and after the response, a slider over its points, tables, downloads."""
    result: Sweep | None = kept_sweep.result
    if result is None:
        return kept_sweep.instead
    charts = [_chart(result.chart("duty"))]
    if result.totals["duty_after"].count():
        charts.append(_chart(result.chart("duty_after")))
    steps = list(slider.steps or [0])
    place = steps.index(slider.value) if slider.value in steps else 0
    parts = [
        *charts,
        slider,
        _point(result, place),
        mo.Html(result._repr_html_()),
        downloads(result, "sweep"),
    ]
    return mo.vstack(parts)


def _point(result: Sweep, place: int) -> Any:
    """Show the largest groups of one point of a sweep."""
    values = result.points.row(place, named=True)
    rows = result.groups.filter(**values)
    numbers = [name for name in _AT_POINT if rows[name].count()]
    words = ", ".join(f"{name} = {value}" for name, value in values.items())
    caption = f"the largest duties at {words}"
    largest = largest_first(rows, "duty")
    return mo.Html(
        html.block(html.frame_table(largest, result.keys, numbers, shown=_LARGEST, caption=caption))
    )


def own_table(own: OwnTable) -> Any:
    """Show every refused row of an uploaded table, how it is read, and what it pays under the law as it is."""
    parts = [refused(own.check.refused), mo.Html(own.check._repr_html_())]
    if own.result is not None:
        parts += [mo.Html(own.result._repr_html_()), downloads(own.result, "table")]
    return mo.vstack(parts)


def refused(rows: pl.DataFrame) -> Any:
    """Show all refused rows with their reasons, and a file of them."""
    if not rows.height:
        return mo.Html(html.block(html.paragraph("Every row can be used.")))
    table = mo.ui.table(
        rows,
        selection=None,
        show_column_summaries=False,
        show_data_types=False,
        wrapped_columns=["message"],
        column_widths={"row": 60, "message": 480},
    )
    file = mo.download(
        lambda: for_people(rows).write_csv().encode(),
        "refused.csv",
        "text/csv",
        label="Download refused rows",
    )
    words = html.heading(refused_words(rows)) + html.paragraph("The other rows are computed.")
    return mo.vstack([_alert(words), table, mo.hstack([file], justify="start")])


def downloads(result: TableResult, name: str, question: str = "") -> Any:
    """Offer a result as a report and as a workbook; each is made on the click."""
    return mo.hstack(
        [
            mo.download(
                lambda: result.report(question=question).encode(),
                f"{name}.html",
                "text/html",
                label="Download report",
            ),
            mo.download(
                lambda: _workbook(result),
                f"{name}.xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                label="Download workbook",
            ),
        ],
        justify="start",
    )


def _workbook(result: TableResult) -> bytes:
    with tempfile.TemporaryDirectory(prefix="tariffs-desk-") as folder:
        path = Path(folder) / "result.xlsx"
        result.to_excel(path)
        return path.read_bytes()


def _chart(chart: Any) -> Any:
    """Put the title of a chart above it as text, which readers who cannot see the chart are read."""
    return mo.vstack([mo.Html(html.block(html.heading(chart.title.text))), chart.properties(title="")], gap=0)


def _alert(*parts: str) -> Any:
    return mo.callout(mo.Html(f'<div role="alert">{"".join(parts)}</div>'), kind="danger")
