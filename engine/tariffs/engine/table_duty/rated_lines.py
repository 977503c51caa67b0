"""Rate the lines of a table: their layers at each entry instant, the parts of their value, their quantities."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from tariffs.engine.base.array_utils import F64, I32
from tariffs.engine.base.bounded_cache import BoundedCache, brief
from tariffs.engine.base.stages import stage
from tariffs.engine.errors import LawError
from tariffs.engine.law.law import IMPORT, InForce, Law
from tariffs.engine.law.model import (
    ABOVE_OF_WHOLE,
    ALUMINUM,
    CAPPED_TERM,
    COPPER,
    PARTS,
    PROCESSING,
    REST,
    REST_OF_WHOLE,
    STEEL,
    US,
    US_ABOVE,
    US_OF_WHOLE,
    WHOLE_PARTS,
)
from tariffs.engine.law.set_shares import settings_at
from tariffs.engine.rating.families import Family, family_of
from tariffs.engine.rating.fits import CONTENT_CLAIMS, PROCESSING_CLAIM, US_CLAIM
from tariffs.engine.rating.law_fingerprint import assessed_fingerprint, law_fingerprint
from tariffs.engine.rating.layers import LawLayers
from tariffs.engine.tables.claim_shares import lines_with_claim_shares
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.selected_lines import SelectedLines

_PARTS_KEPT = 2
"""Some 25 MB each with the embedded table."""


@dataclass(frozen=True)
class Dated:
    """Entry instants of lines, with the day whose acts count and the market of each.

    `of_line` is the place of each line among them, None if all have the first; without `markets` all are imports.
    """

    instants: Sequence[datetime]
    known_on: Sequence[date]
    of_line: I32 | None
    markets: Sequence[str] = ()

    @property
    def moments(self) -> list[tuple[datetime, date, str]]:
        """Instant, day whose acts count, and market: the arguments of `Law.in_force`."""
        markets = self.markets or [IMPORT] * len(self.instants)
        return list(zip(self.instants, self.known_on, markets, strict=True))

    def selections(self, lines: LineArrays) -> list[SelectedLines]:
        """Split lines by instant."""
        if self.of_line is None:
            return [SelectedLines.all(lines)]
        return SelectedLines.split(lines, self.of_line, len(self.instants))


@dataclass(frozen=True, eq=False)
class RatedLines:
    """Lines of one instant with the layers of their combinations under the law of that instant."""

    in_force: InForce
    instant: datetime
    known_on: date
    market: str
    selected: SelectedLines
    family: Family
    layers: LawLayers

    @property
    def lines(self) -> LineArrays:
        """Lines of the table, with the shares that the law sets."""
        return self.selected.lines


def law_of_day(law: Law, dated: Dated) -> Hashable:
    """Compute a value that is equal for laws and instants with the same duties and response on all lines."""
    return tuple(law_fingerprint(law, law.in_force(*moment), *moment[:2]) for moment in dated.moments)


def assessed_of_day(law: Law, dated: Dated) -> Hashable:
    """Compute a value as `law_of_day` that is equal too where laws differ in what is owed of their duty alone."""
    return tuple(assessed_fingerprint(law, law.in_force(*moment), *moment[:2]) for moment in dated.moments)


@stage("compile the law")
def rate_lines(law: Law, lines: LineArrays, dated: Dated) -> list[RatedLines]:
    """Find the layers of lines at their instants.

    Args:
        law: the law, after any scenario.

    Raises:
        LawError: TOO_MANY_TESTS.
    """
    return _rated(law, lines, dated, dated.moments)


@stage("compile the law")
def rate_days(law: Law, lines: LineArrays, days: Sequence[Dated]) -> list[list[RatedLines]]:
    """Find the layers of lines on several days, of which each gives every line its own instant; one family has them.

    Args:
        law: the law, after any scenario.
        days: the instants of the lines on each day.

    Raises:
        LawError: TOO_MANY_TESTS, of all days together.
    """
    rated = _rated(law, lines, days[0], [moment for day in days for moment in day.moments])
    size = len(days[0].moments)
    return [rated[first : first + size] for first in range(0, len(rated), size)]


def _rated(
    law: Law, lines: LineArrays, dated: Dated, moments: Sequence[tuple[datetime, date, str]]
) -> list[RatedLines]:
    """Find the layers of lines at moments, which give the instants of `dated` in turn."""
    laws = [law.in_force(*moment) for moment in moments]
    shared = [
        lines_with_claim_shares(law, in_force, moment[0], lines)
        for in_force, moment in zip(laws, moments, strict=True)
    ]
    distinct = {id(own): own for own in shared}
    families = {
        key: family_of(law.claims, own, [f for f, other in zip(laws, shared, strict=True) if other is own])
        for key, own in distinct.items()
    }
    splits = {key: dated.selections(own) for key, own in distinct.items()}
    size = len(dated.moments)
    return [
        RatedLines(in_force, *moment, splits[id(own)][place % size], family, family.layers(in_force))
        for place, (in_force, moment, own) in enumerate(zip(laws, moments, shared, strict=True))
        for family in [families[id(own)]]
    ]


@stage("compile laws together")
def share_compile(dated_laws: Sequence[tuple[Law, Dated]], lines: LineArrays) -> None:
    """Compile the laws that are going to rate lines together, before the first of them does.

    Args:
        dated_laws: the laws with the instants of the lines.
    """
    laws = [
        law.in_force(*moment)
        for law, dated in dated_laws
        for moment in dated.moments
        if not settings_at(law, moment[0])
    ]
    if laws:
        with suppress(LawError):  # too many tests together; each law alone may have fewer
            family_of(dated_laws[0][0].claims, lines, laws)


def parts_of(law: Law, lines: LineArrays) -> F64:
    """Compute the parts of the value of each line in dollars (n x parts): those of `law.model.PARTS`, then those of
    `law.model.WHOLE_PARTS`.

    Undeclared content counts as 0 here: layers put the weight of an assumed metal on the whole value.
    """
    cap = float(law.caps.get(CAPPED_TERM, 1))
    kept: BoundedCache[float, F64] = lines.cache.setdefault("parts", brief(BoundedCache(_PARTS_KEPT)))
    return kept.get(cap, lambda: np.ascontiguousarray(_parts(lines, cap, slice(None)).T))


def parts_of_range(law: Law, selected: SelectedLines, lo: int, hi: int) -> F64:
    """Compute the parts of the value of selected[lo:hi] (parts x lines)."""
    chosen = slice(lo, hi) if selected.is_all else selected.index[lo:hi]
    return _parts(selected.lines, float(law.caps.get(CAPPED_TERM, 1)), chosen)


def _parts(lines: LineArrays, cap: float, chosen: I32 | slice) -> F64:
    value = lines.value[chosen]
    shares = {part: np.nan_to_num(lines.fact(claim, chosen)) for part, claim in CONTENT_CLAIMS.items()}
    metal = shares[STEEL] + shares[ALUMINUM] + shares[COPPER]
    declared = np.nan_to_num(lines.fact(US_CLAIM, chosen))
    us = np.minimum(declared, 1.0 - metal)
    capped, capped_of_whole = np.minimum(us, cap), np.minimum(declared, cap)
    processing = lines.fact(PROCESSING_CLAIM, chosen)
    parts = np.zeros((len(PARTS) + len(WHOLE_PARTS), len(value)))
    for part, share in shares.items():
        parts[part] = value * share
    parts[US] = value * capped
    parts[US_ABOVE] = value * (us - capped)
    parts[REST] = value * (1.0 - metal - us)
    parts[US_OF_WHOLE] = value * capped_of_whole
    parts[ABOVE_OF_WHOLE] = value * (declared - capped_of_whole)
    parts[REST_OF_WHOLE] = value * (1.0 - declared)
    parts[PROCESSING] = np.where(np.isnan(processing), value, np.minimum(processing, value))
    return parts


def quantities_of(lines: LineArrays, units: Sequence[str]) -> F64:
    """Quantity of each line in each unit (units x n); NaN where unknown."""
    quantity = np.full((max(1, len(units)), lines.count), np.nan)
    for row, unit in enumerate(units):
        if unit in lines.quantities:
            quantity[row] = lines.quantities[unit]
    return quantity
