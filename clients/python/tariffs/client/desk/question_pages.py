"""Make the pages of declared questions: the form, the call, and the view in blocks; JSON is at the same address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tariffs.client.client import Client
from tariffs.client.desk.drawing import bars
from tariffs.client.desk.fields import Field
from tariffs.client.desk.names import country_in
from tariffs.client.desk.page import Block, Page, Parts, Site, answer, block, csv_file
from tariffs.client.desk.question import Question as Address
from tariffs.client.results.short_names import inside, label_of
from tariffs.questions.index import INDEX
from tariffs.questions.question import REQUIRED, Asked, Kind, Question
from tariffs.questions.view import Bars, Entry, Grid, Link, Named, Part, Said

_CLAIM, _FACT, _LONG = "claim.", "fact.", 40
_FIELDS = {
    Kind.HTS: "code", Kind.COUNTRY: "country", Kind.MONEY: "number", Kind.DAY: "date", Kind.MODE: "select",
    Kind.SCENARIOS: "several",
}  # fmt: skip
_MODES = [("", "not stated"), *((one, one) for one in ("ocean", "air", "land"))]
_FACT_FIELDS = {"day": "date", "usd": "number", "country": "country"}
_YES = (("", "not declared"), ("yes", "yes"), ("no", "no"))


def pages() -> list[Page]:
    """Make the pages of all questions."""
    return [_page(one.question) for one in INDEX.values()]


def _page(question: Question[Any]) -> Page:
    shown = [one for one in question.asked if one.title]
    return Page(
        f"/{question.name}",
        question.page[0],
        question.name,
        lambda client, address, site: _ask(question, client, address),
        lambda address, site, found: _show(question, address, site, found),
        begin=question.page[1:],
        fields=[_field(one) for one in shown if not one.is_folded],
        more=[_field(one) for one in shown if one.is_folded],
        starts=[one.form_name for one in shown if one.needed],
        claims=question.of_kind(Kind.CLAIMS) is not None,
        role=question.role,
        files={"csv": csv_file("CSV", lambda found: found.to_frame())},
    )


def _field(one: Asked) -> Field:
    choices = _MODES if one.kind is Kind.MODE else ()
    return Field(
        one.form_name, one.title, _FIELDS.get(one.kind, "text"), one.start, choices, one.hint, one.needed
    )


def _given(question: Question[Any], address: Address) -> Iterator[tuple[str, Any]]:
    """Read what an address asks, each value by its kind; what it lacks has the default of the client."""
    for one in question.asked:
        text: Any = address.get(one.form_name)
        if one.kind is Kind.COUNTRY:
            text = country_in(text)
        elif one.kind is Kind.MONEY:
            text = address.number(one.form_name)
        elif one.kind is Kind.COUNTRIES:
            text = [name.upper() for name in address.words(one.form_name)]
        elif one.kind in {Kind.CLAIMS, Kind.FACTS}:
            text = address.beginning(_CLAIM if one.kind is Kind.CLAIMS else _FACT)
        elif one.kind is Kind.SCENARIOS:
            text = address.scenarios() if address.all(one.form_name) else ()
        if text or one.default is REQUIRED:
            yield one.name, text or ""


def _ask(question: Question[Any], client: Client, address: Address) -> Any:
    return getattr(client, question.name)(**dict(_given(question, address)))


def _show(question: Question[Any], address: Address, site: Site, found: Any) -> Parts:
    asked = question.filled(dict(_given(question, address)))
    words = {
        one.name: label_of("origin", asked[one.name]) if one.kind is Kind.COUNTRY else asked[one.name]
        for one in question.asked
    }
    titles = dict(site.scenarios)
    blocks = [one for part in question.view(found, asked, "page") for one in _blocks(part, titles, address)]
    more = dict(_facts(found, address)) if question.of_kind(Kind.FACTS) else {}
    return answer(question.heading.format(**words), *blocks, block("downloads", True), **more)


def _blocks(part: Part, titles: Mapping[str, str], address: Address) -> Iterator[Block]:
    if isinstance(part, Said):
        first, *others = part.sentences
        first = f"{titles.get(part.scenario, part.scenario)}: {inside(first)}" if part.scenario else first
        yield block("dim", first) if part.is_dim else block("said", [first, *others])
    elif isinstance(part, Grid):
        rows = [[_cell(cell, address) for cell in row] for row in part.rows]
        named = titles.get(part.scenario, part.scenario)
        caption = f"{part.caption}: {named}" if named else part.caption
        kind = "tall" if len(rows) > _LONG else ""
        heads = [titles.get(head, head) for head in part.heads]
        yield block("grid", caption, heads, rows, numbers=part.numbers, kind=kind)
    elif isinstance(part, Bars):
        yield block("bars", part.caption, bars(part.rows))
    elif isinstance(part, Named):
        yield block("folded", part.title, part.names)
    elif isinstance(part, Entry):
        yield block("folded", part.title, [*(f"{name}: {text}" for name, text in part.lines), *part.sources])


def _cell(cell: str | Link, address: Address) -> Any:
    return (cell.words, address.address(cell.path, **cell.changed)) if isinstance(cell, Link) else cell


def _facts(found: Any, address: Address) -> Iterable[tuple[str, list[Field]]]:
    """Describe fields of the facts that are given, and of those that would change the answer."""
    given = address.beginning(_FACT)
    yield "facts_asked", [_fact_field(one) for one in found.facts if one.name in given]
    yield "more_facts", [_fact_field(one) for one in found.open_facts if one.name not in given]


def _fact_field(fact: Any) -> Field:
    kind, choices = ("select", _YES) if fact.type == "yes" else (_FACT_FIELDS.get(fact.type, "text"), ())
    return Field(f"{_FACT}{fact.name}", fact.name.replace("_", " "), kind, choices=choices, hint=fact.text)
