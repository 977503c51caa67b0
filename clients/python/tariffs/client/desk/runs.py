"""Runs over a table: scenarios beside each other, over a period, and a parameter over its values."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import polars as pl

from tariffs.client.client import Client
from tariffs.client.desk.drawing import WIDTH, Plot, bars_of, curve_plot, steps_of
from tariffs.client.desk.fields import SCENARIOS, Field
from tariffs.client.desk.page import RUN, Block, Download, Page, Parts, Site, block, csv_file, shown
from tariffs.client.desk.question import Question, raise_all
from tariffs.client.errors import Violation
from tariffs.client.results.amounts import short_unit, three
from tariffs.client.results.charts import Figure
from tariffs.client.results.columns import in_full, key_title, largest_first
from tariffs.client.results.impact import TimelineResult
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.short_names import label_of, with_names
from tariffs.client.results.shown import TableResult
from tariffs.client.results.sweep import Sweep
from tariffs.client.results.view import View
from tariffs.run_spec.option import IMPACT, SWEEP, TIMELINE

_GROUPS_AT_POINT = 10
_MOST_POINTS = 120
_TOTALS, _OF_GROUPS = ("duty", "duty_after", "value_after", "welfare"), ("duty", "duty_after")


def points_of(result: Sweep, law: LegalText) -> tuple[Plot, str, dict[str, Any]]:
    """Draw the curve of a sweep, say how many points are left out, and write what the slider shows at each."""
    count, result = result.points.height, _thinned(result)
    axes, points = result.axes(law), result.points
    column = "duty_after" if result.totals["duty_after"].count() else "duty"
    first = points[points.columns[0]]
    at = [float(one) for one in (first if first.dtype.is_numeric() else range(points.height))]
    series: dict[str, list[tuple[float, float]]] = {}
    labels = []
    for x, row in zip(at, result.totals.iter_rows(named=True), strict=True):
        named = [f"{one.title} {one.shown(row[one.name])}" for one in axes]
        series.setdefault(", ".join(named[1:]) or axes[0].title, []).append((x, float(row[column] or 0.0)))
        labels.append(", ".join(named))
    ends = (axes[0].shown(first[0]), axes[0].shown(first[-1]))
    plot = curve_plot(series, ends, short_unit(result.totals[column].to_list()))
    left_out = f"{points.height} of {count:,} points are shown." if count > points.height else ""
    return plot, left_out, _slider(result, labels, at)


def _thinned(result: Sweep) -> Sweep:
    """Take as many points of a sweep as a page can hold."""
    step = -(-result.points.height // _MOST_POINTS)
    if step < 2:
        return result
    points = result.points.gather_every(step)
    groups = result.groups.join(points, on=points.columns, how="semi")
    return replace(result, points=points, totals=result.totals.gather_every(step), groups=groups)


def _slider(result: Sweep, labels: Sequence[str], at: Sequence[float]) -> dict[str, Any]:
    """Write the totals and the largest groups of each point, as the slider shows them."""
    low, span = min(at), (max(at) - min(at)) or 1.0
    totals, groups, keys = result.totals, result.groups, result.keys
    names = [name for name in _TOTALS if totals[name].count()]
    shown = [name for name in _OF_GROUPS if keys and groups[name].count()]
    unit = short_unit([value for name in names for value in totals[name]])
    group_unit = short_unit([value for name in shown for value in groups[name]])
    rows = groups.partition_by(result.points.columns, as_dict=True, maintain_order=True) if shown else {}
    points = []
    for label, x, point, total in zip(labels, at, result.points.rows(), totals.to_dicts(), strict=True):
        largest = largest_first(rows.get(point, groups.clear()), "duty").head(_GROUPS_AT_POINT)
        points.append(
            {
                "label": label,
                "x": round((x - low) / span * WIDTH, 1),
                "totals": [three(total[name], unit.dollars) for name in names],
                "groups": [
                    [
                        ", ".join(label_of(key, str(row[key])) for key in keys),
                        *(three(row[name], group_unit.dollars) for name in shown),
                    ]
                    for row in largest.to_dicts()
                ],
            }
        )
    return {
        "points": points,
        "heads": [in_full(name) for name in names],
        "unit": unit.name,
        "group_heads": [", ".join(key_title(key) for key in keys), *(in_full(name) for name in shown)],
        "group_unit": group_unit.name,
    }


@dataclass(frozen=True, slots=True)
class Ran:
    """Result of a run with the law behind it in words, which does not depend on who asks."""

    result: TableResult
    law: LegalText
    described: View

    @property
    def figure(self) -> Figure:
        """Its chart."""
        return cast(Figure, self.described.figure)

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of the command."""
        return self.result.to_json_dict()

    @property
    def byte_count(self) -> int:
        """Bytes of its frames."""
        values = (getattr(self.result, one.name) for one in fields(self.result))
        return sum(int(one.estimated_size()) for one in values if isinstance(one, pl.DataFrame))


def ran(client: Client, result: TableResult) -> Ran:
    """Describe the result of a run with the law behind it in words."""
    law = client.legal_text(result)
    story = result.story(law)
    described = View.of(result.provenance, result.notes, story, story.passages, law, figure=story.draw())
    return Ran(result, law, described)


