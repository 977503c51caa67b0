"""Origins of a product by the landed cost of a unit, under the law and scenarios."""

from __future__ import annotations

from decimal import Decimal

from tariffs.client.client import Client
from tariffs.client.desk.drawing import bars
from tariffs.client.desk.fields import Field, more_quote_fields
from tariffs.client.desk.line_checks import check_line
from tariffs.client.desk.names import countries, country_in
from tariffs.client.desk.page import RUN, Page, Parts, Site
from tariffs.client.desk.question import Question
from tariffs.client.desk.quotes import line_of
from tariffs.client.results.law import Law
from tariffs.client.results.short_names import label_of
from tariffs.client.results.source import OriginCost, SourceResult, usd


def ask(client: Client, question: Question, law: Law) -> SourceResult | None:
    """Rank all origins of a product, or some, by landed cost."""
    if not question.pairs:
        return None
    check_line(question, "hts", "unit_cost")
    line = line_of(question)
    return client.source(
        line["hts"],
        question.number("unit_cost"),
        on=line["entry_date"],
        scenarios=question.scenarios() if question.all("s") else (),
        origins=question.get("origins").upper().replace(",", " ").split(),
        today=country_in(question.get("today")),
        units=question.number("units") or 1,
        **{name: line[name] for name in ("claims", "quantity", "unit", "mode")},
    )


def show(question: Question, site: Site, result: SourceResult | None) -> Parts:
    """Show the cheapest origin, the largest suppliers as bars, and all origins in a table."""
    value, titles = question.get, dict(site.scenarios)
    parts = {
        "fields": [
            Field("hts", "Product code", value=value("hts"), hint="HTS, 4 to 10 digits", is_required=True),
            Field("unit_cost", "Price of a unit, USD", value=value("unit_cost"), is_required=True),
            Field("today", "Origin today", value=value("today"), choices=countries(), hint="To compare with"),
            Field("on", "Day of entry", "date", value("on", site.day)),
            Field("s", "Laws and scenarios", "several", choices=site.scenarios),
        ],
        "more": [
            Field(
                "units",
                "Units of an entry",
                value=value("units"),
                hint="Its fees are divided by them; 1 if empty",
            ),
            Field("origins", "Only these origins", value=value("origins"), hint="CN, VN; empty for all"),
            *more_quote_fields(question, site.law.claims, ()),
        ],
        "result": result,
    }
    if result is None:
        return parts
    first, *others = result.scenarios
    today = country_in(value("today"))
    landed = [{cost.origin: usd(cost.landed) for cost in one.origins} for one in others]
    named = [(titles.get(one.id, one.id), one) for one in result.scenarios]
    return parts | {
        "answers": [f"{title}: {one.answer(today)}" for title, one in named]
        + list(filter(None, [result.choice])),
        "bars": bars(
            (label_of("origin", one.origin), float(one.landed), usd(one.landed))
            for one in first.largest(today)
            if one.landed is not None and one.rank
        ),
        "heads": [
            "origin",
            "rank",
            "price",
            "duty",
            "landed",
            *(title for title, _ in named[1:]),
            "imports 2024, USD m",
        ],
        "rows": [
            [
                (label_of("origin", one.origin), _quote_of(question, one)),
                str(one.rank or "-"),
                usd(one.unit_cost),
                usd(one.duty),
                usd(one.landed),
                *(amounts.get(one.origin, "") for amounts in landed),
                f"{one.imports / 1e6:,.1f}" if one.imports else "-",
            ]
            for one in sorted(first.origins, key=lambda one: (one.rank or len(first.origins), -one.imports))
        ],
        "declared": [
            (label_of("origin", one.origin), one.if_declared)
            for one in first.largest(today)
            if one.if_declared
        ],
        "unrated": [
            (label_of("origin", one.origin), str(one.problem)) for one in first.origins if one.problem
        ],
    }


def _quote_of(question: Question, cost: OriginCost) -> str:
    value = cost.unit_cost * Decimal(question.number("units") or 1)
    own = dict.fromkeys(("unit_cost", "today", "units", "origins"), "")
    return question.address("/quote", **{**own, "origin": cost.origin, "value": str(value)})


SOURCE = Page("/source", "source.html.j2", "Origins", ask, show, "source", RUN)
