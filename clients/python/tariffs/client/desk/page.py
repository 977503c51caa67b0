"""Describe a page: its address, the fields of its question, the call that answers it, and how the answer is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.client._wire.csv_text import for_people
from tariffs.client.client import Client
from tariffs.client.desk.fields import Field, claim_field, filled, more_run_fields, run_fields
from tariffs.client.desk.names import Choices
from tariffs.client.desk.question import Question, raise_all
from tariffs.client.errors import TariffsError
from tariffs.client.results.json_values import json_fields
from tariffs.client.results.law import Law
from tariffs.client.results.server_info import CallerInfo
from tariffs.client.results.stored_scenario import StoredScenario
from tariffs.client.results.table_handle import TableHandle
from tariffs.client.results.view import View

_ROLES = READ, RUN, _ADMIN = ("read", "run", "admin")
_DAYS = {"day": 0, "later": 70, "earlier": -365, "before": -90}
"""Days from that of the law, by the name that a field begins with."""
ANSWER = "answer.html.j2"
"""Template of a page that has a heading and blocks."""
Parts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """Facts that every page of a reader shows.

    Attributes:
        law: law in use.
        caller: the reader, as the server knows it.
        library: names and titles of the scenarios of the library.
        stored: the scenarios that the reader has stored or shares.
        tables: the tables that the reader has stored or shares.
    """

    law: Law
    caller: CallerInfo
    library: Choices
    stored: tuple[StoredScenario, ...] = ()
    tables: tuple[TableHandle, ...] = ()

    @property
    def day(self) -> str:
        """As-of day of the law."""
        return self.law.as_of[:10]

    @property
    def starts(self) -> dict[str, str]:
        """Days that fields begin with."""
        day = date.fromisoformat(self.day)
        return {name: (day + timedelta(days=count)).isoformat() for name, count in _DAYS.items()}

    @property
    def scenarios(self) -> Choices:
        """Names and titles of all scenarios, those of the reader first."""
        return [*((one.name, f"{one.title} (stored)") for one in self.stored), *self.library]

    def may_ask(self, question: Question, role: str) -> bool:
        """Test whether the reader may see an answer that is kept; others ask for themselves, and are refused."""
        table = question.get("table")
        has_role = not set(self.caller.roles).isdisjoint(_ROLES[_ROLES.index(role) :])
        return has_role and (not table or any(one.name == table for one in self.tables))

    def owner_of(self, question: Question) -> str:
        """Name who an answer is for, with the state of what is theirs; empty if it is for everybody."""
        if not question.is_own:
            return ""
        return repr((self.caller.name, self.caller.groups, [(one.name, one.etag) for one in self.stored]))


def site_of(client: Client, library: Callable[[], Choices]) -> Site:
    """Ask for what belongs to every page of the current reader; raises Unauthenticated for an unknown one."""
    caller = client.whoami()
    try:
        stored, tables = client.stored_scenarios(), client.tables()
    except TariffsError:
        # In this process, or without the role, nothing is stored.
        stored, tables = (), ()
    return Site(client.law(), caller, library(), stored, tables)


@dataclass(frozen=True, slots=True)
class Block:
    """Part of an answer: a macro of the templates, and what it is given."""

    macro: str
    args: Sequence[Any]
    options: Mapping[str, Any] = field(default_factory=dict)


def block(macro: str, *args: Any, **options: Any) -> Block:
    """Make a part of an answer; without anything in its last argument it shows nothing."""
    return Block(macro if args[-1] else "", args, options)


def answer(heading: str, *blocks: Block, **more: Any) -> dict[str, Any]:
    """Make the parts of a page that show an answer: its heading, and blocks below each other."""
    return {"heading": heading, "blocks": blocks, **more}


@dataclass(frozen=True, slots=True)
class Download:
    """File of an answer: words of its link, media type, suffix and content."""

    words: str
    media_type: str
    suffix: str
    make: Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Page:
    """Page at an address.

    Attributes:
        path: its address.
        title: title of the page.
        schema: name of the schema of its JSON document.
        ask: answers a question whose fields have no fault.
        show: parts of the page that show an answer, or None where the page is shown without one.
        begin: heading and words before a question is asked.
        fields: fields of the question.
        more: fields that are folded.
        starts: names of which one begins a question; without any the address alone asks.
        verb: run whose options are fields too, with a table.
        first: values that options of the run begin with, by name.
        claims: whether facts about the goods are fields too.
        button: words of the button that asks.
        without: options of the run that are no fields.
        has_form: whether the page has the form of its question.
        seconds: how long an answer takes, in words, if a page must not wait for it.
        is_personal: whether an answer without rows is the reader's alone, and never kept.
        role: role that its questions need.
        act: does what a form that is posted to the page says, and returns the address to go on from.
        store: stores a file that is sent to `upload` below the page, and returns the address to go on from.
        files: downloads of an answer, by their name in the address.
        template: name of its template.
    """

    path: str
    title: str
    schema: str
    ask: Callable[[Client, Question, Site], Any]
    show: Callable[[Question, Site, Any], Parts]
    begin: tuple[str, str] = ("", "")
    fields: Sequence[Field] = ()
    more: Sequence[Field] = ()
    starts: Sequence[str] = ()
    verb: str = ""
    first: Mapping[str, str] = field(default_factory=dict)
    claims: bool = False
    button: str = "Compute"
    without: Sequence[str] = ()
    has_form: bool = True
    seconds: str = ""
    is_personal: bool = False
    role: str = READ
    act: Callable[[Client, Mapping[str, str]], str] | None = None
    store: Callable[[Client, Question, Path], str] | None = None
    files: Mapping[str, Download] = field(default_factory=dict)
    template: str = ANSWER

    def is_asked(self, question: Question) -> bool:
        """Test whether an address asks a question, and does not only begin one."""
        return not self.starts or any(question.get(name) for name in self.starts)

    def answered(self, client: Client, question: Question, site: Site) -> Any:
        """Answer a question, None where nothing is asked; raises all faults of its fields as one error."""
        if not self.is_asked(question):
            return None
        faults = [fault for one in (*self.fields, *self.more) for fault in one.faults(question)]
        raise_all([*faults, *(question.option_faults(self.verb) if self.verb else ())])
        return self.ask(client, question, site)

    def form(self, question: Question, site: Site, parts: Parts) -> dict[str, Any]:
        """Make the form of its question; the options of a run begin with values only before it is asked.

        Parts of the answer may be `asked`, the facts about the goods that are always seen, and fields of other facts,
        `facts_asked` and `more_facts`.
        """
        asked = parts.get("asked", ())
        kinds = {one.id: claim_field(one) for one in site.law.claims} if self.claims else {}
        named = [name for name in dict.fromkeys(asked) if name in kinds]
        others = [one for name, one in kinds.items() if name not in named]
        table = [_table_field(site)] if self.verb else []
        run = [run_fields(self.verb, self.first), more_run_fields(self.verb)] if self.verb else [[], []]
        run_starts = {} if self.is_asked(question) else site.starts

        def fill(fields: Iterable[Field], starts: Mapping[str, str]) -> list[Field]:
            seen = (one for one in fields if one.name not in self.without)
            return filled(seen, question, starts, site.scenarios)

        first, more = (fill(group, run_starts) for group in run)
        return {
            "path": self.path,
            "button": self.button,
            "claims": self.claims,
            "fields": [*fill([*self.fields], site.starts), *first, *fill(table, {})] if self.has_form else [],
            "facts": fill([*(kinds[name] for name in named), *parts.get("facts_asked", ())], {}),
            "more": [*fill([*parts.get("more_facts", ()), *self.more, *others], {}), *more],
        }

    def links(self, question: Question) -> list[tuple[str, str]]:
        """List the downloads of the answer to a question: words and address."""
        words = {name: one.words for name, one in self.files.items()} | {"json": "JSON"}
        return [(text, question.address(**{"as": name})) for name, text in words.items()]

    def document(self, answer: Any) -> dict[str, object]:
        """Make the JSON document of an answer, which names its schema."""
        own = getattr(answer, "to_json_dict", None)
        plain = json_fields(answer) if own is None else own()
        return {"schema": f"tariffs.{getattr(answer, 'schema', self.schema)}/v1", **plain}


def _table_field(site: Site) -> Field:
    tables = (
        (one.name, f"{one.row_count:,} rows of {one.create_time[:10]} ({one.name[7:15]})")
        for one in site.tables
    )
    return Field("table", "Goods", "select", choices=[("", "US imports of 2024"), *tables])


REPORT = Download("Report", "text/html", "html", lambda found: found.report().encode())


def csv_file(words: str, rows: Callable[[Any], pl.DataFrame]) -> Download:
    """Describe the rows of an answer as a file for people, with nothing that a spreadsheet computes."""
    return Download(words, "text/csv", "csv", lambda found: for_people(rows(found)).write_csv().encode())


def shown(
    view: View,
    *drawn: Block,
    goods: str = "",
    refused: int = 0,
    behind: Block | None = None,
) -> Parts:
    """Show a view of the goods, with drawings before its tables, a block behind them, and the count of refused rows."""
    left_out = f"{refused:,} rows were refused and are not in the figures." if refused else ""
    blocks: tuple[Any, ...] = (
        block("dim", goods and f"Goods: {goods}."),
        block("said", view.answer),
        block("warn", left_out),
        *drawn,
        block("downloads", True),
        block("passages", view),
        *([behind] if behind else []),
        block("assumed", view),
    )
    return answer(view.question, *blocks)
