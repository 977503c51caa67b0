"""Walking a measure through time: its own instants as its data spells them, and what it is just before and after.

The instants are read from the text form of the law; what the measure is at each comes from the engine, over all lines
of the reference table at once.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from tariffs.engine.law import Law, Measure, Row, load_law
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.model import Scope
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.prepare import prepare_table
from tariffs.engine.tables.scope_masks import origin_mask, product_mask
from tests.law.interpreter_time import listed
from tests.law.plain_rows import plain_rows
from tests.law.real_law import columns, raw_law

Raw = dict[str, Any]
MINUTE = timedelta(minutes=1)
Moment = tuple[datetime, date]
DAY_BEGINS = "T00:01"
SCOPE = {"origins", "products", "not_origins", "not_products"}


@dataclass(frozen=True)
class Line:
    """A line of the reference table, with claims that let a row reach it."""

    hts: str
    origin: str
    claims: dict[str, str]


# -- the measure's own instants --------------------------------------------------------------------------------


def raw_measure(name: str) -> Raw:
    (found,) = (item for item in raw_law()["measures"] if item["id"] == name)
    assert isinstance(found, dict)
    return found


def raw_rows(rows: Any, measure: Raw) -> list[Raw]:
    return list(plain_rows(rows, raw_law(), measure))


def raw_acts(measure: Raw) -> list[Raw]:
    """The acts written with the measure, and those on a node above it."""
    above = [act for act in raw_law()["events"] if _reaches(act["measures"], measure)]
    return [*measure.get("events", []), *above]


def _reaches(selector: Raw, measure: Raw) -> bool:
    node = selector.get("authority", "")
    named = measure["id"] in listed(selector.get("id", []))
    return named or (bool(node) and f"{measure['authority']}.".startswith(f"{node}."))


def own_instants(name: str) -> Counter[datetime]:
    """How often the measure's periods, rows, lists and acts name each instant within the law's coverage."""
    measure, law = raw_measure(name), load_law()
    zone = law.zones[law.measures[measure["id"]].market]
    texts: list[str] = []
    for period in measure.get("periods", []):
        texts += [period.get("from", ""), period.get("to", "")]
        for row in raw_rows(period.get("rows", []), measure):
            texts += [c.split()[2] for c in listed(row.get("if", [])) if c.startswith("entry_date ")]
            texts += _list_days(row)
    for act in raw_acts(measure):
        texts += [act.get(key, "") for key in ("at", "from", "until", "to", "collection_stop")]
        texts += _list_days(act.get("measures", {}))
    moments = [datetime.fromisoformat(text) for text in texts if text]
    aware = [m if m.tzinfo else m.replace(tzinfo=zone) for m in moments]
    first, last = law.coverage
    return Counter(m.astimezone(UTC) for m in aware if first < m < last)


def _list_days(scope: Raw) -> list[str]:
    names = [name for key in ("products", "not_products") for name in listed(scope.get(key, []))]
    days = {day for name in names for _, *dates in raw_law()["lists"].get(name, []) for day in dates if day}
    return [f"{day}{DAY_BEGINS}" for day in days]


def turning_points(name: str) -> set[datetime]:
    """The own instants at which the measure must change: all but those at which nothing can happen.

    Nothing can before its first day or after its last, where an act moved the instant away (a suspension or a written
    end extended, a start put off), where a period enacts again what held before it, and on the day of a ruling that
    voids from the beginning and stops collection later.
    """
    measure = raw_measure(name)
    if not _as_switched(measure):
        return set()
    acts = [act for act in raw_acts(measure) if _as_switched(act)]
    starts = {p["id"]: p["from"] for p in measure["periods"]}
    last = max(measure["periods"], key=lambda p: datetime.fromisoformat(p["from"]))
    suspended = any(act["op"] == "suspend" for act in acts)
    end, idle, over = "" if suspended else last.get("to", ""), [], []
    for act in acts:
        if act["op"] == "suspend":
            end = act.get("until", "")
        elif act["op"] == "extend":
            idle.append(end)
            end = act["until"]
        elif act["op"] == "delay":
            label = act.get("measures", {}).get("id", last["id"])
            idle.append(starts[label])
            starts[label] = act["to"]
        elif act["op"] == "invalidate":
            idle.append(act["at"])
            over.append(act["collection_stop"])
        elif act["op"] in {"terminate", "expire"} and not SCOPE & act.get("measures", {}).keys():
            over.append(act["at"])
    idle += _repeated(measure)
    over.append(last.get("to", "") if suspended else end)
    first_day = min(map(datetime.fromisoformat, starts.values()))
    last_day = min((datetime.fromisoformat(text) for text in over if text), default=load_law().coverage[1])
    moved = Counter(datetime.fromisoformat(text).astimezone(UTC) for text in idle if text)
    return {at for at in own_instants(name) - moved if first_day <= at <= last_day}


def _repeated(measure: Raw) -> list[str]:
    """Starts of periods that, as last known, enact again the rows that held before them, and ends written there."""
    standing = {
        p["from"]: raw_rows(p["rows"], measure) for p in measure["periods"] if _as_switched(p) and "rows" in p
    }
    starts = sorted(standing, key=datetime.fromisoformat)
    same = {after for before, after in itertools.pairwise(starts) if standing[before] == standing[after]}
    return [p[key] for p in measure["periods"] for key in ("from", "to") if p.get(key) in same]


def _as_switched(thing: Raw) -> bool:
    """Whether something that hangs on switches exists as they stand."""
    return all(
        raw_law()["switches"][name]["default"] == value for name, value in thing.get("switch", {}).items()
    )


def retroactive(name: str) -> list[tuple[datetime, date]]:
    """Instants of the measure that something later reaches back to, with the day on which that was published."""
    measure, law = raw_measure(name), load_law()
    first = min(datetime.fromisoformat(period["from"]) for period in measure["periods"])
    found = []
    for thing in (*measure["periods"], *raw_acts(measure)):
        text, known = thing.get("from") or thing.get("at", ""), thing.get("known_from", "")
        if (
            text
            and known
            and _as_switched(thing)
            and date.fromisoformat(known) > datetime.fromisoformat(text).date()
        ):
            label = thing.get("measures", {}).get("id", "")
            begins = [datetime.fromisoformat(p["from"]) for p in measure["periods"] if p["id"] == label] or [
                first
            ]
            found.append(
                (max(datetime.fromisoformat(text), *begins).astimezone(UTC), date.fromisoformat(known))
            )
    return sorted({one for one in found if one[0] > law.coverage[0]})


# -- what the measure is ---------------------------------------------------------------------------------------


@cache
def table() -> LineArrays:
    return prepare_table(None, load_law()).lines


@cache
def by_value() -> Any:
    """The lines of the reference table, the largest first."""
    return np.argsort(-table().value, kind="stable")


def state(law: Law, measure: Measure, at: datetime, known_on: date) -> tuple[Row, ...]:
    """The rows of a measure that hold at an instant; nothing if it charges nobody."""
    found = law.state_of(measure, at, known_on)
    return tuple(row._replace(acts=()) for row in found.rows) if found else ()


def same(law: Law, measure: Measure, before: Moment, after: Moment) -> bool:
    """Whether the measure stands alike at two moments: its rows, and the goods and origins they reach."""
    if state(law, measure, *before) != state(law, measure, *after):
        return False
    if not measure.modelled:
        stands = [law.state_of(measure, *moment) for moment in (before, after)]
        marks = [(found.period.id, found.suspended) if found else None for found in stands]
        return marks[0] == marks[1]
    names = {name for row in state(law, measure, *before) for name in _names(row.scope)}
    return not _differing(law, measure, before, after) & names


def _differing(law: Law, measure: Measure, before: Moment, after: Moment) -> frozenset[str]:
    """The lists and groups whose members differ at two moments."""
    one, other = (law.in_force(*moment, measure.market) for moment in (before, after))
    lists = {name for name in one.lists if one.lists[name] != other.lists[name]}
    return frozenset(lists | {name for name in one.groups if one.groups[name] != other.groups[name]})


def _names(scope: Scope) -> frozenset[str]:
    sets = (*scope.origins, scope.not_origins, *scope.products, scope.not_products)
    return frozenset(itertools.chain.from_iterable(sets))


def touched(law: Law, measure: Measure, before: Moment, after: Moment, count: int) -> list[Line]:
    """Large lines of the reference table that the rows changed between two moments reach, of `count` rows at most."""
    held = [state(law, measure, *moment) for moment in (before, after)]
    differing = _differing(law, measure, before, after)
    rows: list[tuple[Row, Moment]] = []
    for moment, mine, others in ((after, held[1], held[0]), (before, held[0], held[1])):
        rows += [(row, moment) for row in mine if row not in others or _names(row.scope) & differing]
    found = []
    for step in range(min(count, len(rows))):
        row, moment = rows[-1 - step * len(rows) // count]
        mask = _mask(row.scope, law.in_force(*moment, measure.market))
        if row in held[0] and row in held[1]:
            other = before if moment == after else after
            mask ^= _mask(row.scope, law.in_force(*other, measure.market))
        index = next(filter(ratable, by_value()[mask[by_value()]][:40]), None)
        if index is not None:
            found.append(Line(_code(index), _origin(index), claims_for(row.conditions)))
    return found


def _mask(scope: Scope, force: Any) -> Any:
    lines = table()
    codes = product_mask(scope, lines, force)[lines.piece_code]
    reached = np.zeros(lines.count, dtype=bool)
    reached[lines.piece_line[codes]] = True
    return reached & origin_mask(scope, lines, force)[lines.origin]


def _code(index: int) -> str:
    lines = table()
    return str(lines.codes[lines.piece_code[np.searchsorted(lines.piece_line, index)]])


def _origin(index: int) -> str:
    return str(table().origins[table().origin[index]])


def ratable(index: int) -> bool:
    """Whether the ordinary rates of a line's code are written so that both readings can compute them."""
    return {"general", "other"} <= columns(_code(index), "2026-11-24").keys()


def claims_for(conditions: tuple[Condition, ...]) -> dict[str, str]:
    """Declared facts under which conditions hold."""
    found = {}
    for condition in conditions:
        kind = load_law().claims[condition.claim].type
        if condition.op and not condition.negated:
            found[condition.claim] = _meeting(condition)
        elif not condition.negated:
            found[condition.claim] = "yes" if kind == "bool" else "1"
    return found


def _meeting(condition: Condition) -> str:
    operand = condition.operand
    if isinstance(operand, frozenset):
        return min(operand)
    step = condition.op.strip("=")
    if isinstance(operand, datetime):
        return (operand + timedelta(days={"<": -2, ">": 2}.get(step, 0))).isoformat()
    assert isinstance(operand, Decimal)
    return str(operand - Decimal("0.01") if condition.op == "<" else operand)
