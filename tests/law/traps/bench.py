"""The embedded law with one thing put wrong, and short ways to ask both laws for the duty of a line."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from tariffs.engine.law import Law, law_from_raw
from tariffs.engine.law.amendments import change_from_mapping
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tests.law.plain_rows import plain_rows
from tests.law.real_law import raw_law

Raw = dict[str, Any]
TOYS = "9503.00.0073"


def broken(change: Callable[[Raw], object], *lists: str) -> Law:
    """The embedded law after a change to its data, which stays as it is; `lists` are those the change writes into."""
    raw = copy.deepcopy({name: part for name, part in raw_law().items() if name != "lists"})
    raw["lists"] = {**raw_law()["lists"], **{name: list(raw_law()["lists"][name]) for name in lists}}
    change(raw)
    return law_from_raw(raw)


def changed(law: Law, *changes: Raw) -> Law:
    """The law after changes of a scenario."""
    return law.with_changes([change_from_mapping(one, "changes[0]", source="scenario") for one in changes])


def measure(raw: Raw, name: str) -> Raw:
    (found,) = (item for item in raw["measures"] if item["id"] == name)
    return dict_of(found)


def period(raw: Raw, label: str) -> Raw:
    (found,) = (p for item in raw["measures"] for p in item.get("periods", []) if p["id"] == label)
    return dict_of(found)


def rule(raw: Raw, name: str) -> Raw:
    (found,) = (item for item in raw["rules"] if item["id"] == name)
    return dict_of(found)


def event(raw: Raw, name: str, op: str) -> Raw:
    """The one event of a measure with this verb."""
    (found,) = (item for item in measure(raw, name)["events"] if item["op"] == op)
    return dict_of(found)


def rows(raw: Raw, place: str, heading: str) -> list[Raw]:
    """The rows of a period or a row set, spelled out in their place, that report under a heading; at least one."""
    found = [row for row in spelled_out(raw, place) if row.get("heading") == heading]
    assert found, f"{place} has no row under {heading}"
    return found


def spelled_out(raw: Raw, place: str) -> list[Raw]:
    """The rows of a period or a row set, put in place of the row sets and copies that it takes over."""
    if place in raw["row_sets"]:
        found = raw["row_sets"][place] = list(plain_rows(raw["row_sets"][place], raw, {}))
        return found
    (owner,) = (one for one in raw["measures"] if any(p["id"] == place for p in one.get("periods", [])))
    found = period(raw, place)["rows"] = list(plain_rows(period(raw, place)["rows"], raw, owner))
    return found


def drop_rule(raw: Raw, name: str) -> None:
    raw["rules"].remove(rule(raw, name))


def dict_of(found: Any) -> Raw:
    """A part of the law, which must be there to be put wrong."""
    assert isinstance(found, dict)
    return found


def quote(
    law: Law,
    code: str,
    origin: str,
    entry: str,
    claims: Mapping[str, str | float | bool] | None = None,
    **line: Any,
) -> Quote:
    """The answer for 10,000 dollars of goods, or for the line as told."""
    asked: Raw = {"value": 10000, **line}
    return quote_line(law, EntryLine(code, origin, entry=entry, claims=claims or {}, **asked))


def headings(answer: Quote) -> dict[str, Decimal]:
    """What is paid, by heading."""
    return {layer.heading: layer.amount for layer in answer.layers if layer.amount}


def switches(answer: Quote) -> dict[str, str]:
    """The switches that the answer names, with their values."""
    found = answer.provenance["switches"]
    assert isinstance(found, dict)
    return found


def paid(answer: Quote) -> dict[str, Decimal]:
    """What is paid, by measure."""
    return _sums((layer.measure, layer.amount) for layer in answer.layers)


def owed(answer: Quote) -> dict[str, Decimal]:
    """What is owed, by measure."""
    return _sums((layer.measure, layer.owed) for layer in answer.layers)


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name, amount in amounts:
        if amount:
            found[name] = found.get(name, Decimal(0)) + amount
    return found


def usd(**amounts: str) -> dict[str, Decimal]:
    """Amounts by measure, as `paid` gives them."""
    return {name: Decimal(amount) for name, amount in amounts.items()}
