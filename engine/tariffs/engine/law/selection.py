"""Select the measures of a change; errors of a change that selects none or finds no suspension."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from tariffs.engine.base.spelling import nearest
from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import Change, Selector
from tariffs.engine.law.model import Measure, Period
from tariffs.engine.law.raw_fields import Context


def select_measures(measures: Mapping[str, Measure], selector: Selector) -> list[tuple[Measure, str]]:
    """Select measures, each with the period label it is limited to (or an empty text)."""
    selected: list[tuple[Measure, str]] = []
    for measure in measures.values():
        labels = [label for label in measure.labels if label in selector.ids and label != measure.id]
        if measure.id in selector.ids:
            selected.append((measure, ""))
        elif labels:
            selected.extend((measure, label) for label in labels)
        elif selector.authority and selector.authority in measure.parents:
            selected.append((measure, ""))
    if selector.heading:
        named = selector.ids or selector.authority
        pool = selected if named else [(measure, "") for measure in measures.values()]
        selected = [
            (m, label) for m, label in pool if any(selector.heading in _headings(p) for p in m.periods)
        ]
    return selected


def _headings(period: Period) -> frozenset[str]:
    return frozenset(row.heading for row in period.rows)


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
        metadata={"nearest": ",".join(near)},
    )


def check_suspension(change: Change, ends: Sequence[datetime | None], context: Context) -> None:
    """Refuse to extend or end a suspension that does not exist, or to extend one to before its end.

    Args:
        change: the change.
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
