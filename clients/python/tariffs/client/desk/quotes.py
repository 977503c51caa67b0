"""Quote of one line: the stack of duties, what it depends on, other scenarios, and other days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from tariffs.client.client import Client
from tariffs.client.desk.drawing import Bar, Plot, days_plot, stacked
from tariffs.client.desk.fields import HTS, LINE, ON, ORIGIN, SCENARIOS, VALUE
from tariffs.client.desk.names import country_in
from tariffs.client.desk.page import Page, Parts, Site, answer, block
from tariffs.client.desk.question import Question
from tariffs.client.desk.unsaved import title_of
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.quote import Layer, Quote
from tariffs.client.results.short_names import label_of, spelled_out

_SIDE_BY_SIDE, _DAYS, _COLOURS = 4, 40, 6
_BACK, _AHEAD = timedelta(days=730), timedelta(days=180)
STATES = {
    "applied": "charged",
    "exempt": "the goods are exempt",
    "displaced": "another duty takes its place",
    "suspended": "not collected for now",
    "undetermined": "depends on a fact that is not declared",
    "prohibited": "the goods may not be imported",
}


@dataclass(frozen=True, slots=True)
class Quoted:
    """Quotes of one line.

    Attributes:
        names: their scenarios.
        quotes: a quote for each.
    """

    names: tuple[str, ...]
    quotes: tuple[Quote, ...]

    def to_json_dict(self) -> dict[str, object]:
        """Convert the first quote to the document of `duty --json`."""
        return self.quotes[0].to_json_dict()


def ask(client: Client, question: Question, site: Site) -> Quoted:
    """Ask for the duty of the line under each scenario."""
    # Without a scenario the request names none, as that of the command.
    scenarios = question.scenarios(_SIDE_BY_SIDE) if question.all("s") else [None]
    quotes = (client.duty(**line_of(question), scenario=one, why=True) for one in scenarios)
    return Quoted(tuple(question.all("s")) or ("base",), tuple(quotes))


def line_of(question: Question) -> dict[str, Any]:
    """Make the arguments of the client that describe the line."""
    return {
        "hts": question.get("hts"),
        "origin": country_in(question.get("origin")),
        "entry_date": question.get("on") or None,
        "value": question.number("value"),
        "claims": question.beginning("claim."),
        "quantity": question.number("quantity"),
        "unit": question.get("unit") or None,
        "mode": question.get("mode") or None,
    }


def show(question: Question, site: Site, quoted: Quoted | None) -> Parts:
    """Show the first quote in full, and the others beside it."""
    if quoted is None:
        return {"asked": [*question.beginning("claim.")]}
    first, *_ = quoted.quotes
    titles = dict(site.scenarios)
    longest = max(float(one.assessed) for one in quoted.quotes)
    charged = (layer.measure for one in quoted.quotes for layer in one.layers if layer.amount > 0)
    colours = {label_of("measure", one): place % _COLOURS for place, one in enumerate(dict.fromkeys(charged))}
    goods, country = label_of("hts4", question.get("hts").replace(".", "")[:4]), question.get("origin")
    others = [
        (one.measure, f"{spelled_out(one.text)} {'; '.join(one.citations)}") for one in first.considered
    ]
    ways = [
        (
            "These goods from other origins",
            question.address("/source", unit_cost=question.get("value"), today=country, origin="", value=""),
        ),
        ("Ways to pay less", question.address("/options")),
    ]
    return {
        "asked": [*first.missing_claims, *question.beginning("claim.")],
        "heading": f"{question.get('hts')} from {label_of('origin', country_in(country))}",
        "first": first,
        "facts": _facts(first),
        "rows": [_row(layer) for layer in first.layers],
        "states": STATES,
        "stacks": [
            (titles.get(name) or title_of(name), one, _stack(one, longest, colours))
            for name, one in zip(quoted.names, quoted.quotes, strict=True)
        ],
        "side": _side_by_side(quoted),
        "goods": goods.partition(" ")[2],
        "rate": f"{first.assessed / Decimal(question.number('value') or 1) * 100:.2f}",
        "days": question.address("/quote/days"),
        "blocks": [
            block("folded", "Measures that matched and do not apply", others),
            block("folded", "Assumed", [one.replace("_", " ") for one in first.assumptions]),
            block("folded", "Notes", [one.message for one in first.notes]),
            block("links", ways),
            block("downloads", True),
        ],
    }


def _facts(first: Quote) -> list[tuple[str, str]]:
    """List the amounts beside the duty of a quote."""
    facts = [("Owed, without void acts", f"{first.owed:,}")]
    if {first.min, first.max} != {first.assessed}:
        facts.append(("Depending on facts", f"{first.min:,} to {first.max:,}"))
    words = {"mpf": "Processing fee", "hmf": "Harbor fee", "total": "Landed cost"}
    return facts + [(text, f"{first.landed[name]:,}") for name, text in words.items() if name in first.landed]


def _row(layer: Layer) -> dict[str, Any]:
    rate = "" if layer.rate is None else f"{(layer.rate * 100).normalize():f} %"
    return {
        "layer": layer,
        "name": label_of("measure", layer.measure),
        "rate": rate,
        "why": spelled_out(layer.why.get("text", "")),
    }


def _stack(quote: Quote, longest: float, colours: Mapping[str, int]) -> list[Bar]:
    charged = [one for one in quote.layers if one.amount > 0]
    rows = ((label_of("measure", one.measure), float(one.amount), f"{one.amount:,}") for one in charged)
    return stacked(rows, longest, colours)


def _side_by_side(quoted: Quoted) -> list[list[str]]:
    """List the amount of each measure under each scenario, and their sum; nothing for a single one."""
    if len(quoted.quotes) < 2:
        return []
    amounts = [{one.measure: one.amount for one in quote.layers} for quote in quoted.quotes]
    names = dict.fromkeys(name for one in amounts for name, amount in one.items() if amount)
    rows = [
        [label_of("measure", name), *(f"{one.get(name, Decimal('0.00')):,}" for one in amounts)]
        for name in names
    ]
    return [*rows, ["duty", *(f"{one.assessed:,}" for one in quoted.quotes)]]


@dataclass(frozen=True, slots=True)
class Days:
    """Duty of one line on other days.

    Attributes:
        rows: first day, duty, and whether it is the day of the question.
        plot: the same as steps.
    """

    rows: tuple[tuple[str, Decimal, bool], ...]
    plot: Plot


def ask_days(client: Client, question: Question, site: Site) -> Days:
    """Ask for the duty on the days on which the law of the line changes, from two years before to half a year after."""
    line, on = line_of(question), (question.get("on") or site.day)[:10]
    day, (begin, end) = date.fromisoformat(on), site.law.coverage
    first, last = max((day - _BACK).isoformat(), begin[:10]), min((day + _AHEAD).isoformat(), end[:10])
    scenario, goods = question.scenarios()[0], {"hts": line["hts"].replace(".", ""), "origin": line["origin"]}
    changes = client.changes(first, last, **goods, scenario=scenario).changes
    days = sorted({first, on, *(one.effect_time[:10] for one in changes if one.effect_time)})[-_DAYS:]
    known = {name: str(line[name]) for name in ("quantity", "unit", "mode") if line[name]}
    rows = pl.DataFrame(
        {
            "hts": line["hts"],
            "origin": line["origin"],
            "customs_value": str(line["value"]),
            "entry_date": [one for one in days if first <= one < last],
            **known,
            **line["claims"],
        }
    )
    lines = client.duties(rows, scenario=scenario).lines
    found = lines.select("entry_date", "assessed").drop_nulls("assessed").rows()
    if not found:
        raise InvalidRequest("REQUEST_INVALID", "The line has no duty on other days.")
    kept = [
        (one, duty, one == on)
        for place, (one, duty) in enumerate(found)
        if place == 0 or duty != found[place - 1][1] or one == on
    ]
    high = max(duty for _, duty, _ in kept)
    steps = [(one, float(duty)) for one, duty, _ in kept]
    plot = days_plot({"duty": steps}, last, ("0", f"{high:,}"), float(high))
    return Days(tuple(kept), plot)


def show_days(question: Question, site: Site, days: Days) -> Parts:
    """Show the duty on other days, each with the address of its quote."""
    links = [((one, question.address("/quote", on=one)), f"{duty:,}") for one, duty, _ in days.rows]
    chosen = [place for place, row in enumerate(days.rows) if row[2]]
    return answer(
        "Other days",
        block("plot", "Duty by day of entry, USD", days.plot),
        block("grid", "Duty by first day, USD", ["from", "duty"], links, sums=chosen, kind="narrow"),
    )


QUOTE = Page(
    "/quote", "Quote", "duty", ask, show,
    begin=(
        "Duty on one line",
        "Give the product, its origin and its value; the answer is every layer of duty with its reason and its source.",
    ),
    fields=(
        HTS, ORIGIN, VALUE, ON,
        replace(SCENARIOS, label="Law or scenario", hint="A second one is compared with the first"),
    ),
    more=LINE, starts=("origin", "value", "on"), claims=True, template="quote.html.j2",
)  # fmt: skip
DAYS = Page(
    "/quote/days", "Other days", "desk_days", ask_days, show_days, fields=(HTS, ORIGIN, VALUE, ON), has_form=False
)  # fmt: skip
