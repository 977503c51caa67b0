"""Duty collected by month, revenue by fiscal year, and forecasts beside what was imported, as pages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

import polars as pl

from tariffs.client.client import Client
from tariffs.client.desk.drawing import bars, days_plot
from tariffs.client.desk.fields import SCENARIOS, Field
from tariffs.client.desk.page import REPORT, RUN, Block, Page, Parts, Site, block, shown
from tariffs.client.desk.question import Question
from tariffs.client.desk.runs import FILES, Ran, ran, show_run
from tariffs.client.results.amounts import short_unit, three
from tariffs.client.results.collections import STEPS, Collections
from tariffs.client.results.hindcast import Hindcast
from tariffs.client.results.impact import TimelineResult
from tariffs.run_spec.option import TIMELINE

_LADDER = ("assessed", *STEPS, "collected", "refunds")
_KEYS = ("month", "authority", "origin")
BOARDS = ("entry", "2025-01-20", "2025-04-10", "2025-08-07", "2026-02-24")
"""Days of docs/hindcast.md on which the law is frozen."""
_OF_LAW = ("known_on", "switches", "min_confidence")
_SPAN = {"first": "2026", "last": "2035"}
_CONVENTIONAL, _YEAR = "conventional", "10-01"


def ask_collections(client: Client, question: Question, site: Site) -> Collections:
    """Follow duty from the law to the treasury over the months of the address."""
    options = {name: value for name, value in question.options(TIMELINE).items() if name in _OF_LAW}
    return client.collections(
        question.get("from"),
        question.get("to"),
        by=question.words("by") or ["month"],
        without=question.words("without"),
        scenario=question.scenarios(1)[0],
        **cast(Any, options),
    )


def show_collections(question: Question, site: Site, found: Collections) -> Parts:
    """Show the ladder as bars, the months as steps, and the rows."""
    total = found.total.row(0, named=True)
    unit = short_unit([total[name] for name in _LADDER])
    drawn = bars((name, total[name], three(total[name], unit.dollars)) for name in _LADDER)
    ladder = block("bars", f"From the law to the money, all months, {unit.name}", drawn)
    return shown(found.to_view(), ladder, *_months(found))


def _months(found: Collections) -> list[Block]:
    if "month" not in found.rows.columns:
        return []
    names = ("assessed", "collected")
    rows = found.rows.group_by("month").agg(pl.col(names).sum()).sort("month")
    days = [f"{month}-01" for month in rows["month"]]
    high = float(cast(float, rows.select(pl.max_horizontal(pl.col(names).max())).item()) or 1.0)
    unit = short_unit([high])
    series = {name: list(zip(days, rows[name], strict=True)) for name in names}
    ends = ("0", f"{three(high, unit.dollars)} {unit.name}")
    after = (date.fromisoformat(days[-1]) + timedelta(days=31)).replace(day=1)
    return [
        block("plot", "Assessed and collected by month", days_plot(series, after.isoformat(), ends, high))
    ]


def ask_score(client: Client, question: Question, site: Site) -> Ran:
    """Compute the revenue of the scenarios by fiscal year."""
    options = {name: value for name, value in question.options(TIMELINE).items() if name != "by"}
    first, last = (int(question.get(name, year)) for name, year in _SPAN.items())
    return ran(client, client.score(question.scenarios(), first=first, last=last, **cast(Any, options)))


def show_score(question: Question, site: Site, found: Ran) -> Parts:
    """Show revenue by fiscal year as steps and tables."""
    years = cast(TimelineResult, found.result).score
    assert years is not None
    amounts, last = years[_CONVENTIONAL], question.get("last", _SPAN["last"])
    unit, low, high = short_unit(amounts.to_list()), min(0.0, *amounts), max(1.0, *amounts)
    runs = years.select("scenario", "fiscal_year", _CONVENTIONAL).partition_by(
        "scenario", as_dict=True, include_key=False, maintain_order=True
    )
    series = {
        found.law.title_of(str(name)): [(f"{year - 1}-{_YEAR}", value) for year, value in rows.iter_rows()]
        for (name,), rows in runs.items()
    }
    ends = (three(low, unit.dollars), f"{three(high, unit.dollars)} {unit.name}")
    plot = days_plot(series, f"{last}-{_YEAR}", ends, high)
    return show_run(question, found, block("plot", "Conventional revenue by fiscal year", plot))


def ask_hindcast(client: Client, question: Question, site: Site) -> Hindcast:
    """Compare forecasts under the law of the board with what was imported."""
    return client.hindcast(question.get("known_on"))


def show_hindcast(question: Question, site: Site, found: Hindcast) -> Parts:
    """Show scores and partners of a board, with its errors as bars."""
    if found.scores.is_empty():
        return shown(found.to_view())
    window = {name: found.scores[name][0] for name in ("first", "last")}
    errors = found.scores.filter(cut="most", **window).select("forecast", "error").rows()
    drawn = bars((name, error, f"{error:.1f}") for name, error in errors)
    words = f"Mean error of a partner's growth, points, {' to '.join(window.values())}"
    return shown(found.to_view(), block("bars", words, drawn))


COLLECTIONS = Page(
    "/collections", "Collections", "collections", ask_collections, show_collections,
    begin=(
        "From the law to the money",
        "Choose months; the answer is the duty that the law charges, what of it comes in, and what becomes of the "
        "rest. The first answer takes some 15 seconds.",
    ),
    fields=(
        Field("from", "First month", value="2025-01", hint="Such as 2025-01", needed="Give the first month."),
        Field("to", "Last month", value="2026-02", needed="Give the last month."),
        Field("by", "By", value="month", choices=[(key, key) for key in _KEYS]),
        Field("s", "Law or scenario", "single", "base"),
        Field("without", "Steps left out", choices=[(one, one) for one in STEPS]),
        Field("known_on", "Acts known by", "date", hint="Empty: by each day"),
    ),
    starts=("from", "to"), seconds="some 15 seconds", role=RUN, files={"report": REPORT},
)  # fmt: skip
SCORE = Page(
    "/score", "Ten years", "score", ask_score, show_score,
    begin=(
        "Revenue by fiscal year",
        "Choose laws and fiscal years; the answer is the revenue of each year, conventional, on imports that grow as "
        "CBO projects. It takes up to a minute.",
    ),
    fields=(
        SCENARIOS,
        Field("first", "First fiscal year", "year", _SPAN["first"]),
        Field("last", "Last fiscal year", "year", _SPAN["last"]),
    ),
    starts=("s",), verb=TIMELINE, without=("by", "table"), seconds="up to a minute", role=RUN, files=FILES,
)  # fmt: skip
HINDCAST = Page(
    "/hindcast", "Hindcast", "hindcast", ask_hindcast, show_hindcast,
    begin=(
        "Forecasts beside what came",
        "Choose the day on which the law is frozen; the answer is the forecast of imports of 2025 by partner beside "
        "what was imported. It takes half a minute.",
    ),
    fields=(Field("known_on", "Law known on", "select", choices=[(one, one) for one in BOARDS]),),
    starts=("known_on",), seconds="half a minute", role=RUN, files={"report": REPORT},
)  # fmt: skip
