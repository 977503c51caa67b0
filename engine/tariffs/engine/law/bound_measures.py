"""Bind changes to the measures they select: the acts on each measure of a law.

A further change or measure makes another `BoundMeasures` that shares the history of every measure it leaves as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.amendments import LAW, Act, Change, name_among
from tariffs.engine.law.measure_history import MeasureHistory
from tariffs.engine.law.model import Measure, Membership, Scope
from tariffs.engine.law.raw_fields import Context
from tariffs.engine.law.read import read_metals, read_weights
from tariffs.engine.law.selection import MeasureIndex

_HISTORIES_KEPT = 64


@dataclass(frozen=True)
class Binder:
    """Binder of changes: the contexts of all markets, and the groups of countries."""

    context: Callable[[str], Context]
    groups: Mapping[str, tuple[Membership, ...]]
    _grown: BoundedCache[Hashable, tuple[MeasureHistory, Act, MeasureHistory]] = field(
        default_factory=lambda: BoundedCache(_HISTORIES_KEPT), compare=False
    )

    def bind(self, change: Change, measure: Measure, label: str, order: int, name: str) -> Act:
        """Bind a change to a measure; raises LawError for conditions or a base that cannot be read."""
        context = self.context(measure.market)

        def at(text: str) -> datetime | None:
            return context.instant(text) if text else None

        origins = self._origins(change.selector.scope)
        start = at(change.start)
        published = change.known_from
        if published is None and change.source == LAW:
            published = context.known_from({}, start or at(change.until), change.path)
        return Act(
            change=change,
            scope=change.selector.scope,
            label=label,
            start=start,
            until=at(change.until),
            to=at(change.to),
            collection_stop=at(change.collection_stop),
            known_from=published,
            order=order,
            name=name,
            conditions=context.conditions(list(change.conditions), change.path),
            base=read_weights(change.base, f"{change.path}.base") if change.base else (),
            metals=read_metals(change.base),
            origins=origins,
            origin_names=None if origins is None else origins | self._groups_with(origins),
        )

    def after(
        self, history: MeasureHistory, change: Change, labels: Iterable[str], order: int
    ) -> MeasureHistory:
        """History of a measure after a change that reaches these period labels of it (an empty text: all of it)."""
        for label in labels:
            history = self._after(history, change, label, order)
        return history

    def _after(self, history: MeasureHistory, change: Change, label: str, order: int) -> MeasureHistory:
        """History after one change; that of a law before, with its states, if it had the same change."""
        # The value refers to the history before, so that its id is not reused.
        key = (id(history), label, order, change.source, change.path)
        found = self._grown.find(key)
        if found is None or found[1].change != change:
            act = self.bind(change, history.measure, label, order, name_among(history.acts, change, order))
            found = self._grown.keep(key, (history, act, history.with_acts([act])))
        return found[2]

    def _origins(self, scope: Scope) -> frozenset[str] | None:
        """Spell out the origins that a scope reaches at any time; None is any."""
        spelled = [frozenset[str]().union(*(self._ever(name) for name in names)) for names in scope.origins]
        return frozenset[str].intersection(*spelled) if spelled else None

    def _groups_with(self, origins: frozenset[str]) -> frozenset[str]:
        """Names of the groups that any of these origins is ever in."""
        return frozenset(name for name in self.groups if not origins.isdisjoint(self._ever(name)))

    def _ever(self, name: str) -> frozenset[str]:
        dated = self.groups.get(name)
        return frozenset({name}) if dated is None else frozenset[str]().union(*(m.members for m in dated))


@dataclass(frozen=True)
class BoundMeasures:
    """Measures of a law with the acts on them.

    Attributes:
        index: the measures by the names that selectors use.
        histories: the history of each measure by its id, in the order of the law.
    """

    index: MeasureIndex
    histories: Mapping[str, MeasureHistory]
    binder: Binder
    changes: tuple[Change, ...] = ()

    def with_change(self, change: Change) -> BoundMeasures:
        """Bind a further change to the measures that it selects."""
        labels: dict[str, list[str]] = {}
        for measure, label in self.index.select(change):
            labels.setdefault(measure.id, []).append(label)
        order = len(self.changes)
        touched = {
            name: self.binder.after(self.histories[name], change, reached, order)
            for name, reached in labels.items()
        }
        changes = (*self.changes, change)
        return BoundMeasures(self.index, {**self.histories, **touched}, self.binder, changes)

    def with_measures(self, measures: Collection[Measure]) -> BoundMeasures:
        """Add measures at the end, with the acts of all changes that select them."""
        histories = dict(self.histories)
        for measure in measures:
            zone = self.binder.context(measure.market).zone
            history = MeasureHistory(len(histories), measure, (), zone)
            alone = MeasureIndex.of((measure,))
            for order, change in enumerate(self.changes):
                labels = [label for _, label in alone.select(change)]
                history = self.binder.after(history, change, labels, order)
            histories[measure.id] = history
        return BoundMeasures(self.index.with_measures(measures), histories, self.binder, self.changes)
