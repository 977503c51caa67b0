"""Render the section of a measure: its acts day by day, and the rows of each period in full."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tariffs.engine.law import Law, Measure
from tariffs.engine.law.amendments import Act
from tariffs.engine.law.describe_rows import (
    describe_act,
    describe_base,
    describe_charge,
    describe_goods,
    describe_row_list,
)
from tariffs.engine.law.model import FULL_BASE, Period, Row
from tariffs.reference_pages.citations import linked

_MATRIX = 5
"""Rows in sequence that differ in origin, rate and heading alone, from which on they are one row with a list."""


def measure_blocks(law: Law, measure: Measure) -> Iterator[str]:
    """Write the section of a measure: what happened to it day by day, and the rows of each period in full."""
    zone = law.zones.get(measure.direction) or law.zones["import"]
    modelled = "modelled" if measure.modelled else "not modelled yet"
    status = "announced, never charged" if measure.announced else modelled
    yield f"### `{measure.id}`: {measure.title}"
    yield ""
    yield f"{measure.direction}, {status}, confidence {measure.conf}. {sources_sentence(measure.cite)}"
    if measure.switch:
        yield f"Exists only if {switch_words(measure.switch)}."
    if measure.note:
        yield f"{measure.note[0].upper()}{measure.note[1:]}."
    events = sorted(_timeline(law, measure, zone))
    if events:
        yield ""
        yield "| from | change | published | sources | conf |"
        yield "|---|---|---|---|---|"
        yield from (f"| {' | '.join(cells)} |" for _, *cells in events)
    before: Period | None = None
    for period in measure.periods:
        yield from _rows_in_full(period, before)
        before = period


def _rows_in_full(period: Period, before: Period | None) -> Iterator[str]:
    """Write all rows of a period, whatever its file takes over from others, and which of them are new."""
    rows = [_as_written(row) for row in period.rows]
    known = [_as_written(row) for row in before.rows] if before else rows
    yield ""
    since = f"; new are those that `{before.id}` does not have" if before else ""
    yield f"Rows of `{period.id}`, of which the first that fits holds{since}:"
    yield ""
    yield "| | charge | goods | if | heading | base | what it is |"
    yield "|---|---|---|---|---|---|---|"
    matrices = []
    for _, alike in itertools.groupby(rows, key=_but_origin):
        group = list(alike)
        if len(group) < _MATRIX:
            yield from (_table_row(row, row not in known) for row in group)
            continue
        matrix = ", ".join(_origin_words(row) for row in group)
        yield _matrix_row(group, any(row not in known for row in group))
        matrices += [matrix] if matrix not in matrices else []
    for matrix in matrices:
        yield ""
        yield f"By origin: {matrix}."
    gone = [
        row for row in known if row not in rows and not any(_but_origin(row) == _but_origin(r) for r in rows)
    ]
    if gone:
        yield ""
        yield f"No longer: {'; '.join(_row_words(row) for row in gone)}."


def _as_written(row: Row) -> Row:
    return row._replace(acts=())


def _but_origin(row: Row) -> Row:
    scope = row.scope._replace(origins=())
    return row._replace(scope=scope, rate=None, heading="", heading_at_zero="", known_from=None)


def _table_row(row: Row, is_new: bool) -> str:
    cells = (
        "new" if is_new else "",
        describe_charge(row),
        describe_goods(row.scope),
        _conditions(row),
        _heading(row),
    )
    return _line(*cells, _base(row), row.label)


def _matrix_row(group: Sequence[Row], is_new: bool) -> str:
    goods = describe_goods(group[0].scope._replace(origins=()))
    cells = (
        "new" if is_new else "",
        "by origin",
        f"{goods} of {len(group)} origins",
        _conditions(group[0]),
        "by origin",
    )
    return _line(*cells, _base(group[0]), group[0].label)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _conditions(row: Row) -> str:
    words = [condition.text for condition in row.conditions]
    words += ["undeclared counts as claimed"] if row.undeclared_applies else []
    words += [f"known from {row.known_from}"] if row.known_from else []
    return " and ".join(words)


def _heading(row: Row) -> str:
    return f"{row.heading}, at 0 {row.heading_at_zero}" if row.heading_at_zero else row.heading


def _base(row: Row) -> str:
    rest = f", the rest under {row.split_heading}" if row.split_heading else ""
    return f"{describe_base(row.base)}{rest}" if row.base != FULL_BASE or rest else ""


def _origin_words(row: Row) -> str:
    origins = " and ".join(", ".join(sorted(names)) for names in row.scope.origins)
    return f"{origins} {describe_charge(row)} ({_heading(row)})"


def _row_words(row: Row) -> str:
    return f"{describe_charge(row)} on {describe_goods(row.scope)}" + (
        f" ({row.heading})" if row.heading else ""
    )


def _timeline(law: Law, measure: Measure, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    for number, period in enumerate(measure.periods):
        yield (_sort_key(period.start, number), *_period(period, zone))
    for number, act in enumerate(law.acts[measure.id]):
        yield (_sort_key(act.start or act.collection_stop or act.until, 100 + number), *_act(act, zone))


def _sort_key(moment: datetime | None, number: int) -> str:
    return f"{moment.isoformat() if moment else '9999'} {number:05d}"


def _period(period: Period, zone: ZoneInfo) -> tuple[str, ...]:
    end = f", to {moment_words(period.end, zone)}" if period.end else ""
    only = f" (only if {switch_words(period.switch)})" if period.switch else ""
    text = f"`{period.id}`: {describe_row_list(period.rows)}{end}{only}"
    return moment_words(period.start, zone), text, _day(period.known_from), _cell(period.cite), period.conf


def _act(act: Act, zone: ZoneInfo) -> tuple[str, ...]:
    change = act.change
    only = f" (only if {switch_words(change.switch)})" if change.switch else ""
    return (
        moment_words(act.start, zone),
        f"{describe_act(change)}{only}",
        _day(act.known_from),
        _cell(change.cite),
        change.conf,
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def switch_words(switch: Mapping[str, str]) -> str:
    """Write the values of switches that something depends on."""
    return " and ".join(f"switch `{name}` is {value}" for name, value in sorted(switch.items()))


def span_words(law: Law, start: datetime | None, end: datetime | None, switch: Mapping[str, str]) -> str:
    """Write from when until when, and under which switches, a rule holds; empty where it always does."""
    zone = law.zones["import"]
    words = [f"{word} {moment_words(at, zone)}" for word, at in (("from", start), ("until", end)) if at]
    if switch:
        defaults = " and ".join(law.switches[name].default for name in sorted(switch))
        words.append(f"only if {switch_words(switch)} (default {defaults})")
    return ", ".join(words)


def moment_words(moment: datetime | None, zone: ZoneInfo) -> str:
    """Write an instant on a clock; empty where there is none."""
    return moment.astimezone(zone).isoformat(sep=" ", timespec="minutes") if moment else ""


def sources_sentence(cites: Sequence[str]) -> str:
    """Write the sentence that names sources."""
    return f"Sources: {linked(cites)}." if cites else "No source."


def _cell(cites: Sequence[str]) -> str:
    return linked(cites).replace("|", "/")
