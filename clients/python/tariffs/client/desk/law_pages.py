"""Law in use: every measure as a page, and what differs between two days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import unquote

from tariffs.client.client import Client
from tariffs.client.desk.drawing import Plot, days_plot
from tariffs.client.desk.fields import Field
from tariffs.client.desk.page import Page, Parts, Site
from tariffs.client.desk.question import Question, missing, raise_all
from tariffs.client.results.law import Law, Measure, MeasureCode, MeasureCodes
from tariffs.client.results.law_changes import LawChanges, by_day
from tariffs.client.results.short_names import label_of, name_of, spelled_out

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s?%")
_BACK, _MOST_CODES = timedelta(days=90), 1000
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


def ask_index(client: Client, question: Question, law: Law) -> Measures:
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
    first = (date.fromisoformat(site.day) - _BACK).isoformat()
    return {
        "text": question.get("q"),
        "groups": [(label_of("authority", node), found[node]) for node in tops],
        "count": sum(map(len, found.values())),
        "diff": f"/law/diff?first={first}&second={site.day}",
        "confidence": CONFIDENCE,
    }


def ask_measure(client: Client, question: Question, law: Law) -> Measure:
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


def ask_codes(client: Client, question: Question, law: Law) -> MeasureCodes:
    """List the codes that a measure names, or those that hold a code or are part of it."""
    raise_all(missing(question, {"measure": "Give the id of a measure."}))
    hts = question.get("hts")
    return client.measure_codes(
        question.get("measure"),
        hts=hts,
        list_name=question.get("list"),
        page_size=_MOST_CODES if hts else 0,
        page_token=question.get("page"),
    )


def show_codes(question: Question, site: Site, found: MeasureCodes | None) -> Parts:
    """Show codes with their names and lists, and whether the code that was asked about is one."""
    hts = re.sub(r"\D", "", question.get("hts"))
    codes = found.codes if found else ()
    own = {"measure": question.get("measure"), "list": question.get("list")}
    return {
        "measure_id": own["measure"],
        "own": {name: value for name, value in own.items() if value},
        "answer": _is_named(hts, codes) if hts and found else "",
        "rows": [
            (one.dotted, name_of("hts4", one.code), one.list, "left out" if one.is_left_out else "")
            for one in codes
        ],
        "count": found.total_size if found else 0,
        "next": question.address(page=found.next_page_token) if found and found.next_page_token else "",
    }


def _is_named(hts: str, codes: Sequence[MeasureCode]) -> str:
    """Say whether a code is one of a measure, whole or in part, and where."""
    if not codes:
        return f"No: the measure names neither {hts} nor a part of it."
    whole = [one for one in codes if hts.startswith(one.code)]
    places = [
        f"{one.list or 'its rows'}{' as left out' if one.is_left_out else ''}" for one in whole or codes
    ]
    return f"{'Yes' if whole else 'In part'}: {hts} is named by {', '.join(dict.fromkeys(places))}."


def ask_diff(client: Client, question: Question, law: Law) -> LawChanges | None:
    """List what differs between the two days, of all measures or one."""
    if not (question.get("first") or question.get("second")):
        return None
    raise_all(missing(question, {"first": "Give the first day.", "second": "Give the second day."}))
    found, measure = client.changes(question.get("first"), question.get("second")), question.get("measure")
    kept = (one for one in found.changes if not measure or measure in one.measures)
    return replace(found, changes=tuple(kept))


def show_diff(question: Question, site: Site, diff: LawChanges | None) -> Parts:
    """Show the changes by day, with the measures that they are about."""
    first = (date.fromisoformat(site.day) - _BACK).isoformat()
    fields = [
        Field("first", "From", "date", question.get("first", first), is_required=True),
        Field("second", "To", "date", question.get("second", site.day), is_required=True),
        Field("measure", "Measure", value=question.get("measure"), hint="Its id; empty for all"),
    ]
    return {"diff": diff, "by_day": by_day(diff.changes if diff else ()), "fields": fields}


LAW = Page("/law", "law.html.j2", "Law", ask_index, show_index, "law_measures")
MEASURE = Page("/law/", "measure.html.j2", "Measure", ask_measure, show_measure, "law_measure")
CODES = Page("/law/codes", "codes.html.j2", "Which lines", ask_codes, show_codes, "codes")
DIFF = Page("/law/diff", "diff.html.j2", "Two days", ask_diff, show_diff, "changes")
