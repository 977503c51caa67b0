"""Lay out and draw groups as rectangles: the area is their trade, the colour where it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tariffs.client.errors import module_of
from tariffs.client.results.amounts import unit_for
from tariffs.client.results.charts import Chart
from tariffs.client.results.columns import in_full
from tariffs.client.results.palette import PALETTE
from tariffs.client.results.short_names import label_of

_WIDTH, _HEIGHT = 640, 400
_SHOWN = 40
_LABELLED = 0.012
# Blue and orange are told apart with every form of colour blindness; the text says the change too.
COLOURS = (PALETTE[0], "#f1f1f1", PALETTE[1])
WHITE_BEYOND = (-0.91, 0.89)
"""Shares of the scale below and above which a label is white, so that its contrast is at least 4.5 to 1."""
REST = "others"
"""Name of the groups that are too small to be drawn by themselves."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Rectangle in a square of side 1."""

    left: float
    top: float
    width: float
    height: float


def squarified(sizes: Sequence[float]) -> list[Tile]:
    """Lay out sizes as rectangles that fill a square of side 1, in order, each as near to a square as can be.

    The algorithm is that of Bruls, Huizing and van Wijk (2000): rows are filled along the shorter side of what is left
    as long as the worst aspect ratio improves.

    Args:
        sizes: positive numbers, the largest first.
    """
    total = sum(sizes)
    return list(_fill([size / total for size in sizes], Tile(0.0, 0.0, 1.0, 1.0))) if total > 0 else []


def _fill(areas: Sequence[float], room: Tile) -> Iterator[Tile]:
    first = 0
    while first < len(areas):
        side, last = min(room.width, room.height), first + 1
        while last < len(areas) and _worst(areas[first : last + 1], side) <= _worst(areas[first:last], side):
            last += 1
        row = areas[first:last]
        yield from _row(row, room)
        room = _left(sum(row), room)
        first = last


def _worst(row: Sequence[float], side: float) -> float:
    """Largest aspect ratio of a row along a side."""
    total = sum(row)
    return max(max(side**2 * area / total**2, total**2 / (side**2 * area)) for area in row)


def _row(row: Sequence[float], room: Tile) -> Iterator[Tile]:
    depth = sum(row) / min(room.width, room.height)
    place = 0.0
    for area in row:
        length = area / depth
        if room.width >= room.height:
            yield Tile(room.left, room.top + place, depth, length)
        else:
            yield Tile(room.left + place, room.top, length, depth)
        place += length


def _left(used: float, room: Tile) -> Tile:
    """Rest of a room after a row of an area."""
    depth = used / min(room.width, room.height)
    if room.width >= room.height:
        return Tile(room.left + depth, room.top, room.width - depth, room.height)
    return Tile(room.left, room.top + depth, room.width, room.height - depth)


def treemap(rows: pl.DataFrame, key: str, size: str = "value_after", before: str = "customs_value") -> Chart:
    """Draw groups as rectangles: the area is a number, the colour its change from another one in percent.

    Args:
        rows: groups of one scenario and day.
        key: column of their names.
        size: the number; groups where it is not above zero are left out.
        before: the number that it is compared with.
    """
    alt, frame = module_of("notebook", "altair"), _tiles(_largest(rows, key, size, before), size, before)
    unit = unit_for(frame[size].to_list())
    shown = frame.with_columns(amount=pl.col(size) / unit.dollars)
    limit = max([abs(value) for value in frame["change"]], default=0.0) or 1.0
    colour = alt.Color(
        "change:Q",
        title="change, percent",
        scale=alt.Scale(domain=[-limit, 0, limit], range=list(COLOURS), interpolate="rgb"),
    )
    base = alt.Chart(shown, width=_WIDTH, height=_HEIGHT)
    place: dict[str, Any] = {
        "x": alt.X("left:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False)),
        "y": alt.Y("top:Q", axis=None, scale=alt.Scale(domain=[1, 0], nice=False)),
    }
    tooltip = [
        f"{key}:N",
        alt.Tooltip("amount:Q", format=",.1f", title=f"{size.replace('_', ' ')}, {unit.name}"),
        alt.Tooltip("change:Q", format="+,.1f", title="change, percent"),
    ]
    tiles = base.mark_rect(stroke="white", strokeWidth=1).encode(
        **place, x2="right:Q", y2="bottom:Q", color=colour, tooltip=tooltip
    )
    words = base.transform_filter(f"datum.share > {_LABELLED}").mark_text(fontSize=11, lineBreak="\n")
    low, high = (share * limit for share in WHITE_BEYOND)
    white = f"datum.change < {low} || datum.change > {high}"
    dark = alt.condition(white, alt.value("white"), alt.value("black"))
    labels = words.encode(
        x=alt.X("middle:Q"), y=alt.Y("centre:Q"), text="label:N", color=dark, tooltip=tooltip
    )
    title = f"Area: {in_full(size)}; colour: its change from {in_full(before)}"
    return (tiles + labels).properties(title=alt.TitleParams(title, anchor="start"))


def _largest(rows: pl.DataFrame, key: str, size: str, before: str) -> pl.DataFrame:
    """Keep the largest groups, and sum the others."""
    known = rows.filter(pl.col(size) > 0).select(pl.col(key).cast(pl.String), size, before)
    ordered = known.sort(size, key, descending=[True, False])
    rest = ordered.slice(_SHOWN)
    if rest.is_empty():
        return ordered
    others = rest.select(pl.lit(REST).alias(key), pl.col(size, before).sum())
    return pl.concat([ordered.head(_SHOWN), others]).sort(size, descending=True, maintain_order=True)


def _tiles(groups: pl.DataFrame, size: str, before: str) -> pl.DataFrame:
    """Add the place of each group, its share of all, its change in percent, and its label."""
    tiles = squarified(groups[size].to_list())
    places = pl.DataFrame(
        {
            "left": [tile.left for tile in tiles],
            "right": [tile.left + tile.width for tile in tiles],
            "top": [tile.top for tile in tiles],
            "bottom": [tile.top + tile.height for tile in tiles],
        },
        schema=dict.fromkeys(("left", "right", "top", "bottom"), pl.Float64),
    )
    change = pl.when(pl.col(before) > 0).then(pl.col(size) / pl.col(before) * 100 - 100).otherwise(0.0)
    key = groups.columns[0]
    return pl.concat([groups, places], how="horizontal").with_columns(
        share=pl.col(size) / pl.col(size).sum(),
        change=change,
        middle=(pl.col("left") + pl.col("right")) / 2,
        centre=(pl.col("top") + pl.col("bottom")) / 2,
        label=pl.format(
            "{}\n{}{}%",
            pl.col(key).map_elements(lambda code: label_of(key, code), pl.String),
            pl.when(change > 0).then(pl.lit("+")).otherwise(pl.lit("")),
            change.round(1),
        ),
    )
