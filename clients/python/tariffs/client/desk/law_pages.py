"""Law in use: every measure as a page, and what differs between two days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from tariffs.client.client import Client
from tariffs.client.desk.drawing import Plot, days_plot
from tariffs.client.desk.fields import Field
from tariffs.client.desk.page import Page, Parts, Site, answer, block
from tariffs.client.desk.question import Question
from tariffs.client.results.law import Measure, MeasureCode, MeasureCodes
from tariffs.client.results.law_changes import LawChanges, by_day
from tariffs.client.results.short_names import label_of, name_of, spelled_out

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s?%")
_MOST_CODES = 1000
CONFIDENCE = {
    "A": "read in the primary text",
    "B": "several independent sources",
    "C": "one secondary source, or inference",
    "U": "unverified",
}


@dataclass(frozen=True, slots=True)
class Measures:
    """All measures of the law."""

    measures: tuple[Measure, ...]

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `law measures --json`."""
        return {"measures": [one.summary() for one in self.measures]}


def ask_index(client: Client, question: Question, site: Site) -> Measures:
    """List all measures."""
    return Measures(client.measures())


def show_index(question: Question, site: Site, index: Measures | None) -> Parts:
    """Show measures by authority, those with the words searched for."""
    words = question.get("q").lower().split()
    found: dict[str, list[Measure]] = {}
    for one in index.measures if index else ():
        if all(word in f"{one.id} {one.title} {' '.join(one.citations)}".lower() for word in words):
            found.setdefault(one.authority, []).append(one)
    tops = sorted(found, key=lambda node: (node.partition(".")[0], node))
    return {
        "text": question.get("q"),
        "groups": [(label_of("authority", node), found[node]) for node in tops],
        "count": sum(map(len, found.values())),
        "diff": f"/law/diff?first={site.starts['before']}&second={site.day}",
        "confidence": CONFIDENCE,
    }


def ask_measure(client: Client, question: Question, site: Site) -> Measure:
    """Get the measure that the address names."""
    return client.measure(unquote(question.path.removeprefix("/law/")))


def show_measure(question: Question, site: Site, measure: Measure | None) -> Parts:
    """Show a measure: what, who, since when, known when, its levels, its periods and the acts on it."""
    if measure is None:
        return {"measure": None}
    return {
        "measure": measure,
        "authority": name_of("authority", measure.authority) or measure.authority,
        "rows_of": lambda period: [
            (row.charge, row.goods, row.conditions, row.heading) for row in period.rows
        ],
        "levels": _levels(measure, site.day),
        "confidence": CONFIDENCE,
        "events": [(one, spelled_out(one.text)) for one in measure.events],
        "history": f"/law/diff?first={site.law.coverage[0][:10]}&second={site.day}&measure={measure.id}",
    }


def _levels(measure: Measure, today: str) -> Plot | None:
    """Draw the rates of each period as enacted, with the days of later acts; None without a rate in percent.

    Where rows of a period differ, one line is the highest of their rates and one the lowest that is charged.
    """
    ends = ((one.start[:10], one.end[:10]) for one in measure.periods)
    days = sorted({day for pair in ends for day in pair if day})
    levels = [(day, _rates_on(measure, day)) for day in days]
    high = max((rate for _, rates in levels for rate in rates), default=0.0)
    if not high:
        return None
    differ = any(len(rates) > 1 for _, rates in levels)
    ways = {"highest rate": max, "lowest rate that is charged": min} if differ else {"rate": max}
    series = {name: [(day, way(rates, default=0.0)) for day, rates in levels] for name, way in ways.items()}
    acts = {
        one.start[:10]: f"{one.start[:10]}: {spelled_out(one.text)}" for one in measure.events if one.start
    }
    return days_plot(series, max(today, *days), ("0 %", f"{high:g} %"), high, acts)


def _rates_on(measure: Measure, day: str) -> set[float]:
    """Collect the rates in percent of the rows of the last period that has begun and not ended."""
    begun = (one for one in measure.periods if one.start and one.start[:10] <= day)
    held = [one for one in begun if not one.end or day < one.end[:10]][-1:]
    return {
        float(rate) for period in held for row in period.rows for rate in _PERCENT.findall(row.charge)
    } - {0.0}


