"""Suspensions of a measure by the scope they reach.

An act narrowed to some goods leaves the suspensions of others as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tariffs.engine.law.amendments import Act
from tariffs.engine.law.measure_state import SuspensionWindow, apart, may_meet, windows_of
from tariffs.engine.law.model import ANYWHERE, Measure, Scope

_VERBS = frozenset({"suspend", "extend", "snap_back"})


@dataclass(frozen=True, slots=True)
class Reached:
    """The goods that acts reach: a scope, its origins spelled out (None is any), a period label or none."""

    scope: Scope = ANYWHERE
    origins: frozenset[str] | None = None
    label: str = ""

    @classmethod
    def of(cls, act: Act) -> Reached:
        """Goods that an act reaches."""
        return cls(act.scope, act.origins, act.label)

    def meets(self, other: Reached) -> bool:
        """Test whether some goods may be in both."""
        labels = not (self.label and other.label) or self.label == other.label
        return labels and may_meet(self.origins, other.origins) and not apart(self.scope, other.scope)

    def covers(self, other: Reached) -> bool:
        """Test whether all goods of the other are surely among these."""
        if self.label not in {"", other.label}:
            return False
        if self.scope == other.scope or self.scope.is_any:
            return True
        return (
            (self.origins is None or (other.origins is not None and other.origins <= self.origins))
            and set(self.scope.products) <= set(other.scope.products)
            and self.scope.not_origins <= other.scope.not_origins
            and self.scope.not_products <= other.scope.not_products
        )


@dataclass(frozen=True, slots=True)
class Suspension:
    """A suspension and the goods that it reaches."""

    goods: Reached
    window: SuspensionWindow


def suspensions_of(acts: Iterable[Act]) -> list[Suspension]:
    """List the suspensions after every suspend, extend and snap_back.

    A suspension that a narrower act moves or ends is listed twice: for the goods of that act, and for the rest.
    """
    known = [act for act in acts if act.change.op in _VERBS]
    suspensions: list[Suspension] = []
    for goods in dict.fromkeys([Reached(), *map(Reached.of, known)]):
        reaching = [act for act in known if Reached.of(act).covers(goods)]
        wider = {one.window for one in suspensions if one.goods.covers(goods)}
        suspensions += [Suspension(goods, window) for window in windows_of(reaching) if window not in wider]
    return suspensions


def ends_of(measure: Measure, acts: Iterable[Act], reaching: Act) -> list[datetime | None]:
    """List the ends of the suspensions that an act may reach; without any, the written ends of the periods.

    Args:
        reaching: the act that extends or ends them.
    """
    goods = Reached.of(reaching)
    windows = [one.window for one in suspensions_of(acts) if one.goods.meets(goods)]
    return [w.until for w in windows] if windows else [p.end for p in measure.periods if p.end]


def suspended_scopes(measure: Measure, suspension: Suspension) -> Iterator[Scope]:
    """Narrow the scopes of the rows of a measure to those that a suspension reaches."""
    for period in measure.periods:
        if suspension.goods.label in {"", period.id}:
            for row in period.rows:
                yield row.scope.narrowed(suspension.goods.scope)
