"""Origins of a product by the landed cost of a unit, under the law and scenarios."""

from __future__ import annotations

from decimal import Decimal

from tariffs.client.client import Client
from tariffs.client.desk.drawing import bars
from tariffs.client.desk.fields import HTS, LINE, ON, SCENARIOS, Field
from tariffs.client.desk.names import country_in
from tariffs.client.desk.page import RUN, Page, Parts, Site, answer, block
from tariffs.client.desk.question import Question
from tariffs.client.desk.quotes import line_of
from tariffs.client.results.short_names import label_of
from tariffs.client.results.source import OriginCost, SourceResult, usd


def ask(client: Client, question: Question, site: Site) -> SourceResult:
    """Rank all origins of a product, or some, by landed cost."""
    line = line_of(question)
    return client.source(
        line["hts"],
        question.number("unit_cost"),
        on=line["entry_date"],
        scenarios=question.scenarios() if question.all("s") else (),
        origins=[name.upper() for name in question.words("origins")],
        today=country_in(question.get("today")),
        units=question.number("units") or 1,
        **{name: line[name] for name in ("claims", "quantity", "unit", "mode")},
    )


def show(question: Question, site: Site, result: SourceResult) -> Parts:
    """Show the cheapest origin, the largest suppliers as bars, and all origins in a table."""
    titles, today = dict(site.scenarios), country_in(question.get("today"))
    first, *others = result.scenarios
    names = [titles.get(one.id, one.id) for one in result.scenarios]
    said = [f"{name}: {one.answer(today)}" for name, one in zip(names, result.scenarios, strict=True)]
    largest = [(label_of("origin", one.origin), one) for one in first.largest(today)]
    drawn = bars(
        (name, float(one.landed), usd(one.landed)) for name, one in largest if one.landed and one.rank
    )
    landed = [{cost.origin: usd(cost.landed) for cost in one.origins} for one in others]
    rows = [
        [
            (label_of("origin", one.origin), _quote_of(question, one)),
            str(one.rank or "-"),
            *map(usd, (one.unit_cost, one.duty, one.landed)),
            *(amounts.get(one.origin, "") for amounts in landed),
            f"{one.imports / 1e6:,.1f}" if one.imports else "-",
        ]
        for one in sorted(first.origins, key=lambda one: (one.rank or len(first.origins), -one.imports))
    ]
    heads = ["origin", "rank", "price", "duty", "landed", *names[1:], "imports 2024, USD m"]
    unrated = [(label_of("origin", one.origin), str(one.problem)) for one in first.origins if one.problem]
    declared = [(name, one.if_declared) for name, one in largest if one.if_declared]
    return answer(
        f"Where {question.get('hts')} lands at the least cost",
        block("said", [*said, *filter(None, [result.choice])]),
        block("bars", "Landed cost of a unit from the largest suppliers, USD", drawn),
        block("folded", "Landed cost if a fact is declared", declared),
        block("grid", "All origins, USD a unit", heads, rows, kind="tall"),
        block("folded", "Origins whose duty cannot be computed", unrated),
        block("downloads", True),
    )


def _quote_of(question: Question, cost: OriginCost) -> str:
    value = cost.unit_cost * Decimal(question.number("units") or 1)
    own = dict.fromkeys(("unit_cost", "today", "units", "origins"), "")
    return question.address("/quote", **{**own, "origin": cost.origin, "value": str(value)})


SOURCE = Page(
    "/source", "Origins", "source", ask, show,
    begin=(
        "Origins by landed cost",
        "Give the product and the price of a unit; the answer is price, duty and fees from every origin, the cheapest "
        "first.",
    ),
    fields=(
        HTS,
        Field(
            "unit_cost", "Price of a unit, USD", "number",
            needed="Give the price of a unit in US dollars, such as 10.",
        ),
        Field("today", "Origin today", "country", hint="To compare with"),
        ON, SCENARIOS,
    ),
    more=(
        Field("units", "Units of an entry", "number", hint="Its fees are divided by them; 1 if empty"),
        Field("origins", "Only these origins", hint="CN, VN; empty for all"),
        *LINE,
    ),
    starts=("hts", "unit_cost"), claims=True, role=RUN,
)  # fmt: skip
