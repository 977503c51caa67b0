"""Refunds by heading of a measure and window of collection, and duty given back under other authorities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.line_duty.quote import Quote, QuoteLayer

ZERO = Decimal(0)
_ENDING = frozenset({"invalidate", "terminate", "expire"})


@dataclass(frozen=True, slots=True)
class HeadingRefund:
    """Refund of one heading of one measure in one collection window [start, end), of one entry or all; US dollars.

    `deposited` is the duty as known on the entry day, `assessed` as known now, `owed` the part still due.
    """

    measure: str
    heading: str
    start: str
    end: str
    deposited: Decimal
    assessed: Decimal
    owed: Decimal

    @property
    def refundable(self) -> Decimal:
        """Assessed duty that is not owed."""
        return self.assessed - self.owed


def heading_refunds(law: Law, then: Quote, now: Quote, nodes: tuple[str, ...]) -> tuple[HeadingRefund, ...]:
    """Refunds of a line by heading, from its duty as known on the entry day and as known now."""
    money = [(layer, (layer.amount, ZERO, ZERO)) for layer in then.layers]
    money += [(layer, (ZERO, layer.amount, layer.owed)) for layer in now.layers]
    return merged_headings(
        HeadingRefund(layer.measure, layer.heading, *_window(law, layer), *amounts)
        for layer, amounts in money
        if layer.amount > 0 and not set(nodes).isdisjoint(law.measures[layer.measure].parents)
    )


def given_back_elsewhere(law: Law, then: Quote, now: Quote, nodes: tuple[str, ...]) -> Mapping[str, Decimal]:
    """Sum duty given back under other authorities, by authority; empty if none is in total."""
    sums: dict[str, Decimal] = {}
    deposited = [(layer.measure, layer.amount) for layer in then.layers]
    for name, amount in (*deposited, *((layer.measure, -layer.owed) for layer in now.layers)):
        measure = law.measures[name]
        if set(nodes).isdisjoint(measure.parents):
            sums[measure.authority] = sums.get(measure.authority, ZERO) + amount
    back = {authority: amount for authority, amount in sums.items() if amount > 0}
    return back if sum(sums.values(), ZERO) > 0 else {}


def _window(law: Law, layer: QuoteLayer) -> tuple[str, str]:
    """Find the days [start, end) in which the period of a layer was collected; an open end is empty."""
    measure, zone = law.measures[layer.measure], law.zones[IMPORT]
    period = next((p for p in measure.periods if p.id == layer.period), None)
    if period is None or period.start is None:
        return "", ""
    ends: list[datetime | None] = [p.start for p in measure.periods if p.start and p.start > period.start]
    ending = [a for a in law.acts[measure.id] if a.change.op in _ENDING and a.scope.is_any]
    ends += [act.collection_stop or act.start for act in ending]
    closed = [end for end in (*ends, period.end) if end is not None and end > period.start]
    last = min(closed).astimezone(zone).date().isoformat() if closed else ""
    return period.start.astimezone(zone).date().isoformat(), last


def merged_headings(headings: Iterable[HeadingRefund]) -> tuple[HeadingRefund, ...]:
    """Sum refunds of the same measure, heading and window, in order of the windows."""
    sums: dict[tuple[str, str, str, str], HeadingRefund] = {}
    for one in headings:
        key = (one.measure, one.heading, one.start, one.end)
        had = sums.get(key, HeadingRefund(*key, ZERO, ZERO, ZERO))
        money = (had.deposited + one.deposited, had.assessed + one.assessed, had.owed + one.owed)
        sums[key] = HeadingRefund(*key, *money)
    return tuple(sorted(sums.values(), key=lambda one: (one.start, one.heading, one.measure)))
