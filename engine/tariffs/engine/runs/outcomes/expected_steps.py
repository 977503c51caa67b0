"""Find the changes of duty that buyers expect from a day on, before and after the day of a result."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date, timedelta

import numpy as np

from tariffs.engine.base.array_utils import F64, ratio
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import Law
from tariffs.engine.response.trade.anticipation import (
    DAYS_A_MONTH,
    ExpectedStep,
    Storage,
    default_storage,
    purchase_factor,
)
from tariffs.engine.runs.outcomes.rated_table import RatedTable
from tariffs.engine.table_duty.duties import Dated

_RATES_KEPT = 64
"""Some 170 MB for the embedded table."""
_LEAST = 1e-9


class ExpectedDuties:
    """Purchases that buyers move because they expect, from a day on, the duties that come.

    Args:
        run: the table.
        since: first day on which they expect them, ISO text.
    """

    def __init__(self, run: RatedTable, since: str) -> None:
        self._run = run
        self._since = date.fromisoformat(since[:10])
        self._storage: Storage = default_storage()
        self._rates: BoundedCache[Hashable, tuple[F64, Law]] = BoundedCache(_RATES_KEPT)

    def factor(self, law: Law, dated: Dated) -> F64 | None:
        """Factor on the purchases of each line on the day of a result, the same for all; None if none are moved."""
        instant, _, market = dated.moments[0]
        on = instant.astimezone(law.zones[market]).date()
        if on < self._since:
            return None
        lead = timedelta(days=round(self._storage.lead * DAYS_A_MONTH))
        days = self._days(law, max(self._since, on - lead), on + lead)
        around = {each for day in days for each in (day - timedelta(days=1), day)}
        self._run.share_compile(
            [(law, self._run.dated_alike(law, day.isoformat())) for day in sorted(around)]
        )
        steps = [
            ExpectedStep((day - on).days, min((day - self._since).days, lead.days), gain)
            for day in days
            if (gain := self._gain(law, day)) is not None
        ]
        factor = purchase_factor(steps, self._run.prepared.lines.count, self._storage)
        return factor if (factor != 1.0).any() else None

    def _days(self, law: Law, after: date, last: date) -> list[date]:
        """Days after one and to another on which the law changes, and the day after each for what begins past noon."""
        first, end = (
            each.astimezone(law.zones[self._run.market]).date() for each in law.covered(self._run.market)
        )
        zones = {law.zones[market] for market in (self._run.market, *self._run.prepared.markets)}
        days = {boundary.astimezone(zone).date() for boundary in law.boundaries for zone in zones}
        days |= {day + timedelta(days=1) for day in days}
        return sorted(day for day in days if max(after, first) < day <= last and day < end)

    def _gain(self, law: Law, day: date) -> F64 | None:
        """Log change of one plus the rate of each line from the day before; None if no rate changes."""
        before, after = (self._rate(law, each) for each in (day - timedelta(days=1), day))
        if before is after:
            return None
        gain = np.log((1.0 + after) / (1.0 + before))
        return gain if (np.abs(gain) > _LEAST).any() else None

    def _rate(self, law: Law, day: date) -> F64:
        dated = self._run.dated_alike(law, day.isoformat())

        def found() -> tuple[F64, Law]:
            duties = self._run.duties(law, dated)
            return ratio(duties.duty, duties.lines.value, 0.0), law

        return self._rates.get(self._run.law_fingerprint(law, dated), found)[0]
