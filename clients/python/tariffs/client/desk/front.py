"""Front page: one field for a code, words or a country, the mean duty with its last steps, and what changes next."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

from tariffs.client.client import Client
from tariffs.client.desk.drawing import Plot, days_plot
from tariffs.client.desk.names import code_in, countries_named, goods_named
from tariffs.client.desk.page import RUN, Page, Parts, Site, answer, block
from tariffs.client.desk.question import Question
from tariffs.client.results.law_changes import LawChange, by_day

_EXAMPLES = Path(__file__).with_name("examples.json")
_PERIOD, _AHEAD = timedelta(days=365), timedelta(days=90)
_STEPS, _LEAST_STEP = 6, 0.0005
_GOODS_CODE = 4


@dataclass(frozen=True, slots=True)
class Front:
    """Answer of the front page: changes of the next 90 days."""

    changes: tuple[LawChange, ...]


def ask(client: Client, question: Question, site: Site) -> Front:
    """List what changes in the next 90 days."""
    last = date.fromisoformat(site.day) + _AHEAD
    found = client.changes(site.day, last.isoformat()).changes
    return Front(tuple(one for one in found if one.effect_time))


def show(question: Question, site: Site, front: Front | None) -> Parts:
    """Show the field, what it finds, the questions ready to click, and the changes."""
    text = question.get("q")
    code = code_in(text)
    found = [
        *([(f"Quote {text}", f"/quote?{urlencode({'hts': code})}")] if len(code) >= _GOODS_CODE else []),
        *(
            (
                f"{one} {name}",
                f"/quote?{urlencode({'hts': one})}" if len(one) >= _GOODS_CODE else f"/?q={one}",
            )
            for one, name in goods_named(text)
        ),
        *(
            (f"Quote goods of {name}", f"/quote?{urlencode({'origin': one})}")
            for one, name in countries_named(text)
        ),
    ]
    questions = [
        (one["text"], f"{one['path']}?{urlencode([tuple(pair) for pair in one['query']])}")
        for one in json.loads(_EXAMPLES.read_text(encoding="utf-8"))
    ]
    changes = front.changes if front else ()
    return {"text": text, "found": found, "questions": questions, "by_day": by_day(changes)}


@dataclass(frozen=True, slots=True)
class Rate:
    """Mean duty on imports.

    Attributes:
        day: the day it is of.
        rate: as a fraction.
        steps: days on which it changed, with the rate before and after, the latest first.
        plot: a year of it.
    """

    day: str
    rate: float
    steps: tuple[tuple[str, float, float], ...]
    plot: Plot


def ask_rate(client: Client, question: Question, site: Site) -> Rate:
    """Compute the mean duty of the last year."""
    day = site.day
    start = max((date.fromisoformat(day) - _PERIOD).isoformat(), site.law.coverage[0][:10])
    totals = client.timeline(None, ["base"], start=start, end=day, by=[], response="none").totals
    points: list[tuple[str, float]] = list(totals.select("start", "effective_rate").iter_rows())
    steps = [
        (later, before, after)
        for (_, before), (later, after) in pairwise(points)
        if abs(after - before) > _LEAST_STEP
    ]
    high = max(rate for _, rate in points)
    plot = days_plot({"mean duty": points}, day, ("0 %", f"{high * 100:.1f} %"), high)
    return Rate(day, points[-1][1], tuple(steps[-_STEPS:][::-1]), plot)


def show_rate(question: Question, site: Site, rate: Rate) -> Parts:
    """Show the mean duty with its last steps."""
    steps = [(day, f"{old:.2%}"[:-1], f"{new:.2%}"[:-1]) for day, old, new in rate.steps]
    return answer(
        "Mean duty on imports",
        block("big", f"{rate.rate * 100:.1f} %", f"of the value of US imports of 2024, on {rate.day}"),
        block("plot", "Mean duty by day, last year", rate.plot),
        block("grid", "Last steps, percent", ["from", "before", "after"], steps, kind="narrow"),
    )


FRONT = Page("/", "Tariff desk", "desk_front", ask, show, template="front.html.j2")
RATE = Page("/rate", "Mean duty", "desk_rate", ask_rate, show_rate, role=RUN)
