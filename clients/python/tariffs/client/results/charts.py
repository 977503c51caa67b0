"""Draw charts of result frames with altair, which the extra `notebook` installs; each works on the frames alone.

Charts are `altair.Chart` objects: `chart.save("name.png")` and `"name.svg"` need no browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tariffs.client._extras import module_of
from tariffs.client.results.amounts import unit_for
from tariffs.client.results.chart_rows import check_column
from tariffs.client.results.columns import is_fraction, title_of

Chart = Any
"""An `altair.Chart`; not named as a type, so that the client can be checked without altair."""
_WIDTH, _HEIGHT = 560, 280
PALETTE = ("#1f5fa8", "#b45309", "#0b6e4f", "#8b1e9b", "#b00020", "#4a5568")
"""Colours of series, in their order."""
_BAR, _LABEL = 13, 360
_SHOWN = 15
_DUTIES = ("duty", "duty_owed")


@dataclass(frozen=True, slots=True)
class Figure:
    """Chart of a report, with its title and a text for readers who cannot see it."""

    title: str
    alt: str
    chart: Chart

    def to_svg(self) -> str:
        """Draw the chart as SVG, without a browser or network.

        Raises:
            ExtraMissing: the extra `notebook` is not installed.
        """
        text: str = module_of("notebook", "vl_convert").vegalite_to_svg(self.chart.to_dict())
        return text


def waterfall(labels: Sequence[str], amounts: Sequence[float], unit: str = "USD") -> Chart:
    """Draw amounts as steps that add up to their sum, in order, with a bar for the sum."""
    ends = [sum(amounts[: place + 1]) for place in range(len(amounts))]
    rows = pl.DataFrame(
        {
            "layer": [*labels, "total"],
            "start": [0.0, *ends[:-1], 0.0] if ends else [0.0],
            "end": [*ends, ends[-1] if ends else 0.0],
            "amount": [*amounts, float(sum(amounts))],
        }
    )
    alt = module_of("notebook", "altair")
    return (
        alt.Chart(rows, width=_WIDTH, height=_HEIGHT)
        .mark_bar(color=PALETTE[0])
        .encode(
            x=alt.X("layer:N", sort=None, title=None),
            y=alt.Y("start:Q", title=unit),
            y2="end:Q",
            tooltip=["layer:N", alt.Tooltip("amount:Q", format=",.2f")],
        )
    )


def bars(
    rows: pl.DataFrame, column: str, key: str = "scenario", colour: str = "", order: Sequence[str] = ()
) -> Chart:
    """Draw a number of each row as horizontal bars, the first rows at the top.

    Args:
        rows: result rows, already in order; the first 15 labels are drawn.
        column: the number.
        key: column of the labels.
        colour: column that tells bars of one label apart, such as scenario; empty for one bar a label.
        order: values of `colour` in the order of their bars and colours; by default as they come.
    """
    alt, kept = module_of("notebook", "altair"), rows[key].unique(maintain_order=True).head(_SHOWN)
    frame, title = _scaled(rows.filter(pl.col(key).is_in(kept.implode())), column)
    encodings: dict[str, Any] = {
        "y": alt.Y(
            f"{key}:N", sort=kept.to_list(), title=key.replace("_", " "), axis=alt.Axis(labelLimit=_LABEL)
        ),
        "x": alt.X("shown:Q", title=title),
    }
    if colour:
        encodings["color"] = _colours(alt, colour, order)
        encodings["yOffset"] = alt.YOffset(f"{colour}:N", sort=list(order) or None)
        height: Any = alt.Step(_BAR, **{"for": "offset"})
    else:
        height = alt.Step(_BAR + 7)
    return alt.Chart(frame, width=_WIDTH, height=height).mark_bar(color=PALETTE[0]).encode(**encodings)


def steps(rows: pl.DataFrame, column: str) -> Chart:
    """Draw a number over the segments of a timeline, a line a scenario; a mark is a day on which duties change.

    Args:
        rows: rows with `scenario, start, end`, `duty`, `duty_owed` and the number, the days in order.
        column: the number.
    """
    alt = module_of("notebook", "altair")
    frame, title = _scaled(rows, column)
    # At the horizon path a segment also ends after 30 days, with the same duties before and after.
    changed = pl.any_horizontal(pl.col(name) != pl.col(name).shift().over("scenario") for name in _DUTIES)
    marked = frame.filter(changed).select("start").unique(maintain_order=True)
    frame = frame.select("scenario", "start", "end", "shown")
    last = frame.group_by("scenario", maintain_order=True).last().with_columns(start=pl.col("end"))
    line = alt.Chart(pl.concat([frame, last.select(frame.columns)]), width=_WIDTH, height=_HEIGHT).encode(
        x=alt.X("start:T", title=None),
        y=alt.Y("shown:Q", title=title, scale=alt.Scale(zero=False)),
        color=_colours(alt, "scenario"),
    )
    acts = alt.Chart(marked).mark_rule(color="#4a5568", strokeDash=[2, 4], opacity=0.5)
    return acts.encode(x="start:T") + line.mark_line(interpolate="step-after")


def curves(rows: pl.DataFrame, column: str, across: str, colour: str = "") -> Chart:
    """Draw a number of a sweep over one parameter, a line for each value of `colour`, such as another parameter."""
    alt = module_of("notebook", "altair")
    frame, title = _scaled(rows, column)
    kind = "Q" if rows[across].dtype.is_numeric() else "T"
    encodings: dict[str, Any] = {
        "x": alt.X(f"{across}:{kind}", title=across),
        "y": alt.Y("shown:Q", title=title, scale=alt.Scale(zero=False)),
    }
    if colour:
        encodings["color"] = _colours(alt, colour).title(colour)
    return (
        alt.Chart(frame, width=_WIDTH, height=_HEIGHT)
        .mark_line(point=True, color=PALETTE[0])
        .encode(**encodings)
    )


def tornado(rows: pl.DataFrame, column: str) -> Chart:
    """Draw the range of a total with each parameter at its p10 and p90, the largest at the top.

    Args:
        rows: tornado rows of one scenario and day.
        column: the total.
    """
    alt, own = module_of("notebook", "altair"), rows.filter(column=column).head(_SHOWN)
    unit = unit_for([*own["low"], *own["high"]])
    divisor = 0.01 if is_fraction(column) else unit.dollars
    frame = own.with_columns(pl.col("low", "high") / divisor)
    title = f"{title_of(column)}, {'percent' if is_fraction(column) else unit.name}"
    return (
        alt.Chart(frame, width=_WIDTH)
        .mark_bar(color=PALETTE[0])
        .encode(
            y=alt.Y("parameter:N", sort=own["parameter"].to_list(), title=None),
            x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False)),
            x2="high:Q",
            tooltip=[
                "parameter:N",
                alt.Tooltip("low:Q", format=",.3f"),
                alt.Tooltip("high:Q", format=",.3f"),
            ],
        )
    )


def ranges(rows: pl.DataFrame, column: str) -> Chart:
    """Draw p5 to p95 and p25 to p75 of a total by scenario and day, with the central run as a mark.

    Args:
        rows: ranges of totals.
        column: the total.
    """
    alt, own = module_of("notebook", "altair"), rows.filter(column=column)
    points = [name for name in ("central", "p5", "p25", "p75", "p95") if name in own.columns]
    unit = unit_for([value for name in points for value in own[name]])
    divisor = 0.01 if is_fraction(column) else unit.dollars
    label = pl.concat_str("scenario", pl.lit(" on "), "on").alias("run")
    base = alt.Chart(own.select(label, pl.col(points) / divisor), width=_WIDTH).encode(
        y=alt.Y("run:N", sort=None, title=None)
    )
    title = f"{title_of(column)}, {'percent' if is_fraction(column) else unit.name}"
    axis = alt.X("p5:Q", title=title, scale=alt.Scale(zero=False))
    wide = base.mark_bar(height=6, color="#6f8fbd").encode(x=axis, x2="p95:Q")
    middle = base.mark_bar(height=14, color=PALETTE[0]).encode(x="p25:Q", x2="p75:Q")
    return wide + middle + base.mark_tick(color="#1a202c", thickness=3).encode(x="central:Q")


def _scaled(rows: pl.DataFrame, column: str) -> tuple[pl.DataFrame, str]:
    """Add the number in the unit that is shown as `shown`; returns the title of its axis too."""
    check_column(rows, column)
    if is_fraction(column):
        return rows.with_columns(shown=pl.col(column) * 100), f"{title_of(column)}, percent"
    unit = unit_for(rows[column].to_list())
    return rows.with_columns(shown=pl.col(column) / unit.dollars), f"{title_of(column)}, {unit.name}"


def _colours(alt: Any, column: str, order: Sequence[str] = ()) -> Any:
    scale: dict[str, Any] = {"range": list(PALETTE)} | ({"domain": list(order)} if order else {})
    return alt.Color(f"{column}:N", sort=None, scale=alt.Scale(**scale), title=None)
