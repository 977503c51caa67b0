"""The embedded law with one thing put wrong, and short ways to ask both laws for the duty of a line."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from tariffs.engine.law import Law, law_from_raw, load_law
from tariffs.engine.law.amendments import change_from_mapping
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tests.law.plain_rows import plain_rows
from tests.law.real_law import raw_law

Raw = dict[str, Any]
TOYS = "9503.00.0073"


@cache
def _pickled() -> bytes:
    """The data without its lists, which takes a fifth of the time to copy in this form."""
    return pickle.dumps({name: part for name, part in raw_law().items() if name != "lists"})


def broken(change: Callable[[Raw], object], *lists: str) -> Law:
    """The embedded law after a change to its data, which stays as it is; `lists` are those the change writes into."""
    raw: Raw = pickle.loads(_pickled())
    raw["lists"] = {**raw_law()["lists"], **{name: list(raw_law()["lists"][name]) for name in lists}}
    change(raw)
    return law_from_raw(raw)


def changed(law: Law, *changes: Raw) -> Law:
    """The law after changes of a scenario."""
    return law.with_changes([change_from_mapping(one, "changes[0]", source="scenario") for one in changes])


def one_of(parts: Iterable[Raw], name: str) -> Raw:
    """The part of this name, which must be there to be put wrong."""
    (found,) = (part for part in parts if part["id"] == name)
    return found


def measure(raw: Raw, name: str) -> Raw:
    return one_of(raw["measures"], name)


def period(raw: Raw, label: str) -> Raw:
    return one_of((p for one in raw["measures"] for p in one.get("periods", [])), label)


def rule(raw: Raw, name: str) -> Raw:
    return one_of(raw["rules"], name)


def rows(raw: Raw, place: str, heading: str) -> list[Raw]:
    """The rows of a period or a row set, spelled out in their place, that report under a heading; at least one."""
    found = [row for row in spelled_out(raw, place) if row.get("heading") == heading]
    assert found, f"{place} has no row under {heading}"
    return found


def spelled_out(raw: Raw, place: str) -> list[Raw]:
    """The rows of a period or a row set, put in place of the row sets and copies that it takes over."""
    owners = [one for one in raw["measures"] if any(p["id"] == place for p in one.get("periods", []))]
    holder, key = (period(raw, place), "rows") if owners else (raw["row_sets"], place)
    owner = owners[0] if owners else {}
    holder[key] = found = list(plain_rows(holder[key], raw, owner))
    return found


def quote(law: Law, code: str, origin: str, entry: str, claims: Mapping[str, Any] = {}, **line: Any) -> Quote:
    """The answer for 10,000 dollars of goods, or for the line as told."""
    return quote_line(law, EntryLine(code, origin, entry=entry, claims=claims, **{"value": 10000, **line}))


def paid(answer: Quote) -> dict[str, Decimal]:
    """What is paid, by measure and by heading, and in all; what is owed, and the processing fee."""
    found = {"assessed": answer.assessed, "owed": answer.owed, "mpf": answer.landed.mpf}
    for layer in answer.layers:
        for name in (layer.measure, layer.heading):
            found[name] = found.get(name, Decimal(0)) + layer.amount
    return found


class Trap(NamedTuple):
    """A line, amounts that it pays, and those that it would pay in the law put wrong; 0 is not at all."""

    line: Sequence[Any]
    right: Mapping[str, int]
    change: Callable[[Raw], object] | None = None
    wrong: Mapping[str, int] = {}
    lists: tuple[str, ...] = ()
    """Product lists that the change writes into."""
    switches: Mapping[str, str] = {}
    acts: tuple[Raw, ...] = ()
    """Acts of a scenario on both laws."""

    def springs(self) -> None:
        """Compare the amounts that are named under the law and under the law put wrong."""
        told = {"quantity": 1000, "unit": "kg"} | (self.line[4] if len(self.line) > 4 else {})
        laws = [(load_law(), self.right)]
        laws += [(broken(self.change, *self.lists), self.wrong)] if self.change else []
        for law, wanted in laws:
            found = paid(quote(changed(law.with_switches(self.switches), *self.acts), *self.line[:4], **told))
            assert {name: found.get(name, Decimal(0)) for name in wanted} == wanted


def edit(label: str, **values: Any) -> Callable[[Raw], object]:
    """Change keys of a period; `start` is its key `from`."""
    renamed = {"from" if key == "start" else key: value for key, value in values.items()}
    return lambda raw: period(raw, label).update(renamed)


def edit_rows(place: str, heading: str, *without: str, **values: Any) -> Callable[[Raw], object]:
    """Take keys out of the rows of a heading, and set others."""

    def change(raw: Raw) -> None:
        for row in rows(raw, place, heading):
            for key in without:
                row.pop(key)
            row.update(values)

    return change


def edit_list(name: str, *codes: str) -> Callable[[Raw], object]:
    """Put codes into a list that the change names as written into."""
    return lambda raw: raw["lists"][name].extend((code, "", "") for code in codes)


def both(*changes: Callable[[Raw], object]) -> Callable[[Raw], object]:
    return lambda raw: [change(raw) for change in changes]
