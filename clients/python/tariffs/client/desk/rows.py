"""Rows of a file that an address holds: bills of materials, and goods that are watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.client._wire.frames import read_bytes
from tariffs.client.client import Client
from tariffs.client.desk.fields import ON, SCENARIOS, Field
from tariffs.client.desk.page import RUN, Block, Page, Parts, Site, answer, block, csv_file
from tariffs.client.desk.question import Question
from tariffs.client.desk.unsaved import packed, text_of
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.amounts import usd
from tariffs.client.results.bom import BomResult, BomScenario
from tariffs.client.results.entries import flat
from tariffs.client.results.short_names import inside, label_of
from tariffs.client.results.tables import ShortTable
from tariffs.client.results.watch import (
    EVENT_TITLES,
    WatchEvent,
    WatchResult,
)

_MOST_CHARACTERS, _SHOWN, _EVENTS = 24_000, 15, 500
_ROWS = Field("rows", "Rows", "hidden")


def store(client: Client, question: Question, data: Path) -> str:
    """Write the rows of a file that was uploaded into the address of a page.

    Raises:
        InvalidRequest: the file cannot be read, or has more rows than a link can hold.
    """
    frame = read_bytes(data.read_bytes(), question.get("name", "rows.csv"))
    rows = packed(frame.write_csv(), _MOST_CHARACTERS)
    if not rows:
        fix = "Use the command line for a file of this size."
        raise InvalidRequest(
            "REQUEST_INVALID", "The file has more rows than a link can hold.", field="rows", fix=fix
        )
    return Question(question.path.removesuffix("/upload"), (("rows", rows),)).address()


def rows_of(question: Question) -> pl.DataFrame:
    """Read the rows that an address holds, all as text; raises InvalidRequest if it was cut."""
    return read_bytes(text_of(question.get("rows"), "rows").encode(), "rows.csv")


def _refused(rows: pl.DataFrame, name: str) -> Block:
    cells = rows.select("row", name, "column", "found", "message").rows()
    return block(
        "grid",
        f"Rows that cannot be used: {len(cells):,}",
        ["row", name, "column", "found", "why"],
        cells,
        words=5,
    )


def ask_bom(client: Client, question: Question, site: Site) -> BomResult:
    """Compute the bill of materials that the address holds."""
    scenarios = question.scenarios() if question.all("s") else ()
    names = {
        "on": question.get("on") or None,
        "until": question.get("until"),
        "origins": question.words("origins"),
    }
    given: dict[str, Any] = {**names, "units": question.number("units") or "1"}
    return client.bom(rows_of(question), scenarios=scenarios, **given)


def show_bom(question: Question, site: Site, result: BomResult | None) -> Parts:
    """Show what the parts cost under each scenario, what changes, and what to buy."""
    if result is None:
        return {}
    titles, units = dict(site.scenarios), question.get("units", "1")
    blocks = (part for one in result.scenarios for part in _bill(titles.get(one.id, one.id), one, units))
    notes = [one.message for one in result.notes]
    return answer(
        "Bill of materials",
        *blocks,
        _refused(result.refused, "part"),
        block("downloads", True),
        block("folded", "Notes", notes),
    )


def _bill(title: str, bill: BomScenario, units: str) -> list[Block]:
    first, *more = bill.sentences(units)
    bought = [
        [one["part"], one["supplier"], label_of("origin", one["origin"]), one["units"], _usd(one["landed"])]
        for one in bill.allocation.purchases.to_dicts()
    ]
    heads = ["part", "supplier", "origin", "units", "landed"]
    return [
        block("said", [f"{title}: {inside(first)}", *more, *bill.allocation.sentences]),
        block("rows", [change.sentence for change in bill.changes]),
        *(block("short", replace(table, caption=_caption(table))) for table in bill.tables(_SHOWN)),
        block("grid", "What to buy from whom, USD", heads, bought, words=3, kind="tall"),
    ]


def _caption(table: ShortTable) -> str:
    return "; ".join(filter(None, [f"By {table.heads[0]}, USD", table.caption]))


def _usd(amount: object) -> str:
    return usd(None if amount is None else Decimal(str(amount)))


def ask_watch(client: Client, question: Question, site: Site) -> WatchResult:
    """List the events of the rows that the address holds."""
    ahead = [int(text) for text in question.words("ahead") if text.isdecimal()]
    since, end = question.get("since"), question.get("end")
    return client.watch_events(rows_of(question), ahead=ahead, since=since, end=end)


def show_watch(question: Question, site: Site, found: WatchResult | None) -> Parts:
    """Show events, with those to come first."""
    if found is None:
        return {}
    refused = _refused(found.refused, "line_id")
    events = _events(found.events, site.day)
    return answer("Events of your goods", *events, refused, block("downloads", True))


def _events(events: Sequence[WatchEvent], day: str) -> list[Block]:
    """Make tables of the changes to come and of the others, the last first."""
    ahead = [one for one in events if one.effective_on > day]
    said = [
        f"{len(ahead):,} changes come after {day}." if ahead else f"No change is known to come after {day}."
    ]
    said.append(f"{len(events):,} events in all; amounts are USD a year on the volume of each line.")
    others = [one for one in reversed(events) if one not in ahead]
    return [
        block("said", said),
        *(
            block("grid", title, EVENT_TITLES, [_cells(one) for one in rows[:_EVENTS]], numbers=(5,))
            for title, rows in (("Changes to come", ahead), ("Events, the last first", others))
        ),
    ]


def _cells(event: WatchEvent) -> list[str]:
    return [*event.cells[:2], event.kind.replace("_", " "), *event.cells[3:]]


BOM = Page(
    "/bom", "Bill", "bom", ask_bom, show_bom,
    begin=(
        "Bill of materials",
        "Upload a table of part, parent, quantity, hts, origin, supplier and unit_cost; the answer is what the parts "
        "cost landed, what is ahead, and what to buy from whom. The link holds the table.",
    ),
    fields=(
        _ROWS, ON, SCENARIOS, Field("units", "Finished goods", "number", "1"),
    ),
    more=(
        Field("until", "Look for changes until", "date"),
        Field("origins", "All parts from", hint="CN, VN or all: what the duty would be"),
    ),
    starts=("rows",), role=RUN, store=store, template="rows.html.j2",
    files={"csv": csv_file("Parts (csv)", lambda found: flat(found.frame))},
)  # fmt: skip
WATCH = Page(
    "/watch", "Watch", "watch", ask_watch, show_watch,
    begin=(
        "Goods that are watched",
        "Upload a table of hts, origin and customs_value a year, and if known line_id and quantity; the answer is when "
        "the duty on your goods changes. The link holds the table.",
    ),
    fields=(
        _ROWS,
        Field("since", "First day of knowledge", "date", hint="Empty: 30 days before the last"),
        Field("end", "Last day of knowledge", "date", hint="Empty: the day of the law"),
        Field("ahead", "Days ahead", hint="30, 7; empty for 30"),
    ),
    starts=("rows",), role=RUN, store=store, template="rows.html.j2",
    files={"csv": csv_file("Events (csv)", lambda found: found.frame)},
)  # fmt: skip
