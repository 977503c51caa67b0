"""Lawful ways to pay less duty on a line, with what each saves, its catch and papers."""

from __future__ import annotations

from dataclasses import replace

from tariffs.client.client import Client
from tariffs.client.desk.drawing import bars
from tariffs.client.desk.fields import HTS, LINE, ON, ORIGIN, SCENARIOS, VALUE, Field
from tariffs.client.desk.names import country_in
from tariffs.client.desk.page import RUN, Block, Page, Parts, Site, answer, block
from tariffs.client.desk.question import Question
from tariffs.client.desk.quotes import line_of
from tariffs.client.results.amounts import usd
from tariffs.client.results.duty_options import (
    OPTION_TITLES,
    DutyOption,
    OptionFact,
    OptionsResult,
    ScenarioOptions,
)
from tariffs.client.results.short_names import inside, label_of, spelled_out

_FACT, _SAVES = "fact.", "saves"
_KINDS = {"day": "date", "usd": "number", "country": "country"}
_YES = (("", "not declared"), ("yes", "yes"), ("no", "no"))
_DISCLAIMER = "Not a ruling or advice. Costs of zones, warehouses, bonds and brokers are not counted."


def ask(client: Client, question: Question, site: Site) -> OptionsResult:
    """Price every option of the line."""
    scenarios = question.scenarios() if question.all("s") else ()
    return client.options(**line_of(question), facts=question.beginning(_FACT), scenarios=scenarios)


def show(question: Question, site: Site, result: OptionsResult) -> Parts:
    """Show what the best set saves, the savings as bars, and each option with its catch and papers."""
    titles, given = dict(site.scenarios), question.beginning(_FACT)
    fields = [_field(one) for one in result.facts if one.name in given]
    more = [_field(one) for one in result.open_facts if one.name not in given]
    parts = (part for one in result.scenarios for part in _scenario(titles.get(one.id, one.id), one))
    heading = f"Ways to pay less on {question.get('hts')} from {label_of('origin', country_in(question.get('origin')))}"
    return answer(
        heading,
        *parts,
        block("dim", _DISCLAIMER),
        block("downloads", True),
        facts_asked=fields,
        more_facts=more,
    )


def _scenario(title: str, one: ScenarioOptions) -> list[Block]:
    saving = [
        (option.title, float(option.saving), usd(option.saving)) for option in one.options if option.saving
    ]
    return [
        block("said", [f"{title}: {inside(one.sentences[0])}", *one.sentences[1:]]),
        block("bars", "Saved by each option alone, USD", bars(saving)),
        block(
            "grid",
            f"Options, USD: {title}",
            OPTION_TITLES,
            [_cells(each) for each in sorted(one.options, key=lambda each: each.state != _SAVES)],
            numbers=(2, 3, 4),
        ),
        *(
            block(
                "folded",
                f"{option.title}: catch, papers and sources",
                [option.catch, *option.papers, *option.citations],
            )
            for option in one.options
            if option.state == _SAVES
        ),
    ]


def _cells(option: DutyOption) -> list[str]:
    """Write an option as a row, with facts and measures by their names."""
    *cells, why = option.cells
    for name in (*option.missing_facts, *option.would_change):
        why = why.replace(name, name.replace("_", " "))
    return [*cells, spelled_out(why)]


def _field(fact: OptionFact) -> Field:
    kind, choices = ("select", _YES) if fact.type == "yes" else (_KINDS.get(fact.type, "text"), ())
    return Field(f"{_FACT}{fact.name}", fact.name.replace("_", " "), kind, choices=choices, hint=fact.text)


OPTIONS = Page(
    "/options", "Options", "options", ask, show,
    begin=(
        "Ways to pay less",
        "Give the product, its origin and its value; the answer is every lawful way to pay less or later: what it "
        "saves, its catch and its papers.",
    ),
    fields=(HTS, ORIGIN, VALUE, replace(ON, label="Day of the ordinary entry"), SCENARIOS), more=LINE,
    starts=("origin", "value", "on"), claims=True, role=RUN,
)  # fmt: skip
