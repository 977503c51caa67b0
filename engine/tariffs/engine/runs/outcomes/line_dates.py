"""Date the lines of a table: the instants at which they enter their markets, and the days whose acts count."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from datetime import date, datetime

import numpy as np

from tariffs.engine.base.array_utils import I32
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.entry_dates import entry_instant, read_known_on
from tariffs.engine.table_duty.rated_lines import Dated
from tariffs.engine.tables.prepare import PreparedTable


class LineDates:
    """Dates of the lines of a table.

    Args:
        table: the table.
        market: the market of its goods, where the table names none.
        known_on: the day whose acts count, as options give it.
    """

    def __init__(self, table: PreparedTable, market: str, known_on: str) -> None:
        self._table = table
        self._markets = table.markets or (market,)
        self._known_on = known_on

    def dated(self, law: Law, on: str) -> Dated:
        """Date the lines: by their entry dates, and by `on` where a line has none."""
        if "entry_date" not in self._table.frame.columns or not self._table.frame.height:
            # A table of which every row was refused has an instant too, that of the run.
            return self.alike(law, on)
        parts = [self._in_market(law, on, market) for market in self._markets]
        return parts[0] if len(parts) == 1 else _joined(parts, self._table.market_of_line)

    def alike(self, law: Law, on: str, known: date | None = None) -> Dated:
        """Date all lines by `on`, each in the time of its market; `known` takes the place of the options' day."""
        instants = [entry_instant(law, on, market) for market in self._markets]
        days = [
            known or read_known_on(law, self._known_on, moment.astimezone(law.zones[market]).date())
            for moment, market in zip(instants, self._markets, strict=True)
        ]
        return Dated(instants, days, self._table.market_of_line, self._markets)

    def _in_market(self, law: Law, on: str, market: str) -> Dated:
        """Date the lines as if all were goods of one market."""
        zone = law.zones[market]

        def known_at(moment: datetime) -> date:
            return read_known_on(law, self._known_on, moment.astimezone(zone).date())

        def segment(moment: datetime) -> Hashable:
            known = bisect_right(law.publication_days, known_at(moment))
            return bisect_right(law.boundaries, moment), known

        instants, of_line = self._table.entry_instants(entry_instant(law, on, market), segment)
        known = [known_at(moment) for moment in instants]
        return Dated(instants, known, of_line, [market] * len(instants))


def _joined(parts: Sequence[Dated], market_of_line: I32 | None) -> Dated:
    """Join the dates of lines of several markets; each line has those of its own."""
    starts = np.cumsum([0, *(len(part.instants) for part in parts)])
    count = 0 if market_of_line is None else len(market_of_line)
    places = np.zeros((len(parts), count), dtype=np.int32)
    for row, (part, start) in enumerate(zip(parts, starts, strict=False)):
        places[row] = start if part.of_line is None else part.of_line + start
    of_line = places[market_of_line, np.arange(count)]
    instants, known, markets = zip(*(moment for part in parts for moment in part.moments), strict=True)
    return Dated(instants, known, of_line, markets)