def ask_codes(client: Client, question: Question, site: Site) -> MeasureCodes:
    """List the codes that a measure names, or those that hold a code or are part of it."""
    hts = question.get("hts")
    return client.measure_codes(
        question.get("measure"),
        hts=hts,
        list_name=question.get("list"),
        page_size=_MOST_CODES if hts else 0,
        page_token=question.get("page"),
    )


def show_codes(question: Question, site: Site, found: MeasureCodes) -> Parts:
    """Show codes with their names and lists, and whether the code that was asked about is one."""
    text, listed = question.get("hts"), question.get("list")
    own = {"measure": question.get("measure"), "list": listed}
    codes = [
        (one.dotted, name_of("hts4", one.code), one.list, "left out" if one.is_left_out else "")
        for one in found.codes
    ]
    following = question.address(page=found.next_page_token) if found.next_page_token else ""
    none = "" if codes or text else "It names no products: its rows reach all goods of their countries."
    of_list, heads = f", of list {listed}" if listed else "", ["code", "goods of the heading", "list", ""]
    meaning = "A code means all codes that begin with it. What is charged on each list is in the rows of the periods."
    return answer(
        "Which lines",
        block("links", [(own["measure"], f"/law/{quote(own['measure'])}")]),
        block("search", "/law/codes", "hts", "Is my code in it?", "Check", text, "9503.00.0073", own),
        block("said", [_is_named(re.sub(r"\D", "", text), found.codes)] if text else []),
        block(
            "grid", f"Codes on {site.day}{of_list}: {found.total_size:,}", heads, codes, words=4, kind="tall"
        ),
        block("links", [("The next codes", following)] if following else []),
        block("dim", codes and meaning),
        block("dim", none),
    )


def _is_named(hts: str, codes: Sequence[MeasureCode]) -> str:
    """Say whether a code is one of a measure, whole or in part, and where."""
    if not codes:
        return f"No: the measure names neither {hts} nor a part of it."
    whole = [one for one in codes if hts.startswith(one.code)]
    places = [
        f"{one.list or 'its rows'}{' as left out' if one.is_left_out else ''}" for one in whole or codes
    ]
    return f"{'Yes' if whole else 'In part'}: {hts} is named by {', '.join(dict.fromkeys(places))}."


def ask_diff(client: Client, question: Question, site: Site) -> LawChanges:
    """List what differs between the two days, of all measures or one."""
    found, measure = client.changes(question.get("first"), question.get("second")), question.get("measure")
    kept = (one for one in found.changes if not measure or measure in one.measures)
    return replace(found, changes=tuple(kept))


def show_diff(question: Question, site: Site, diff: LawChanges) -> Parts:
    """Show the changes by day, with the measures that they are about."""
    words = f"{len(diff.changes)} changes that took effect, ended or were published between the days."
    heading = f"What changed from {question.get('first')} to {question.get('second')}"
    return answer(heading, block("dim", words), block("days", by_day(diff.changes)), block("downloads", True))


LAW = Page("/law", "Law", "law_measures", ask_index, show_index, template="law.html.j2")
MEASURE = Page("/law/", "Measure", "law_measure", ask_measure, show_measure, template="measure.html.j2")
CODES = Page(
    "/law/codes", "Which lines", "codes", ask_codes, show_codes,
    fields=(Field("measure", "Measure", "hidden", needed="Give the id of a measure."),), has_form=False,
)  # fmt: skip
DIFF = Page(
    "/law/diff", "Two days", "changes", ask_diff, show_diff,
    begin=("The law of two days", ""),
    fields=(
        Field("first", "From", "date", "{before}", needed="Give the first day."),
        Field("second", "To", "date", "{day}", needed="Give the second day."),
        Field("measure", "Measure", hint="Its id; empty for all"),
    ),
    starts=("first", "second"), button="Compare",
)  # fmt: skip
