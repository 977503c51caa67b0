"""Draw lines and bars as shapes in SVG that stretch with the page; titles and numbers stay text beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from types import MappingProxyType

from tariffs.client.results.amounts import MoneyUnit, three
from tariffs.client.results.bars import Bar as Bar
from tariffs.client.results.bars import bars as bars
from tariffs.client.results.charts import Figure

WIDTH, HEIGHT = 1000, 280
_ROOM = 1.06


def stacked(rows: Iterable[tuple[str, float, str]], longest: float, colours: Mapping[str, int]) -> list[Bar]:
    """Draw amounts one behind another, in percent of the longest sum, with a colour for each label."""
    found, left = [], 0.0
    for label, value, shown in rows:
        width = 100 * value / (longest or 1.0)
        found.append(Bar(label, shown, left, width, colour=colours[label]))
        left += width
    return found


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over an axis.

    Attributes:
        lines: path of each line by its title.
        ends: texts at the left and right end of the axis.
        top: text at the top of the scale; its bottom is zero or `bottom`.
        bottom: text at the bottom.
        places: horizontal place of each point, of the slider.
        marks: horizontal places that are marked, with what is there.
    """

    lines: Mapping[str, str]
    ends: tuple[str, str]
    top: str
    bottom: str
    places: Sequence[float] = ()
    marks: Sequence[tuple[float, str]] = ()


def days_plot(
    series: Mapping[str, Sequence[tuple[str, float]]],
    end: str,
    shown: tuple[str, str],
    high: float,
    marked: Mapping[str, str] = MappingProxyType({}),
) -> Plot:
    """Draw steps over days, each from its first day, up to the last day.

    `shown` are the texts of zero and of the highest value; what happens on a day is marked.
    """
    first = min(day for points in series.values() for day, _ in points)
    origin = date.fromisoformat(first).toordinal()
    span = max(date.fromisoformat(end).toordinal() - origin, 1)

    def place(day: str) -> float:
        return (date.fromisoformat(day).toordinal() - origin) / span * WIDTH

    paths = {}
    for title, points in series.items():
        ends = [*points, (end, points[-1][1])]
        steps = [f"M{place(points[0][0]):.1f},{_height(points[0][1], 0.0, high):.1f}"]
        steps += [
            f"H{place(later):.1f}V{_height(value, 0.0, high):.1f}"
            for (_, _), (later, value) in pairwise(ends)
        ]
        paths[title] = "".join(steps)
    marks = [(place(day), words) for day, words in marked.items() if first <= day <= end]
    return Plot(paths, (first, end), shown[1], shown[0], marks=marks)


def curve_plot(
    series: Mapping[str, Sequence[tuple[float, float]]], ends: tuple[str, str], unit: MoneyUnit
) -> Plot:
    """Draw curves over numbers, with the ends of their axis in words."""
    xs, ys = ([pair[side] for points in series.values() for pair in points] for side in (0, 1))
    left, span, low, high = min(xs), (max(xs) - min(xs)) or 1.0, min(0.0, *ys), max(ys)
    paths = {
        title: "M"
        + "L".join(f"{(x - left) / span * WIDTH:.1f},{_height(y, low, high):.1f}" for x, y in points)
        for title, points in series.items()
    }
    places = [(x - left) / span * WIDTH for x, _ in next(iter(series.values()))]
    return Plot(paths, ends, f"{three(high, unit.dollars)} {unit.name}", three(low, unit.dollars), places)


def _height(value: float, low: float, high: float) -> float:
    return HEIGHT - (value - low) / (((high - low) or 1.0) * _ROOM) * HEIGHT


def bars_of(figure: Figure) -> list[Bar]:
    """Draw the bars of a figure."""
    return bars((label, value, three(value, figure.unit.dollars)) for label, value in figure.rows.iter_rows())


def steps_of(figure: Figure, end: str) -> Plot:
    """Draw the steps of a figure over days."""
    rows, (day, *names) = figure.rows, figure.rows.columns
    series = {name: rows.select(day, name).drop_nulls().rows() for name in names}
    values = [value for points in series.values() for _, value in points]
    unit, high = figure.unit, max(values)
    marks = {text[:10]: text for text in figure.events}
    return days_plot(series, end, ("0", f"{three(high, unit.dollars)} {unit.name}"), high, marks)
