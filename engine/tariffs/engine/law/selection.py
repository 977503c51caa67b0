"""Select the measures of a change; errors of a change that selects none or finds no suspension."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tariffs.engine.base.spelling import nearest
from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import Change, Selector
from tariffs.engine.law.model import Measure
from tariffs.engine.law.raw_fields import Context


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
