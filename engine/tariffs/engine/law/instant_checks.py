"""Check instants and days of publication as law data writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.law import IMPORT, Law

Names = Iterator[tuple[str, str]]
"""Names at fault, each with its path."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?[+-]\d\d:\d\d")
# "12:01 a.m." is 00:01; one minute after noon is most likely a misreading of it.
_AFTER_NOON = "T12:01"
_SHARED = ("row_sets", "groups", "events", "rules", "port_fees", "fees", "line_notes")


def wrong_offsets(raw: Mapping[str, Any], law: Law) -> Names:
    """Find instants whose offset is not that of their clock on that day."""
    for path, text, zones in _instants(raw, law):
        moment = datetime.fromisoformat(text)
        if all(moment.replace(tzinfo=zone).utcoffset() != moment.utcoffset() for zone in zones):
            yield text, path


def after_noon(raw: Mapping[str, Any], law: Law) -> Names:
    """Find instants of the home market at 12:01, where 12:01 a.m. may be meant."""
    home = law.zones[IMPORT]
    for path, text, zones in _instants(raw, law):
        if (
            _AFTER_NOON in text
            and datetime.fromisoformat(text).utcoffset() == _offset(text, home)
            and home in zones
        ):
            yield text, path


def _offset(text: str, zone: ZoneInfo) -> Any:
    return datetime.fromisoformat(text).replace(tzinfo=zone).utcoffset()


def _instants(raw: Mapping[str, Any], law: Law) -> Iterator[tuple[str, str, Sequence[ZoneInfo]]]:
    """Yield the instants of law data, each with its path and the clocks that it may be on."""
    for measure in raw["measures"]:
        name = measure.get("id", "")
        market = law.measures[name].market
        # A port fee or a control is on the clock of the country that has it, which is no market of goods.
        clocks = (
            (law.zones[market],) if market == IMPORT or market in law.markets else tuple(law.zones.values())
        )
        yield from ((path, text, clocks) for path, text in _texts(measure, f"measures.{name}"))
    for part in _SHARED:
        for path, text in _texts(raw.get(part, {}), part):
            yield path, text, tuple(law.zones.values())


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(part, f"{path}.{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, f"{path}[{index}]")
    elif isinstance(value, str):
        yield from ((path, text) for text in _INSTANT.findall(value))


def unpublished_rules(raw: Mapping[str, Any], law: Law) -> Names:
    """Find stacking rules that do not say when they were published."""
    for rule in raw.get("rules", ()):
        if "known_from" not in rule:
            yield rule.get("id", ""), f"rules.{rule.get('id', '')}"


def unpublished_lists(raw: Mapping[str, Any], law: Law) -> Names:
    """Find lists that change inside a period or an act that names them and do not say when that was published."""
    for name, product_list in law.lists.items():
        for at in product_list.boundaries:
            if at not in product_list.changes and any(start < at < end for start, end in _uses(law, name)):
                yield f"{name} on {at.astimezone(law.zones[IMPORT]).date()}", f"lists.{name}"


def _uses(law: Law, name: str) -> Iterator[tuple[datetime, datetime]]:
    """Yield the instants between which periods and acts name a list."""
    first, last = law.coverage
    for measure in law.measures.values():
        for period in measure.periods:
            if any(name in row.scope.names for row in period.rows):
                yield period.start or first, period.end or last
        for act in law.acts[measure.id]:
            if name in act.scope.names:
                yield act.start or first, act.until or last


def unpublished_rows(raw: Mapping[str, Any], law: Law) -> Names:
    """Find rows that begin after their period and do not say when they were published."""
    for measure in law.measures.values():
        for period in measure.periods:
            for place, row in enumerate(period.rows):
                begins = [c.operand for c in row.conditions if c.claim == ENTRY_DATE and c.op in {">", ">="}]
                later = any(isinstance(at, datetime) and period.start and at > period.start for at in begins)
                if later and row.known_from is None:
                    name = f"row {place + 1} ({row.heading or row.kind}) of {period.id}"
                    yield name, f"measures.{measure.id}.{period.id}.rows"
