"""Small laws for tests of the engine's parts, written as the law's files are."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tariffs.engine.law import InForce, Law, law_from_raw
from tariffs.engine.law.amendments import change_from_mapping
from tariffs.engine.law.values import read_instant

EASTERN = ZoneInfo("America/New_York")
# The countries of small laws: every pair of one letter, such as AA.
COUNTRIES = frozenset(letter * 2 for letter in string.ascii_uppercase)
CLAIMS = {
    "treaty_share": {
        "type": "share",
        "role": "relief",
        "partition": "preference",
        "ask": {"origins": ["AA"]},
    },
    "part_share": {"type": "share", "role": "charge"},
    "loading_date": {"type": "date"},
    "gift": {"type": "bool"},
}


def make_law(
    measures: Sequence[Mapping[str, Any]],
    *,
    events: Sequence[Mapping[str, Any]] = (),
    rules: Sequence[Mapping[str, Any]] = (),
    switches: Mapping[str, Any] | None = None,
    claims: Mapping[str, Any] | None = None,
) -> Law:
    """A law of these parts, with `claims` beside those of all; as of 2026-11-24, covering 2025 to 2028."""
    return law_from_raw(
        {
            "version": {
                "version": "2026.11.24.1",
                "as_of": "2026-11-24",
                "coverage": {"from": "2025-01-01T00:00-05:00", "to": "2029-01-01T00:00-05:00"},
                "clock": {"import": "America/New_York", "export": "Asia/Shanghai"},
            },
            "measures": measures,
            "events": events,
            "rules": rules,
            "claims": CLAIMS | dict(claims or {}),
            "terms": {"us_capped": {"cap": "40%"}},
            "switches": switches or {},
            "groups": {"PAIR": {"members": ["AA", "BB"]}},
            "programs": {},
            "lists": {},
        },
        COUNTRIES,
    )


def measure(name: str, rows: Sequence[Mapping[str, Any]], **keys: Any) -> dict[str, Any]:
    """A measure of one period from 2025-02-01."""
    period = {"id": f"{name}_period", "from": "2025-02-01T00:01-05:00", "rows": rows}
    return {"id": name, "authority": "top.sub", "conf": "C", "periods": [period], **keys}


def changed(law: Law, *changes: Mapping[str, Any]) -> Law:
    """The law after a scenario's changes."""
    read = [change_from_mapping(item, f"changes[{i}]", source="test") for i, item in enumerate(changes)]
    return law.with_changes(read)


def at(text: str) -> datetime:
    """An instant, US Eastern."""
    return read_instant(text, EASTERN)


def rates(law: Law, when: str, known_on: date | None = None) -> dict[str, list[str]]:
    """By measure in force, the rates of its rows as text; `-` if suspended."""
    in_force: InForce = law.in_force(at(when), known_on)
    return {
        active.measure.id: ["-" if row.suspended else str(row.rate) for row in active.rows]
        for active in in_force.actives
    }
