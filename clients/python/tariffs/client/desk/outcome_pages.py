"""Duty collected by month, revenue by fiscal year, and forecasts beside what was imported, as pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, cast

import polars as pl

from tariffs.client.client import Client
from tariffs.client.desk.drawing import bars, days_plot
from tariffs.client.desk.fields import Field
from tariffs.client.desk.page import RUN, Page, Parts, Site
from tariffs.client.desk.question import Question, missing, raise_all
from tariffs.client.desk.runs import FILES, Ran, answer_parts, begun, form_parts, ran
from tariffs.client.errors import Violation
from tariffs.client.results.amounts import short_unit, three
from tariffs.client.results.collections import STEPS, Collections
from tariffs.client.results.hindcast import Hindcast
from tariffs.client.results.impact import TimelineResult
from tariffs.client.results.law import Law
from tariffs.client.results.view import View
from tariffs.run_spec.option import TIMELINE

_LADDER = ("assessed", *STEPS, "collected", "refunds")
_KEYS = ("month", "authority", "origin")
BOARDS = ("entry", "2025-01-20", "2025-04-10", "2025-08-07", "2026-02-24")
"""Days of docs/hindcast.md on which the law is frozen."""
_OF_LAW = ("known_on", "switches", "min_confidence")
_REPORT = {"report": ("text/html", "html", lambda found: found.report().encode())}
_YEAR = "10-01"


def ask_collections(client: Client, question: Question, law: Law) -> Collections | None:
    """Follow duty from the law to the treasury over the months of the address."""
    if not (question.get("from") or question.get("to")):
        return None
    raise_all(missing(question, {"from": "Give the first month.", "to": "Give the last month."}))
    options = {name: value for name, value in question.options(TIMELINE).items() if name in _OF_LAW}
    return client.collections(
        question.get("from"),
        question.get("to"),
        by=_words(question, "by") or ["month"],
        without=_words(question, "without"),
        scenario=question.scenarios(1)[0],
        **cast(Any, options),
    )


def _words(question: Question, name: str) -> list[str]:
    return [word for text in question.all(name) for word in text.replace(",", " ").split()]


def show_collections(question: Question, site: Site, found: Collections | None) -> Parts:
    """Show the form, and the ladder as bars, the months as steps, and the rows."""
    own = [
        Field(
            "from",
            "First month",
            value=question.get("from", "2025-01"),
            hint="Such as 2025-01",
            is_required=True,
        ),
        Field("to", "Last month", value=question.get("to", "2026-02"), is_required=True),
        Field("by", "By", value=question.get("by", "month"), choices=[(key, key) for key in _KEYS]),
        Field("s", "Law or scenario", "single", question.get("s", "base"), site.scenarios),
        Field(
            "without", "Steps left out", value=question.get("without"), choices=[(one, one) for one in STEPS]
        ),
        Field("known_on", "Acts known by", "date", question.get("known_on"), hint="Empty: by each day"),
    ]
    parts: dict[str, Any] = {"fields": own, "more": (), **begun("collections")} | _shown(question, found)
    if found is None:
        return parts
    total = found.total.row(0, named=True)
    unit = short_unit([total[name] for name in _LADDER])
    drawn = bars((name, total[name], three(total[name], unit.dollars)) for name in _LADDER)
    return (
        parts
        | _months(found)
        | {"bars": drawn, "chart": f"Assessed and collected by month; all months by step, {unit.name}"}
    )


def _months(found: Collections) -> dict[str, Any]:
    if "month" not in found.rows.columns:
        return {}
    names = ("assessed", "collected")
    rows = found.rows.group_by("month").agg(pl.col(names).sum()).sort("month")
    days = [f"{month}-01" for month in rows["month"]]
    high = float(cast(float, rows.select(pl.max_horizontal(pl.col(names).max())).item()) or 1.0)
    unit = short_unit([high])
    series = {name: list(zip(days, rows[name], strict=True)) for name in names}
    shown = ("0", f"{three(high, unit.dollars)} {unit.name}")
    after = date.fromisoformat(days[-1]) + timedelta(days=31)
    return {"plot": days_plot(series, after.replace(day=1).isoformat(), shown, high)}


def ask_score(client: Client, question: Question, law: Law) -> Ran | None:
    """Compute the revenue of the scenarios by fiscal year."""
    if not question.all("s"):
        return None
    faults = [Violation(name, "Give a year.") for name in ("first", "last") if not _year(question, name)]
    raise_all(faults)
    options = {name: value for name, value in question.options(TIMELINE).items() if name != "by"}
    first, last = (_year(question, name) for name in ("first", "last"))
    return ran(client, client.score(question.scenarios(), first=first, last=last, **cast(Any, options)))


def _year(question: Question, name: str) -> int:
    text = question.get(name, {"first": "2026", "last": "2035"}[name])
    return int(text) if text.isdecimal() and len(text) == len("2026") else 0


def show_score(question: Question, site: Site, found: Ran | None) -> Parts:
    """Show the form, and revenue by fiscal year as steps and tables."""
    own = [
        Field("s", "Laws and scenarios", "several", choices=site.scenarios),
        Field("first", "First fiscal year", value=question.get("first", "2026")),
        Field("last", "Last fiscal year", value=question.get("last", "2035")),
    ]
    parts = {**form_parts(question, site, TIMELINE, own, {}), **begun("score")} | answer_parts(
        question, found
    )
    hidden = ("by", "table")
    parts["fields"] = [one for one in parts["fields"] if one.name not in hidden]
    if found is None:
        return parts
    years = cast(TimelineResult, found.result).score
    assert years is not None
    column = "conventional"
    unit = short_unit(years[column].to_list())
    low, high = min(0.0, *years[column]), max(1.0, *years[column])
    series = {
        found.law.title_of(str(name)): [(f"{year - 1}-{_YEAR}", value) for year, value in rows.iter_rows()]
        for (name,), rows in years.select("scenario", "fiscal_year", column)
        .partition_by("scenario", as_dict=True, include_key=False, maintain_order=True)
        .items()
    }
    shown = (three(low, unit.dollars), f"{three(high, unit.dollars)} {unit.name}")
    last = f"{_year(question, 'last')}-{_YEAR}"
    return parts | {
        "chart": "Conventional revenue by fiscal year",
        "plot": days_plot(series, last, shown, high),
    }


def ask_hindcast(client: Client, question: Question, law: Law) -> Hindcast | None:
    """Compare forecasts under the law of the board with what was imported."""
    return client.hindcast(question.get("known_on")) if question.get("known_on") else None


def show_hindcast(question: Question, site: Site, found: Hindcast | None) -> Parts:
    """Show the boards to choose from, and scores and partners of one with its errors as bars."""
    board = Field(
        "known_on", "Law known on", "select", question.get("known_on"), [(one, one) for one in BOARDS]
    )
    parts = {"fields": [board], "more": (), **begun("hindcast")} | _shown(question, found)
    if found is None or found.scores.is_empty():
        return parts
    first = found.scores.filter(
        pl.struct("last", "cut") == pl.struct(pl.col("last").first(), pl.lit("most").alias("cut"))
    )
    drawn = bars(
        (name, error, f"{error:.1f}") for name, error in first.select("forecast", "error").iter_rows()
    )
    return parts | {"bars": drawn, "chart": "Mean error of a partner's growth, points"}


def _shown(question: Question, found: Collections | Hindcast | None) -> dict[str, Any]:
    """Show the view of a result without goods of its own."""
    view: View | None = None if found is None else found.to_view()
    files: Sequence[tuple[str, str]] = (("Report", "report"), ("JSON", "json"))
    return {
        "view": view,
        "downloads": [(words, question.address(**{"as": name})) for words, name in files],
        "refused": 0,
    }


COLLECTIONS = Page(
    "/collections",
    "run.html.j2",
    "Collections",
    ask_collections,
    show_collections,
    "collections",
    RUN,
    _REPORT,
)
SCORE = Page("/score", "run.html.j2", "Score", ask_score, show_score, "score", RUN, FILES)
HINDCAST = Page("/hindcast", "run.html.j2", "Hindcast", ask_hindcast, show_hindcast, "hindcast", RUN, _REPORT)
