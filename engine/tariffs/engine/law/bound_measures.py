"""Select the measures of a change, and bind it to them: the acts on each measure of a law.

A further change or measure makes another `BoundMeasures` that shares the history of every measure it leaves as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.spelling import nearest
from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import LAW, Act, Change, Selector, name_among
from tariffs.engine.law.measure_history import MeasureHistory
from tariffs.engine.law.model import Measure, Membership, Scope
from tariffs.engine.law.raw_fields import Context
from tariffs.engine.law.read import read_metals, read_weights


@dataclass(frozen=True)
class MeasureIndex:
    """Measures of a law by the names that selectors and rules use.

    Attributes:
        measures: the measures by id, in the order of the law.
        places: the place of each in the law.
        labels: ids of the measures by their own id and by the labels of their periods.
        nodes: ids of the measures by the nodes of the authority tree above them.
    """

    measures: Mapping[str, Measure]
    places: Mapping[str, int]
    labels: Mapping[str, tuple[str, ...]]
    nodes: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, measures: Iterable[Measure]) -> MeasureIndex:
        """Index measures in the order of the law."""
        return cls({}, {}, {}, {}).with_measures(measures)

    def with_measures(self, measures: Iterable[Measure]) -> MeasureIndex:
        """Add measures at the end."""
        by_id, places = dict(self.measures), dict(self.places)
        labels, nodes = dict(self.labels), dict(self.nodes)
        for measure in measures:
            places[measure.id] = len(places)
            by_id[measure.id] = measure
            for label in dict.fromkeys((measure.id, *measure.labels)):
                labels[label] = (*labels.get(label, ()), measure.id)
            for node in measure.parents:
                nodes[node] = (*nodes.get(node, ()), measure.id)
        return MeasureIndex(by_id, places, labels, nodes)

    def places_of(self, names: Iterable[str]) -> frozenset[int]:
        """Places of the measures with one of these ids or below one of these authority nodes."""
        ids = (one for name in names for one in (name, *self.nodes.get(name, ())))
        return frozenset(self.places[one] for one in ids if one in self.places)

    def select(self, change: Change) -> list[tuple[Measure, str]]:
        """Select the measures a change reaches, each with the period label it is limited to (or an empty text)."""
        selector = change.selector
        if selector.ids or selector.authority:
            names = {name for label in selector.ids for name in self.labels.get(label, ())}
            names.update(self.nodes.get(selector.authority, ()) if selector.authority else ())
            pool = [self.measures[name] for name in sorted(names, key=self.places.__getitem__)]
            selected = [(measure, label) for measure in pool for label in _labels(measure, selector)]
        else:
            selected = [(measure, "") for measure in self.measures.values()] if selector.heading else []
        if selector.heading:
            selected = [(measure, label) for measure, label in selected if _has(measure, selector.heading)]
        # A measure that replaces others is not replaced itself.
        return [(measure, label) for measure, label in selected if measure.id != change.measure.get("id")]


def _labels(measure: Measure, selector: Selector) -> Sequence[str]:
    """List the period labels that a selector limits a measure to; an empty text is all of it."""
    if measure.id in selector.ids:
        return ("",)
    return [label for label in measure.labels if label in selector.ids] or ("",)


def _has(measure: Measure, heading: str) -> bool:
    return any(row.heading == heading for period in measure.periods for row in period.rows)


def unmatched(change: Change, names: Iterable[str], retired: Mapping[str, str]) -> ScenarioError:
    """Make the error of a selector that matches nothing: retired, or unknown with the nearest names."""
    sought = [
        name for name in (*change.selector.ids, change.selector.authority, change.selector.heading) if name
    ]
    for name in sought:
        if name in retired:
            return ScenarioError(
                "MEASURE_RETIRED",
                f"{name!r} is no longer used.",
                path=f"{change.path}.measures",
                fix=f"Use {retired[name]!r}.",
                metadata={"use_instead": retired[name]},
            )
    text = ", ".join(sought)
    near = nearest(text, names)
    return ScenarioError(
        "NOTHING_MATCHED",
        f"The selector {text!r} matches no measure.",
        path=f"{change.path}.measures",
        fix=f"Did you mean {', '.join(near)}?" if near else "`tariffs law measures` lists the ids.",
        metadata={"nearest": ", ".join(near)},
    )


def check_suspension(change: Change, ends: Sequence[datetime | None], context: Context) -> None:
    """Refuse to extend or end a suspension that does not exist, or to extend one to before its end.

    Args:
        ends: the ends of the suspensions it reaches, or of measures enacted for a time.
        context: the clock of the measures.

    Raises:
        ScenarioError: SUSPENSION_NOT_FOUND or CHANGE_DATES_REVERSED.
    """
    if not ends:
        raise ScenarioError(
            "SUSPENSION_NOT_FOUND",
            f"There is no suspension to {'extend' if change.op == 'extend' else 'end'}.",
            path=change.path,
            fix="Suspend the measure first, or select another.",
        )
    last = max((end for end in ends if end), default=None)
    if change.op == "extend" and last is not None and context.instant(change.until) < last:
        raise ScenarioError(
            "CHANGE_DATES_REVERSED",
            f"The suspension already runs to {last.isoformat()}; {change.until} does not extend it.",
            path=f"{change.path}.until",
            fix="Give a later end, or use snap_back to end it earlier.",
        )


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
