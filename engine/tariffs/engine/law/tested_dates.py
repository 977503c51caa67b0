"""State of a measure that is tested on a declared date, such as that of importation, instead of the entry date.

The state is asked for by entry instant, so the earlier states of the measure become rows with conditions on the
declared date, the latest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tariffs.engine.law.amendments import Act
from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.measure_state import MeasureState, Rows, measure_state, moments_of
from tariffs.engine.law.model import BUT_ACTS, Measure, Period, Row


def state_as_tested(
    measure: Measure, acts: Sequence[Act], periods: Sequence[Period], instant: datetime, zone: ZoneInfo
) -> MeasureState | None:
    """State of a measure for goods entered at an instant; None if it applies to no one.

    With `tested_on`, goods declared with an earlier date meet the measure as it was on that date; undeclared is the
    entry instant. A measure that is over or suspended at entry applies to no goods, whatever their date.

    Args:
        measure: the measure.
        acts: its known acts, law before scenario, each in order.
        periods: its known periods.
        instant: the entry instant.
        zone: the zone in which conditions state their instants, that of the measure's direction.
    """
    state = measure_state(measure, acts, periods, instant)
    if state is None or state.suspended or not measure.tested_on:
        return state
    spans: list[tuple[datetime, Rows]] = []
    for moment in _begun(measure, acts, instant):
        then = measure_state(measure, acts, periods, moment)
        rows = then.rows if then else ()
        if spans and list(map(BUT_ACTS, spans[-1][1])) == list(map(BUT_ACTS, rows)):
            rows = spans.pop()[1]
        spans.append((moment.astimezone(zone), rows))
    return replace(state, rows=_as_conditions(spans, measure.tested_on))


def _begun(measure: Measure, acts: Sequence[Act], instant: datetime) -> list[datetime]:
    """List the moments of a measure up to an instant, the latest first."""
    begun = [moment for moment in moments_of(measure, acts) if moment is not None and moment <= instant]
    return sorted(begun, reverse=True)


def _as_conditions(spans: Sequence[tuple[datetime, Rows]], claim: str) -> Rows:
    """Turn the rows of spans of time, the latest first, into rows with conditions on a date.

    A span begins at its moment. Goods of its time that none of its rows fits must not meet those of an earlier span.
    """
    dated_rows: list[Row] = []
    for place, (moment, rows) in enumerate(spans):
        text = moment.isoformat()
        since = (Condition(f"not {claim} < {text}", claim, True, "<", moment, text),)
        dated_rows += [row._replace(conditions=(*row.conditions, *since)) for row in rows]
        scopes = {row.scope: None for _, earlier in spans[place + 1 :] for row in earlier}
        dated_rows += [Row("add", scope, since, absent=True) for scope in scopes]
    return tuple(dated_rows)


__all__ = ["state_as_tested"]
