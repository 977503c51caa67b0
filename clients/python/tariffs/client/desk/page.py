"""Describe a page: what it asks the client, how the answer is shown, and what belongs to every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tariffs.client.client import Client
from tariffs.client.desk.fields import Choices
from tariffs.client.desk.question import Question
from tariffs.client.errors import TariffsError
from tariffs.client.results.json_values import json_fields
from tariffs.client.results.law import Law
from tariffs.client.results.server_info import CallerInfo
from tariffs.client.results.stored_scenario import StoredScenario
from tariffs.client.results.table_handle import TableHandle

_ROLES = READ, RUN, _ADMIN = ("read", "run", "admin")
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
    """Ask for what belongs to every page of the current reader.

    Raises:
        Unauthenticated: the server does not know the reader.
    """
    caller = client.whoami()
    try:
        stored, tables = client.stored_scenarios(), client.tables()
    except TariffsError:
        # In this process, or without the role, nothing is stored.
        stored, tables = (), ()
    return Site(client.law(), caller, library(), stored, tables)


@dataclass(frozen=True, slots=True)
class Page:
    """Page at an address.

    Attributes:
        path: its address.
        template: name of its template.
        title: title of the page.
        ask: answers a question; None where it asks nothing yet.
        show: parts of the page that show an answer, or None.
        schema: name of the schema of its JSON document.
        role: role that its questions need.
        files: media type, suffix and content of the files of an answer, by their name in the address.
    """

    path: str
    template: str
    title: str
    ask: Callable[[Client, Question, Law], Any]
    show: Callable[[Question, Site, Any], Parts]
    schema: str
    role: str = READ
    files: Mapping[str, tuple[str, str, Callable[[Any], bytes]]] = field(default_factory=dict)

    def document(self, answer: Any) -> dict[str, object]:
        """Make the JSON document of an answer, which names its schema."""
        own = getattr(answer, "to_json_dict", None)
        plain = json_fields(answer) if own is None else own()
        return {"schema": f"tariffs.{self.schema}/v1", **plain}
