"""Draw charts of result frames with altair, which the extra `notebook` installs; each works on the frames alone.

Charts are `altair.Chart` objects: `chart.save("name.png")` and `"name.svg"` need no browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tariffs.client.errors import module_of
from tariffs.client.results.amounts import PERCENT, MoneyUnit, short_unit, three
from tariffs.client.results.chart_rows import check_column, with_others
from tariffs.client.results.columns import in_full, is_fraction, key_title, parameter_words
from tariffs.client.results.palette import PALETTE
from tariffs.client.results.short_names import label_of, spelled_out

Chart = Any
"""An `altair.Chart`; not named as a type, so that the client can be checked without altair."""
_WIDTH, _HEIGHT, _ROOM = 400, 260, 1.18
_BAR, _LABEL, _FONT = 15, 280, 12
_SHOWN, _DATES, _TICKS, _MOST_ROWS, _MARKED = 15, 6, 6, 4000, 60
_GAP = 0.05
_INK = "#1a202c"


@dataclass(frozen=True, slots=True)
class Figure:
    """Chart of a report.

    Attributes:
        draw: makes the chart.
        title: what is seen, with the unit.
        alt: text for readers who cannot see it.
        rows: its numbers in US dollars or fractions: labels, then a column for each series.
        unit: the unit of the title, in which they are shown.
        events: its events in words, by number.
    """

    draw: Callable[[], Chart]
    title: str
    alt: str
    rows: pl.DataFrame
    unit: MoneyUnit
    events: Sequence[str] = ()

    @property
    def svg(self) -> str:
        """The chart as SVG without its title, drawn without a browser or network.

        Raises:
            ExtraMissing: the extra `notebook` is not installed.
        """
        plain = {name: value for name, value in self.draw().to_dict().items() if name != "title"}
        text: str = module_of("notebook", "vl_convert").vegalite_to_svg(plain)
        return text


def unit_of(column: str, values: Sequence[object]) -> MoneyUnit:
    """Unit in which the numbers of a column are drawn."""
    return MoneyUnit(PERCENT, 2, "percent") if is_fraction(column) else short_unit(values)


def title_with(unit: MoneyUnit, what: str) -> str:
    """Write the title of a chart: what is seen, with the unit."""
    return f"{_sentence(what)}, {unit.name}"


def waterfall(labels: Sequence[str], amounts: Sequence[float]) -> Chart:
    """Draw amounts in US dollars as steps that add up to their sum, in order, with a bar for the sum."""
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
    base = alt.Chart(width=_WIDTH, height=alt.Step(_BAR + 7)).encode(
        y=alt.Y("layer:N", sort=None, title=None, axis=alt.Axis(labelLimit=_LABEL))
    )
    drawn = base.mark_bar(color=PALETTE[0]).encode(
        x=alt.X("start:Q", title="USD", scale=_roomy(alt, rows["end"])), x2="end:Q"
    )
    numbers = base.mark_text(align="left", dx=4, color=_INK).encode(
        x="end:Q", text=alt.Text("amount:Q", format=",.2f")
    )
    return _styled(alt, alt.layer(drawn, numbers, data=rows), "Layers that add up to the duty, USD")


def bars(
    rows: pl.DataFrame,
    column: str,
    key: str = "scenario",
    colour: str = "",
    order: Sequence[str] = (),
    title: str = "",
) -> Chart:
    """Draw a number of each row as horizontal bars with the number at its end, the first rows at the top.

    Args:
        rows: result rows, already in order; beyond 15 labels the rows of `scenario` are summed as others. With the
            columns `low` and `high` a line marks the band of each number.
        column: the number.
        key: column of the labels, written by their names.
        colour: column that tells bars of one label apart, such as scenario; empty for one bar a label.
        order: values of `colour` in the order of their bars and colours; by default as they come.
        title: what is seen, without the unit; by default the column and key.
    """
    alt = module_of("notebook", "altair")
    check_column(rows, column)
    kept = with_others(rows, key, column, _SHOWN) if colour == "scenario" else rows.head(_SHOWN)
    unit = unit_of(column, kept[column].to_list())
    frame = kept.with_columns(shown=pl.col(column) / unit.dollars).with_columns(
        label=pl.col(key).map_elements(lambda code: spelled_out(label_of(key, str(code))), pl.String),
        written=pl.col("shown").map_elements(_written, pl.String),
        beside=pl.max_horizontal("shown", 0.0),
    )
    names = frame["label"].unique(maintain_order=True).to_list()
    height: Any = alt.Step(_BAR + 7)
    encodings: dict[str, Any] = {
        "y": alt.Y("label:N", sort=names, title=None, axis=alt.Axis(labelLimit=_LABEL)),
        "x": alt.X(
            "shown:Q", title=unit.name, scale=_roomy(alt, frame["shown"]), axis=alt.Axis(tickCount=_TICKS)
        ),
    }
    if colour:
        encodings["yOffset"] = alt.YOffset(f"{colour}:N", sort=list(order) or None)
        height = alt.Step(_BAR, **{"for": "offset"})
    coloured = {"color": _colours(alt, colour, order)} if colour else {}
    base = alt.Chart(width=_WIDTH, height=height)
    drawn = base.mark_bar(color=PALETTE[0]).encode(**encodings, **coloured)
    if {"low", "high"} <= set(frame.columns):
        frame = frame.with_columns(start=pl.col("low") / unit.dollars, end=pl.col("high") / unit.dollars)
        drawn += base.mark_rule(color=_INK, strokeWidth=2).encode(y=encodings["y"], x="start:Q", x2="end:Q")
    numbers = base.mark_text(align="left", dx=4, color=_INK).encode(
        **(encodings | {"x": "beside:Q"}), text="written:N"
    )
    what = title or f"{in_full(column)} by {key_title(key)}"
    return _styled(alt, alt.layer(drawn, numbers, data=frame), title_with(unit, what))


def steps(rows: pl.DataFrame, column: str, events: Mapping[str, str]) -> Chart:
    """Draw a number over the segments of a timeline, a line a scenario, with marked days.

    Args:
        rows: rows with `scenario, start, end` and the number, the days in order.
        column: the number.
        events: names of the marked days by day, ISO; they are numbered, and listed below the title.
    """
    alt = module_of("notebook", "altair")
    check_column(rows, column)
    unit = unit_of(column, rows[column].to_list())
    rows = _thinned(rows, "scenario")
    frame = rows.select("scenario", "start", "end", shown=pl.col(column) / unit.dollars)
    last = frame.group_by("scenario", maintain_order=True).last().with_columns(start=pl.col("end"))
    last = _apart(
        last.with_columns(written=pl.col("shown").map_elements(_written, pl.String)), frame["shown"]
    )
    numbers = [str(number) for number in range(1, len(events) + 1)]
    marked = pl.DataFrame(
        {"start": list(events), "number": numbers}, schema={"start": pl.String, "number": pl.String}
    )
    y = alt.Y(
        "shown:Q", title=unit.name, scale=alt.Scale(zero=is_fraction(column) or _is_near_zero(frame["shown"]))
    )
    colour = _colours(alt, "scenario")
    acts = alt.Chart(marked).encode(x=alt.X("start:T", title=None, axis=alt.Axis(tickCount=_DATES)))
    rules = acts.mark_rule(color="#4a5568", strokeDash=[2, 4], opacity=0.5)
    line = alt.Chart(pl.concat([frame, last.select(frame.columns)]), width=_WIDTH, height=_HEIGHT)
    line = line.mark_line(interpolate="step-after").encode(x="start:T", y=y, color=colour)
    ends = (
        alt.Chart(last)
        .mark_text(align="left", dx=4)
        .encode(x="start:T", y="beside:Q", text="written:N", color=colour)
    )
    odd, even = (
        acts.transform_filter(f"datum.number % 2 == {rest}")
        .mark_text(y=y_of, color=_INK)
        .encode(text="number:N")
        for rest, y_of in ((1, -5), (0, -16))
    )
    what = title_with(unit, f"{in_full(column)} over the period")
    return _styled(
        alt,
        rules + line + ends + odd + even,
        what,
        list(map("  ".join, zip(numbers, events.values(), strict=True))),
    )


def curves(
    rows: pl.DataFrame, column: str, across: str, colour: str = "", titles: Mapping[str, str] | None = None
) -> Chart:
    """Draw a number of a sweep over one parameter, a line for each value of `colour`, such as another parameter.

    Args:
        rows: totals of points.
        column: the number.
        across: parameter of the axis.
        colour: parameter or column that tells the lines apart; empty for one line.
        titles: titles of parameters by name; those that end in percent have fractions as values.
    """
    alt, named = module_of("notebook", "altair"), dict(titles or {})
    check_column(rows, column)
    unit = unit_of(column, rows[column].to_list())
    frame = _thinned(rows, colour).with_columns(shown=pl.col(column) / unit.dollars)
    for name in filter(None, (across, colour)):
        if named.get(name, "").endswith("percent"):
            frame = frame.with_columns(pl.col(name) * 100)
    frame = frame.with_columns(written=pl.col("shown").map_elements(_written, pl.String))
    kind = "Q" if rows[across].dtype.is_numeric() else "T"
    encodings: dict[str, Any] = {
        "x": alt.X(f"{across}:{kind}", title=_sentence(named.get(across, across))),
        "y": alt.Y("shown:Q", title=unit.name, scale=alt.Scale(zero=_is_near_zero(frame["shown"]))),
    }
    if colour:
        encodings["color"] = _colours(alt, colour).title(_sentence(named.get(colour, colour)))
    line = (
        alt.Chart(frame, width=_WIDTH, height=_HEIGHT)
        .mark_line(point=frame.height <= _MARKED, color=PALETTE[0])
        .encode(**encodings)
    )
    last = frame.group_by(colour, maintain_order=True).last() if colour else frame.tail(1)
    places = encodings | {"y": "beside:Q"}
    ends = (
        alt.Chart(_apart(last, frame["shown"]))
        .mark_text(align="left", dx=7)
        .encode(**places, text="written:N")
    )
    what = f"{in_full(column)} by {named.get(across, across).removesuffix(', percent')}"
    return _styled(alt, line + ends, title_with(unit, what))


def tornado(rows: pl.DataFrame, column: str) -> Chart:
    """Draw the range of a total with each parameter at its p10 and p90, the largest at the top.

    Args:
        rows: tornado rows of one scenario and day.
        column: the total.
    """
    alt, own = module_of("notebook", "altair"), rows.filter(column=column).head(_SHOWN)
    unit = unit_of(column, [*own["low"], *own["high"]])
    frame = own.with_columns(
        pl.col("low", "high") / unit.dollars, pl.col("parameter").map_elements(parameter_words, pl.String)
    )
    axis = alt.Axis(labelLimit=_LABEL)
    chart = (
        alt.Chart(frame, width=_WIDTH)
        .mark_bar(color=PALETTE[0])
        .encode(
            y=alt.Y("parameter:N", sort=frame["parameter"].to_list(), title=None, axis=axis),
            x=alt.X("low:Q", title=unit.name, scale=alt.Scale(zero=False)),
            x2="high:Q",
            tooltip=[
                "parameter:N",
                alt.Tooltip("low:Q", format=",.3f"),
                alt.Tooltip("high:Q", format=",.3f"),
            ],
        )
    )
    return _styled(
        alt, chart, f"{_sentence(in_full(column))} with each parameter at its p10 and p90, {unit.name}"
    )


def ranges(rows: pl.DataFrame, column: str) -> Chart:
    """Draw p5 to p95 and p25 to p75 of a total by scenario and day, with the central run as a mark.

    Args:
        rows: ranges of totals.
        column: the total.
    """
    alt, own = module_of("notebook", "altair"), rows.filter(column=column)
    points = [name for name in ("central", "p5", "p25", "p75", "p95") if name in own.columns]
    unit = unit_of(column, [value for name in points for value in own[name]])
    label = pl.concat_str("scenario", pl.lit(" on "), "on").alias("run")
    base = alt.Chart(own.select(label, pl.col(points) / unit.dollars), width=_WIDTH).encode(
        y=alt.Y("run:N", sort=None, title=None, axis=alt.Axis(labelLimit=_LABEL))
    )
    axis = alt.X("p5:Q", title=unit.name, scale=alt.Scale(zero=False))
    wide = base.mark_bar(height=6, color="#8fb8d6").encode(x=axis, x2="p95:Q")
    middle = base.mark_bar(height=14, color=PALETTE[0]).encode(x="p25:Q", x2="p75:Q")
    centre = base.mark_tick(color=_INK, thickness=3).encode(x="central:Q")
    what = f"{_sentence(in_full(column))}: p5 to p95, p25 to p75 and the central run, {unit.name}"
    return _styled(alt, wide + middle + centre, what)


def _roomy(alt: Any, shown: pl.Series) -> Any:
    """Scale with room for the numbers beside the longest bars."""
    ends = [value for value in (shown.min(), shown.max()) if isinstance(value, int | float)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    return alt.Scale(domain=[low * _ROOM, high * _ROOM]) if low < high else alt.Scale()


def _thinned(rows: pl.DataFrame, series: str) -> pl.DataFrame:
    """Keep rows evenly, so that there are no more lines than colours, and no more rows than altair draws."""
    if series:
        names = rows[series].unique(maintain_order=True)
        step = -(-names.len() // len(PALETTE))
        rows = rows.filter(pl.col(series).is_in(names.gather_every(step).implode()))
    step = -(-rows.height // _MOST_ROWS)
    if step < 2:
        return rows
    place = pl.int_range(pl.len()).over(series) if series else pl.int_range(pl.len())
    return rows.filter(place % step == 0)


def _apart(ends: pl.DataFrame, shown: pl.Series) -> pl.DataFrame:
    """Add the places of numbers at the ends of lines, `beside`, so far apart that they can be read."""
    low, high = float(shown.min() or 0.0), float(shown.max() or 0.0)  # type: ignore[arg-type]  # numbers
    gap, places = (high - (min(low, 0.0) if _is_near_zero(shown) else low)) * _GAP, list[float]()
    ordered = ends.sort("shown", nulls_last=True)
    for value in ordered["shown"]:
        places.append(max(value or 0.0, places[-1] + gap) if places else value or 0.0)
    return ordered.with_columns(pl.Series("beside", places, pl.Float64))


def _is_near_zero(shown: pl.Series) -> bool:
    """Test whether an axis begins at 0: where the least number is below half of the largest."""
    low, high = shown.min(), shown.max()
    return not (isinstance(low, float) and isinstance(high, float) and low > high / 2)


def _written(value: float) -> str:
    return three(value, 1.0)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _styled(alt: Any, chart: Any, title: str, below: Sequence[str] = ()) -> Any:
    """Give a chart its title, with lines of text below it, and the fonts of all charts."""
    text = alt.TitleParams(title, subtitle=list(below), anchor="start", frame="group")
    fonts = {"labelFontSize": _FONT, "titleFontSize": _FONT, "titleFontWeight": "normal"}
    return (
        chart.properties(title=text, padding={"left": 16, "right": 8, "top": 4, "bottom": 4})
        .configure(font="Arial, sans-serif")
        .configure_axis(**fonts, gridColor="#e2e8f0")
        .configure_legend(labelFontSize=_FONT, labelLimit=0, orient="top", direction="vertical")
        .configure_text(fontSize=_FONT)
        .configure_view(strokeWidth=0)
    )


def _colours(alt: Any, column: str, order: Sequence[str] = ()) -> Any:
    scale: dict[str, Any] = {"range": list(PALETTE)} | ({"domain": list(order)} if order else {})
    return alt.Color(f"{column}:N", sort=None, scale=alt.Scale(**scale), title=None)
