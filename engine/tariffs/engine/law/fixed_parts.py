"""Work out what a law and all laws that scenarios make of it have in common: names, clocks, groups and lists by day.

No change of a scenario edits the parts of the law that this is worked out from.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.commitments import QuantityRule, commitment_moments
from tariffs.engine.law.known_names import Names
from tariffs.engine.law.line_notes import LineNote
from tariffs.engine.law.markets import Market
from tariffs.engine.law.measure_history import utc_sorted
from tariffs.engine.law.model import EXPORT, IMPORT, Claim, Membership, Switch, holds
from tariffs.engine.law.product_lists import ProductList
from tariffs.engine.law.raw_fields import Context, fault

# Groups and lists change on some hundred days.
DAYS_KEPT = 128


@dataclass(frozen=True)
class NamesOn:
    """Origins of each group and codes of each product list on a day."""

    groups: Mapping[str, frozenset[str]]
    lists: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class FixedParts:
    """See the module. The fields are those of the law."""

    as_of: date
    coverage: tuple[datetime, datetime]
    zones: Mapping[str, ZoneInfo]
    claims: Mapping[str, Claim]
    switches: Mapping[str, Switch]
    groups: Mapping[str, tuple[Membership, ...]]
    lists: Mapping[str, ProductList]
    row_sets: Mapping[str, Any]
    limits: tuple[QuantityRule, ...]
    line_notes: tuple[LineNote, ...]
    origins: frozenset[str]
    retired_switches: Mapping[str, str]
    destination: str
    markets: Mapping[str, Market]

    @cached_property
    def vocabulary(self) -> Names:
        """Countries, groups, lists and switches that measures and scenarios may name."""
        switches = {switch.id: switch.values for switch in self.switches.values()}
        origins = self.origins | self.groups.keys()
        return Names(origins, frozenset(self.lists), switches, self.retired_switches)

    @cached_property
    def listed_codes(self) -> Sequence[str]:
        """Every code of a product list, sorted."""
        return sorted({code for product_list in self.lists.values() for code in product_list.codes})

    @cached_property
    def _contexts(self) -> Mapping[str, Context]:
        types = {claim.id: claim.type for claim in self.claims.values()}
        return {
            market: Context(types, zone, self.as_of, self.row_sets, self.vocabulary, self.destination)
            for market, zone in self.zones.items()
        }

    def context(self, market: str) -> Context:
        """Reading context of measures of a market."""
        return self._contexts.get(market) or self._contexts[IMPORT]

    def market_named(self, raw: Mapping[str, Any], path: str) -> str:
        """Market of a measure as written: its destination if it is on exports, else its direction.

        Raises:
            LawError: LAW_INVALID for a destination without a market.
        """
        direction = str(raw.get("direction", IMPORT))
        if direction != EXPORT:
            return direction
        market = str(raw.get("destination", self.destination))
        if market not in self.zones:
            raise fault(f"{path}.destination", f"the law has no market {market!r}")
        return market

    @cached_property
    def covered(self) -> Mapping[str, tuple[datetime, datetime]]:
        """By market the days that the law covers, the first and the end of the last, on its clock."""
        own = {code: market.coverage for code, market in self.markets.items() if market.coverage}
        return self.clocked | {
            code: (max(first, self.clocked[code][0]), min(last, self.clocked[code][1]))
            for code, (first, last) in own.items()
        }

    @cached_property
    def clocked(self) -> dict[str, tuple[datetime, datetime]]:
        """Coverage of the law as a whole on the clock of each market."""
        start, end = (moment.astimezone(self.zones[IMPORT]) for moment in self.coverage)
        return {
            market: (start.replace(tzinfo=zone), end.replace(tzinfo=zone))
            for market, zone in self.zones.items()
        }

    @cached_property
    def moments(self) -> Sequence[datetime]:
        """Instants at which coverage, groups, lists, commitments or notes begin or end, sorted (UTC)."""
        notes = [moment for note in self.line_notes for moment in (note.start, note.end)]
        return utc_sorted((*self.coverage, *self._name_moments, *commitment_moments(self.limits), *notes))

    @cached_property
    def _name_moments(self) -> Sequence[datetime]:
        dated = [item for memberships in self.groups.values() for item in memberships]
        moments = [moment for item in dated for moment in (item.start, item.end)]
        return utc_sorted(
            [
                *moments,
                *(moment for product_list in self.lists.values() for moment in product_list.boundaries),
            ]
        )

    @cached_property
    def publication_days(self) -> frozenset[date]:
        """Days on which notes and changes of lists were published."""
        days = {note.known_from for note in self.line_notes if note.known_from}
        return frozenset(days.union(self._name_days))

    @cached_property
    def _name_days(self) -> Sequence[date]:
        return sorted({day for product_list in self.lists.values() for day in product_list.publication_days})

    @cached_property
    def _names(self) -> BoundedCache[tuple[int, int], NamesOn]:
        return BoundedCache(DAYS_KEPT)

    def names_on(self, instant: datetime, known_on: date) -> NamesOn:
        """Groups and lists at an (aware) instant, as known on a day; the same object until one of them changes."""
        key = bisect_right(self._name_moments, instant), bisect_right(self._name_days, known_on)
        return self._names.get(key, lambda: self._spelled(instant, known_on))

    def _spelled(self, instant: datetime, known_on: date) -> NamesOn:
        groups = {
            name: frozenset[str]().union(*(m.members for m in dated if holds(m.start, m.end, instant)))
            for name, dated in self.groups.items()
        }
        lists = {name: product_list.on(instant, known_on) for name, product_list in self.lists.items()}
        return NamesOn(groups, lists)