def ask_compare(client: Client, question: Question, site: Site) -> Ran:
    """Compute the scenarios beside each other."""
    options = cast(Any, question.options(IMPACT))
    return ran(client, client.impact(question.table(), question.scenarios(), **options))


def ask_timeline(client: Client, question: Question, site: Site) -> Ran:
    """Compute the scenarios on every day of a period."""
    period = {name: question.get(name) for name in ("start", "end")}
    options = cast(Any, {**period, **question.options(TIMELINE)})
    return ran(client, client.timeline(question.table(), question.scenarios(), **options))


def ask_sweep(client: Client, question: Question, site: Site) -> Ran:
    """Compute a scenario at each value of its parameters."""
    vary = {}
    for text in question.all("vary"):
        name, sign, values = text.partition("=")
        if not (name and sign and values):
            raise_all([Violation("vary", f"{text[:60]} is not NAME=VALUES, such as cn=0%:50%:5%.")])
        vary[name] = values.split(",") if "," in values else values
    options = cast(Any, question.options(SWEEP))
    return ran(client, client.sweep(question.table(), *question.scenarios(1), vary=vary, **options))


def show_run(question: Question, ran: Ran, *drawn: Block, behind: Block | None = None) -> Parts:
    """Show the answer of a run in five lines, with its drawing."""
    five, table = ran.result.answer(), question.get("table")
    return shown(
        ran.described,
        block("short", five and five.table),
        *drawn,
        goods=f"your table {table[7:15]}" if table else "US imports of 2024",
        refused=ran.result.refused.height,
        behind=behind,
    )


def show_compare(question: Question, site: Site, ran: Ran) -> Parts:
    """Show a comparison with bars of where the duty changes."""
    words = "Add the range over the elasticities (64 draws, slower)"
    more = [] if question.get("draws") else [(words, question.address(draws="64"))]
    drawn = block("bars", ran.figure.title, bars_of(ran.figure))
    return show_run(question, ran, drawn, behind=block("links", more))


def show_timeline(question: Question, site: Site, ran: Ran) -> Parts:
    """Show a timeline with steps of the duty."""
    figure, result = ran.figure, cast(TimelineResult, ran.result)
    drawn = block("plot", figure.title, steps_of(figure, result.days[1]))
    return show_run(question, ran, drawn, block("rows", figure.events))


def show_sweep(question: Question, site: Site, ran: Ran) -> Parts:
    """Show a sweep with a curve and a slider over its points."""
    plot, left_out, slider = points_of(cast(Sweep, ran.result), ran.law)
    return show_run(question, ran, block("plot", ran.figure.title, plot), block("slider", left_out, slider))


def rows_of(ran: Ran) -> pl.DataFrame:
    """Return the rows of a result, with names beside codes."""
    result = ran.result
    return with_names(result.segments if isinstance(result, TimelineResult) else cast(Any, result).groups)


def workbook_of(result: TableResult) -> bytes:
    """Write a result as a workbook."""
    with tempfile.TemporaryDirectory(prefix="tariffs-desk-") as folder:
        path = Path(folder) / "result.xlsx"
        result.to_excel(path)
        return path.read_bytes()


_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES = {
    "report": Download("Report", "text/html", "html", lambda ran: ran.result.report(law=ran.law).encode()),
    "xlsx": Download("Workbook (xlsx)", _WORKBOOK, "xlsx", lambda ran: workbook_of(ran.result)),
    "csv": csv_file("Table (csv)", rows_of),
}
COMPARE = Page(
    "/compare", "Compare", "impact", ask_compare, show_compare,
    begin=(
        "Scenarios beside each other",
        "Choose the law as it is and one or more scenarios; the answer is the duty, trade and welfare of each, in "
        "five lines.",
    ),
    fields=(SCENARIOS,), starts=("s",), verb=IMPACT, first={"on": "{later}", "by": "origin"}, role=RUN, files=FILES,
)  # fmt: skip
TIMELINE_PAGE = Page(
    "/timeline", "Timeline", "timeline", ask_timeline, show_timeline,
    begin=(
        "Scenarios day by day",
        "Choose laws and a period; the answer is the duty of every day, and its average.",
    ),
    fields=(
        replace(SCENARIOS, hint=""),
        Field("start", "First day", "date", "{earlier}", needed="Give the first day."),
        Field("end", "Last day", "date", "{later}", needed="Give the last day."),
    ),
    starts=("s",), verb=TIMELINE, first={"response": "none", "by": "origin"}, role=RUN, files=FILES,
)  # fmt: skip
SWEEP_PAGE = Page(
    "/sweep", "Sweep", "sweep", ask_sweep, show_sweep,
    begin=(
        "A parameter over its values",
        "Choose a scenario with parameters and the values of one; a slider then moves over the points.",
    ),
    fields=(
        Field("s", "Scenario with parameters", "single"),
        Field(
            "vary", "Parameter and values", "each", hint="NAME=LOW:HIGH:STEP, or NAME=10%,20%",
            needed="Give a parameter and its values, such as cn=0%:50%:5%.",
        ),
    ),
    starts=("s",), verb=SWEEP, first={"on": "{later}", "by": "origin"}, role=RUN, files=FILES,
)  # fmt: skip
