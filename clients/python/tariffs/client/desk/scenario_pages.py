"""Scenario editor: start from a stored one or one of the library, change it by form or by hand, check, save."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from tariffs.client.client import Client
from tariffs.client.desk.fields import Field
from tariffs.client.desk.page import Page, Parts, Site
from tariffs.client.desk.question import Question
from tariffs.client.desk.unsaved import MARK, packed, text_of
from tariffs.client.results.json_values import json_value
from tariffs.client.results.scenario_check import CheckResult, Difference
from tariffs.client.results.short_names import spelled_out
from tariffs.client.scenario import Scenario

EMPTY = """schema: tariffs.scenario/v1
id: your-scenario
title: Your scenario
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-12-01, rate: 20%}
"""
_PLAIN = re.compile(r"[A-Za-z0-9_.%+:-]+")
KEYS: Mapping[str, tuple[str, ...]] = {
    "set_rate": ("from", "rate"),
    "suspend": ("from", "until", "on_end"),
    "extend": ("until",),
    "snap_back": ("at",),
    "terminate": ("at",),
    "exempt": ("from", "until"),
    "revalidate": (),
}
"""Operations that the form writes, with the keys that each takes from it; all others can be typed."""
CHECK, ADD, SAVE = ("check", "add", "save")
_CHANGE = (
    Field("op", "Change", "select", choices=[(one, one.replace("_", " ")) for one in KEYS]),
    Field("measure", "Measure", hint="Its id, as on its page of the law"),
    Field("origins", "Only these countries", hint="CN, VN; empty for all"),
    Field("start", "From, or at", "date"),
    Field("until", "Until", "date"),
    Field("rate", "Rate", hint="20%"),
)


def with_change(text: str, values: Mapping[str, Any]) -> str:
    """Append the change of the form to the text of a scenario; empty fields are left out."""
    return f"{text.rstrip()}\n  - {_flow(_change(values))}\n"


def _change(values: Mapping[str, Any]) -> dict[str, object]:
    origins = [name for name in re.split(r"[,\s]+", values["origins"]) if name]
    measures = {"id": values["measure"]} | ({"origins": origins} if origins else {})
    known = {
        "from": values["start"],
        "at": values["start"],
        "until": values["until"],
        "rate": values["rate"],
        "on_end": "snap_back" if values["until"] else "none_scheduled",
    }
    op = values["op"]
    return {"op": op, "measures": measures} | {key: known[key] for key in KEYS[op] if known[key]}


def _flow(value: object) -> str:
    """Write a value in YAML on one line; text that YAML could read otherwise is quoted as in JSON."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    text = str(value).strip()
    return text if _PLAIN.fullmatch(text) and not text.endswith(":") else json.dumps(text)


@dataclass(frozen=True, slots=True)
class Edited:
    """Scenario that is edited.

    Attributes:
        text: its YAML.
        check: its problems.
        differences: what it changes of the law; empty while it cannot be run.
        name: name under which it is stored, if it is.
        version: its stored version.
        etag: state of the stored one, to save after it.
    """

    text: str
    check: CheckResult
    differences: Sequence[Difference] = ()
    name: str = ""
    version: int = 0
    etag: str = ""
    change: Mapping[str, str] = field(default_factory=dict)

    @property
    def scenario(self) -> str:
        """Its name in addresses: the stored one as it was opened, else its text; empty if that is too long."""
        return self.name if self.version else packed(self.text)

    @property
    def address(self) -> str:
        """Address that holds the text; empty if it is too long for a link."""
        facts = {"s": packed(self.text), "name": self.name, "etag": self.etag}
        query = urlencode({name: value for name, value in facts.items() if value})
        return f"/scenario?{query}" if facts["s"] else ""

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `scenario check --json`, with the text and what it changes."""
        return {**self.check.to_json_dict(), "text": self.text, "differences": json_value(self.differences)}


def ask(client: Client, question: Question, site: Site) -> Edited:
    """Open the scenario that the address names, or a short one to begin with."""
    name = question.get("s")
    if name.startswith(MARK):
        return edited(client, text_of(name), name=question.get("name"), etag=question.get("etag"))
    if "/" in name:
        stored = client.stored_scenario(name)
        return edited(client, stored.text, name=stored.name, version=stored.version, etag=stored.etag)
    return edited(client, client.scenario(name).text if name else EMPTY)


def edited(client: Client, text: str, **facts: Any) -> Edited:
    """Check a text, and compare the law under it with the law as it is."""
    scenario = Scenario.from_text(text, "the text")
    check = client.check(scenario)
    return Edited(text, check, client.diff("base", scenario) if check.ok else (), **facts)


def act(client: Client, fields: Mapping[str, str]) -> Edited:
    """Do what the form of the editor says: check its text, add the change of its fields, or save it.

    Raises:
        InvalidRequest: the scenario cannot be saved: it cannot be run, exists, or was changed meanwhile.
    """
    text, action = fields.get("text", "").replace("\r\n", "\n"), fields.get("action", CHECK)
    facts = {"name": fields.get("name", ""), "etag": fields.get("etag", "")}
    change = {one.name: fields.get(one.name, "").strip() for one in _CHANGE}
    if action == ADD and change["op"] in KEYS and change["measure"]:
        text = with_change(text, change)
    if action == SAVE:
        stored = client.save_scenario(Scenario.from_text(text, "the text"), etag=facts["etag"])
        facts = {"name": stored.name, "etag": stored.etag}
    return edited(client, text, change=change, **facts)


def show(question: Question, site: Site, found: Edited | None) -> Parts:
    """Show the text with its problems, and in words what it does."""
    started = {"op": "set_rate", "start": site.day, **(found.change if found else {})}
    return {
        "edited": found,
        "words": [(_in_words(one), one.goods) for one in (found.differences if found else ())],
        "change": [replace(one, value=started.get(one.name, "")) for one in _CHANGE],
        "stored": site.stored,
    }


def _in_words(one: Difference) -> str:
    text = one.text.replace(" in the first, ", " now, ").replace(" in the second", " under the scenario")
    return spelled_out(text)


SCENARIO = Page(
    "/scenario", "Scenario", "desk_scenario", ask, show,
    fields=(Field("s", "Scenario", "single", choices=[("", "a short example")]),), button="Open",
    template="scenario.html.j2",
)  # fmt: skip
