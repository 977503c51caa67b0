"""Curve of a sweep, and what a slider shows at each of its points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tariffs.client.desk.drawing import WIDTH, Plot, curve_plot
from tariffs.client.results.amounts import short_unit, three
from tariffs.client.results.columns import in_full, key_title, largest_first
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.short_names import label_of
from tariffs.client.results.sweep import Sweep

_GROUPS_AT_POINT = 10
_MOST_POINTS = 120
_TOTALS, _OF_GROUPS = ("duty", "duty_after", "value_after", "welfare"), ("duty", "duty_after")


def points_of(result: Sweep, law: LegalText) -> tuple[Plot, str, dict[str, Any]]:
    """Draw the curve of a sweep, say how many points are left out, and write what the slider shows at each."""
    count, result = result.points.height, _thinned(result)
    axes, points = result.axes(law), result.points
    column = "duty_after" if result.totals["duty_after"].count() else "duty"
    first = points[points.columns[0]]
    at = [float(one) for one in (first if first.dtype.is_numeric() else range(points.height))]
    series: dict[str, list[tuple[float, float]]] = {}
    labels = []
    for x, row in zip(at, result.totals.iter_rows(named=True), strict=True):
        named = [f"{one.title} {one.shown(row[one.name])}" for one in axes]
        series.setdefault(", ".join(named[1:]) or axes[0].title, []).append((x, float(row[column] or 0.0)))
        labels.append(", ".join(named))
    ends = (axes[0].shown(first[0]), axes[0].shown(first[-1]))
    plot = curve_plot(series, ends, short_unit(result.totals[column].to_list()))
    left_out = f"{points.height} of {count:,} points are shown." if count > points.height else ""
    return plot, left_out, _slider(result, labels, at)


def _thinned(result: Sweep) -> Sweep:
    """Take as many points of a sweep as a page can hold."""
    step = -(-result.points.height // _MOST_POINTS)
    if step < 2:
        return result
    points = result.points.gather_every(step)
    groups = result.groups.join(points, on=points.columns, how="semi")
    return replace(result, points=points, totals=result.totals.gather_every(step), groups=groups)


def _slider(result: Sweep, labels: Sequence[str], at: Sequence[float]) -> dict[str, Any]:
    """Write the totals and the largest groups of each point, as the slider shows them."""
    low, span = min(at), (max(at) - min(at)) or 1.0
    totals, groups, keys = result.totals, result.groups, result.keys
    names = [name for name in _TOTALS if totals[name].count()]
    shown = [name for name in _OF_GROUPS if keys and groups[name].count()]
    unit = short_unit([value for name in names for value in totals[name]])
    group_unit = short_unit([value for name in shown for value in groups[name]])
    rows = groups.partition_by(result.points.columns, as_dict=True, maintain_order=True) if shown else {}
    points = []
    for label, x, point, total in zip(labels, at, result.points.rows(), totals.to_dicts(), strict=True):
        largest = largest_first(rows.get(point, groups.clear()), "duty").head(_GROUPS_AT_POINT)
        points.append(
            {
                "label": label,
                "x": round((x - low) / span * WIDTH, 1),
                "totals": [three(total[name], unit.dollars) for name in names],
                "groups": [
                    [
                        ", ".join(label_of(key, str(row[key])) for key in keys),
                        *(three(row[name], group_unit.dollars) for name in shown),
                    ]
                    for row in largest.to_dicts()
                ],
            }
        )
    return {
        "points": points,
        "heads": [in_full(name) for name in names],
        "unit": unit.name,
        "group_heads": [", ".join(key_title(key) for key in keys), *(in_full(name) for name in shown)],
        "group_unit": group_unit.name,
    }
