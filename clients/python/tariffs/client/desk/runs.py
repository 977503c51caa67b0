"""Runs over a table: scenarios beside each other, over a period, and a parameter over its values."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import polars as pl

from tariffs.client.client import Client
from tariffs.client.desk.drawing import bars_of, steps_of
from tariffs.client.desk.fields import SCENARIOS, Field
from tariffs.client.desk.page import RUN, Block, Download, Page, Parts, Site, block
from tariffs.client.desk.question import Question, raise_all
from tariffs.client.desk.slider import points_of
from tariffs.client.desk.views import csv_file, shown
from tariffs.client.errors import Violation
from tariffs.client.results.charts import Figure
from tariffs.client.results.impact import TimelineResult
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.short_names import with_names
from tariffs.client.results.shown import TableResult
from tariffs.client.results.sweep import Sweep
from tariffs.client.results.view import View
from tariffs.run_spec.option import IMPACT, SWEEP, TIMELINE


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
