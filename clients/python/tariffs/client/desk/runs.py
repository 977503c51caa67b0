"""Runs over a table: scenarios beside each other, over a period, and a parameter over its values."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import polars as pl

from tariffs.client._wire.csv_text import for_people
from tariffs.client.client import Client
from tariffs.client.desk.drawing import Plot, bars_of, curve_plot, steps_of
from tariffs.client.desk.fields import Field, more_run_fields, run_fields
from tariffs.client.desk.page import RUN, Page, Parts, Site
from tariffs.client.desk.question import Question, missing, raise_all
from tariffs.client.errors import Violation
from tariffs.client.results.amounts import short_unit, three
from tariffs.client.results.charts import Figure
from tariffs.client.results.columns import in_full, key_title, largest_first
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.law import Law
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.short_names import label_of, with_names
from tariffs.client.results.shown import TableResult
from tariffs.client.results.sweep import Sweep
from tariffs.client.results.view import View
from tariffs.run_spec.option import IMPACT, SWEEP, TIMELINE

_GROUPS_AT_POINT = 10
_MOST_POINTS = 120
BEGIN = {
    IMPACT: (
        "Scenarios beside each other",
        "Choose the law as it is and one or more scenarios; the answer is the duty, trade and welfare of each, in "
        "five lines.",
    ),
    TIMELINE: (
        "Scenarios day by day",
        "Choose laws and a period; the answer is the duty of every day, and its average.",
    ),
    SWEEP: (
        "A parameter over its values",
        "Choose a scenario with parameters and the values of one; a slider then moves over the points.",
    ),
    "collections": (
        "From the law to the money",
        "Choose months; the answer is the duty that the law charges, what of it comes in, and what becomes of the "
        "rest. The first answer takes some 15 seconds.",
    ),
    "score": (
        "Revenue by fiscal year",
        "Choose laws and fiscal years; the answer is the revenue of each year, conventional, on imports that grow as "
        "CBO projects.",
    ),
    "hindcast": (
        "Forecasts beside what came",
        "Choose the day on which the law is frozen; the answer is the forecast of imports of 2025 by partner beside "
        "what was imported. It takes half a minute.",
    ),
}
_PARTS = ("bars", "chart", "events", "five", "goods", "left_out", "plot", "ranged", "slider", "view")


def begun(kind: str) -> dict[str, Any]:
    """Make the parts of a page before its answer: how to begin, and nothing else."""
    return {"begin": BEGIN[kind], **dict.fromkeys(_PARTS)}


_AHEAD = timedelta(weeks=10)
_PERIOD = timedelta(days=365)


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

    @property
    def is_of_day(self) -> bool:
        """True for a comparison on a day, to which draws add ranges."""
        return isinstance(self.result, ImpactResult)


def ran(client: Client, result: TableResult) -> Ran:
    """Describe the result of a run with the law behind it in words."""
    law = client.legal_text(result)
    story, answer = result.story(law), result.answer()
    assert answer is not None
    described = View.of(result.provenance, result.notes, story, story.passages, law, figure=story.draw())
    return Ran(result, law, described)


def ask_compare(client: Client, question: Question, law: Law) -> Ran | None:
    """Compute the scenarios beside each other."""
    if not question.all("s"):
        return None
    options = question.options(IMPACT)
    return ran(client, client.impact(question.table(), question.scenarios(), **cast(Any, options)))


def ask_timeline(client: Client, question: Question, law: Law) -> Ran | None:
    """Compute the scenarios on every day of a period."""
    if not question.all("s"):
        return None
    raise_all(missing(question, {"start": "Give the first day.", "end": "Give the last day."}))
    options = question.options(TIMELINE)
    result = client.timeline(
        question.table(),
        question.scenarios(),
        start=question.get("start"),
        end=question.get("end"),
        **cast(Any, options),
    )
    return ran(client, result)


def ask_sweep(client: Client, question: Question, law: Law) -> Ran | None:
    """Compute a scenario at each value of its parameters."""
    if not question.all("s"):
        return None
    raise_all(missing(question, {"vary": "Give a parameter and its values, such as cn=0%:50%:5%."}))
    vary = {}
    for text in question.all("vary"):
        name, sign, values = text.partition("=")
        if not (name and sign and values):
            raise_all([Violation("vary", f"{text[:60]} is not NAME=VALUES, such as cn=0%:50%:5%.")])
        vary[name] = values.split(",") if "," in values else values
    options = question.options(SWEEP)
    result = client.sweep(question.table(), *question.scenarios(1), vary=vary, **cast(Any, options))
    return ran(client, result)


def show_compare(question: Question, site: Site, ran: Ran | None) -> Parts:
    """Show the form of a comparison, and its answer with bars of where the duty changes."""
    hint = "The others are compared with the first"
    scenarios = Field("s", "Laws and scenarios", "several", choices=site.scenarios, hint=hint)
    parts = form_parts(question, site, IMPACT, [scenarios], {"on": _later(site), "by": "origin"})
    if ran is not None:
        parts["bars"] = bars_of(ran.figure)
    return parts | answer_parts(question, ran)


def show_timeline(question: Question, site: Site, ran: Ran | None) -> Parts:
    """Show the form of a timeline, and its answer with steps of the duty."""
    own = [
        Field("s", "Laws and scenarios", "several", choices=site.scenarios),
        Field("start", "First day", "date", question.get("start", _earlier(site)), is_required=True),
        Field("end", "Last day", "date", question.get("end", _later(site)), is_required=True),
    ]
    parts = form_parts(question, site, TIMELINE, own, {"response": "none", "by": "origin"})
    if ran is not None:
        end = cast(TimelineResult, ran.result).days[1]
        parts |= {"events": ran.figure.events, "plot": steps_of(ran.figure, end)}
    return parts | answer_parts(question, ran)


def show_sweep(question: Question, site: Site, ran: Ran | None) -> Parts:
    """Show the form of a sweep, and its answer with a curve and a slider over its points."""
    own = [
        Field("s", "Scenario with parameters", "single", question.get("s"), site.scenarios),
        *(
            Field("vary", "Parameter and values", value=text, hint="NAME=LOW:HIGH:STEP, or NAME=10%,20%")
            for text in (*question.all("vary"), "")
        ),
    ]
    parts = form_parts(question, site, SWEEP, own, {"on": _later(site), "by": "origin"})
    if ran is not None:
        parts |= _points(cast(Sweep, ran.result), ran.law)
    return parts | answer_parts(question, ran)


def form_parts(
    question: Question, site: Site, verb: str, own: Sequence[Field], started: Mapping[str, str]
) -> dict[str, Any]:
    """Make the parts of a page that hold the form of a run: its own fields, then the options of its verb."""
    tables = [("", "US imports of 2024"), *((one.name, _table_words(one)) for one in site.tables)]
    table = Field("table", "Goods", "select", question.get("table"), tables)
    return {
        "fields": [*run_fields(question, verb, own, started), table],
        "more": more_run_fields(question, verb),
        **begun(verb),
    }


def _table_words(table: Any) -> str:
    return f"{table.row_count:,} rows of {table.create_time[:10]} ({table.name.removeprefix('tables/')[:8]})"


def answer_parts(question: Question, ran: Ran | None) -> dict[str, Any]:
    """Make the parts of a page that show the answer of a run, with its downloads."""
    if ran is None:
        return {}
    five = ran.result.answer()
    files = {"report": "Report", "xlsx": "Workbook (xlsx)", "csv": "Table (csv)", "json": "JSON"}
    downloads = [(words, question.address(**{"as": name})) for name, words in files.items()]
    table = question.get("table")
    return {
        "view": ran.described,
        "five": five.table if five else None,
        "ranged": question.address(draws="64") if ran.is_of_day and not question.get("draws") else "",
        "downloads": downloads,
        "goods": f"your table {table.removeprefix('tables/')[:8]}" if table else "US imports of 2024",
        "refused": ran.result.refused.height,
    }


def _later(site: Site) -> str:
    return (date.fromisoformat(site.day) + _AHEAD).isoformat()


def _earlier(site: Site) -> str:
    return (date.fromisoformat(site.day) - _PERIOD).isoformat()


def _points(result: Sweep, law: LegalText) -> dict[str, Any]:
    """Draw the curve of a sweep, and write what the slider shows at each point."""
    count, result = result.points.height, _thinned(result)
    axes, points = result.axes(law), result.points
    column = "duty_after" if result.totals["duty_after"].count() else "duty"
    first = points[points.columns[0]]
    at = [float(one) for one in (first if first.dtype.is_numeric() else range(count))][: points.height]
    series: dict[str, list[tuple[float, float]]] = {}
    labels = []
    for x, row in zip(at, result.totals.iter_rows(named=True), strict=True):
        named = [f"{one.title} {one.shown(row[one.name])}" for one in axes]
        series.setdefault(", ".join(named[1:]) or axes[0].title, []).append((x, float(row[column] or 0.0)))
        labels.append(", ".join(named))
    plot = curve_plot(
        series,
        (axes[0].shown(first[0]), axes[0].shown(first[-1])),
        short_unit(result.totals[column].to_list()),
    )
    left_out = f"{points.height} of {count:,} points are shown." if count > points.height else ""
    return {"plot": plot, "left_out": left_out, "slider": _slider(result, labels, plot, at)}


def _thinned(result: Sweep) -> Sweep:
    """Take as many points of a sweep as a page can hold."""
    step = -(-result.points.height // _MOST_POINTS)
    if step < 2:
        return result
    points = result.points.gather_every(step)
    groups = result.groups.join(points, on=points.columns, how="semi")
    return replace(result, points=points, totals=result.totals.gather_every(step), groups=groups)


def _slider(result: Sweep, labels: Sequence[str], plot: Plot, at: Sequence[float]) -> dict[str, Any]:
    """Write the totals and the largest groups of each point, as the slider shows them."""
    low, span = min(at), (max(at) - min(at)) or 1.0
    names = [name for name in ("duty", "duty_after", "value_after", "welfare") if result.totals[name].count()]
    unit = short_unit([value for name in names for value in result.totals[name]])
    keys = result.keys
    shown = [name for name in ("duty", "duty_after") if keys and result.groups[name].count()]
    rows = (
        result.groups.partition_by(result.points.columns, as_dict=True, maintain_order=True) if shown else {}
    )
    group_unit = short_unit([value for name in shown for value in result.groups[name]])
    points = []
    for place, point in enumerate(result.points.iter_rows()):
        total = result.totals.row(place, named=True)
        largest = largest_first(rows.get(point, result.groups.clear()), "duty").head(_GROUPS_AT_POINT)
        points.append(
            {
                "label": labels[place],
                "x": round((at[place] - low) / span * 1000, 1),
                "totals": [three(total[name], unit.dollars) for name in names],
                "groups": [
                    [
                        ", ".join(label_of(key, str(row[key])) for key in keys),
                        *(three(row[name], group_unit.dollars) for name in shown),
                    ]
                    for row in largest.iter_rows(named=True)
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


def csv_of(result: TableResult) -> bytes:
    """Write the rows of a result for people: names beside codes, and nothing that a spreadsheet computes."""
    rows = result.segments if isinstance(result, TimelineResult) else cast(Any, result).groups
    return for_people(with_names(rows)).write_csv().encode()


def workbook_of(result: TableResult) -> bytes:
    """Write a result as a workbook."""
    with tempfile.TemporaryDirectory(prefix="tariffs-desk-") as folder:
        path = Path(folder) / "result.xlsx"
        result.to_excel(path)
        return path.read_bytes()


FILES = {
    "csv": ("text/csv", "csv", lambda ran: csv_of(ran.result)),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
        lambda ran: workbook_of(ran.result),
    ),
    "report": ("text/html", "html", lambda ran: ran.result.report(law=ran.law).encode()),
}
COMPARE = Page("/compare", "run.html.j2", "Compare", ask_compare, show_compare, "impact", RUN, FILES)
TIMELINE_PAGE = Page(
    "/timeline", "run.html.j2", "Timeline", ask_timeline, show_timeline, "timeline", RUN, FILES
)
SWEEP_PAGE = Page("/sweep", "run.html.j2", "Sweep", ask_sweep, show_sweep, "sweep", RUN, FILES)
