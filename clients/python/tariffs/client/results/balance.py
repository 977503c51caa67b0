"""Gains and losses in a report, in whole units that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

_DUTY = {
    "borne_abroad": "added duty borne by exporters",
    "borne_at_home": "added duty borne by {buyers}",
}
_GAINS = {
    "buyer_surplus": "gain of {buyers}",
    "producer_surplus": "gain of domestic producers",
    "revenue_change": "gain of the treasury: change of duty",
    "rent_importer": "quota rents of importers",
    "rent_government": "quota rents of the government",
}
_VOID = "void duty in it, which goes back to importers"
_NET = "gain of the treasury net of void duty"
_CLOSED = "of which {buyers} by prohibitions"
_MEMORY = {
    "unadjusted_surplus": "of which {buyers} by quantities that have not adjusted",
    "ended_surplus": "of which duties that have ended",
}
_ABROAD = {"rent_exporter": "quota rents of exporters, which are in their prices"}
AMOUNTS = ("added_duty", "buyer_surplus", "welfare")
"""Columns with the largest amounts of the table."""
CAPTION = "against the baseline; parts add up to the line below them"
"""Caption of the table, after its unit."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Table of gains and losses of the totals of a result: a row for each party, a column for each scenario and day.

    Attributes:
        total: rows of totals, amounts in the unit that they are rounded to.
        buyers: buyers of the goods, in words.
    """

    total: pl.DataFrame
    buyers: str

    def rows(self) -> list[tuple[str, list[int | None]]]:
        """List the parties and sums in words, with whole units by scenario; None is unknown.

        Parts are rounded, and a sum is that of its rounded parts, so that the table adds up.
        """
        return [(title.format(buyers=self.buyers), units) for title, units in self._rows()]

    def _rows(self) -> list[tuple[str, list[int | None]]]:
        runs = self.total.to_dicts()
        found = [*self._parts(runs, _DUTY, "added_duty", "added duty")]
        found += self._parts(runs, _GAINS, "welfare", "welfare") + _refunded(runs)
        if any(_dollars(runs, "prohibited_surplus")):
            found.append((_CLOSED, _dollars(runs, "prohibited_surplus")))
        found += [(title, _dollars(runs, name)) for name, title in _MEMORY.items() if self._has(name)]
        return found + [(title, _dollars(runs, name)) for name, title in _ABROAD.items() if self._has(name)]

    def _has(self, name: str) -> bool:
        return name in self.total.columns and self.total[name].count() > 0

    def _parts(
        self, runs: Sequence[Mapping[str, object]], titles: Mapping[str, str], whole: str, title: str
    ) -> list[tuple[str, list[int | None]]]:
        """Round the parts that a result has, and add them up; a sum that is known without its parts is as it is."""
        if not self._has(whole):
            return []
        parts = [(text, _dollars(runs, name)) for name, text in titles.items() if self._has(name)]
        sums = [
            _sum([values[place] for _, values in parts], known)
            for place, known in enumerate(_dollars(runs, whole))
        ]
        return [*parts, (title, sums)]


def _refunded(runs: Sequence[Mapping[str, object]]) -> list[tuple[str, list[int | None]]]:
    """Rows of the duty after the response that is assessed and not owed, and of the treasury's gain without it."""
    gains, assessed, owed = (
        _dollars(runs, name) for name in ("revenue_change", "duty_after", "duty_owed_after")
    )
    void = _less(assessed, owed)
    if not any(void):
        return []
    return [(_VOID, void), (_NET, _less(gains, void))]


def _less(whole: Sequence[int | None], parts: Sequence[int | None]) -> list[int | None]:
    return [
        None if one is None or part is None else one - part for one, part in zip(whole, parts, strict=True)
    ]


def _dollars(runs: Sequence[Mapping[str, object]], name: str) -> list[int | None]:
    values = (run.get(name) for run in runs)
    return [round(value) if isinstance(value, int | float) else None for value in values]


def _sum(parts: Sequence[int | None], known: int | None) -> int | None:
    """Add rounded parts where they are those of a known sum up to rounding, else take the sum."""
    given = [part for part in parts if part is not None]
    is_whole = known is not None and len(given) == len(parts) and abs(sum(given) - known) <= len(parts)
    return sum(given) if is_whole else known
