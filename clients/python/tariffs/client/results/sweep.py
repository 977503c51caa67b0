"""Results of sweeps and goal seeks over the parameters of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import polars as pl

from tariffs.client.results.amounts import MoneyUnit, in_words, unit_for
from tariffs.client.results.answer import Answer, group_table
from tariffs.client.results.charts import Chart
from tariffs.client.results.columns import in_full, is_fraction, keys_of, runs_largest_first, title_of
from tariffs.client.results.headline import response_words
from tariffs.client.results.law import Parameter
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.path_views import Axis, sweep_answer, sweep_chart, sweep_figure
from tariffs.client.results.quote import part_of
from tariffs.client.results.shown import TableResult, largest_section, section_of
from tariffs.client.results.tables import SHOWN_ROWS, Section, ShortTable
from tariffs.client.results.view import Passage, Story

_SHOWN_VALUES = 20
_SHARES = frozenset({"rate", "share", "weight"})
_SHOWN_POINTS = 5
_UNSURE = Passage(
    "How sure it is",
    [
        "No band is computed here; `tariffs impact --draws 64`, with --param for one point, has those of that point."
    ],
)


@dataclass(frozen=True, slots=True, repr=False)
class Sweep(TableResult):
    """Effect of a scenario on a trade table at many points of its parameters.

    Attributes:
        points: one row per point: the parameters, rates as fractions, on and off as 1 and 0, days as text.
        groups: one row per point and group: the parameters, the keys, then the numbers; long format, ready to plot.
        totals: one row per point: the parameters, then the numbers.
    """

    points: pl.DataFrame
    groups: pl.DataFrame
    totals: pl.DataFrame

    @property
    def keys(self) -> list[str]:
        """Keys of the groups."""
        return [name for name in keys_of(self.groups) if name not in self.points.columns]

    def top(self, count: int) -> Sweep:
        """Select the groups with the largest duty, in size, at any point; all points and totals stay."""
        keys = self.keys
        if not keys:
            return self
        largest = self.groups.group_by(keys, maintain_order=True).agg(pl.col("duty").abs().max())
        kept = largest.sort("duty", descending=True, nulls_last=True, maintain_order=True).head(count)
        rows = self.groups.join(kept.select(keys), on=keys, how="semi", nulls_equal=True)
        return replace(self, groups=rows)

    def answer(self, law: LegalText | None = None) -> Answer:
        """Answer in five lines at points spread over the sweep, at most five."""
        totals = self._spread()
        return Answer.of(totals.to_dicts(), self._columns(totals, law), self.provenance)

    def short_tables(
        self, sort: str = "", shown: int = SHOWN_ROWS, law: LegalText | None = None
    ) -> list[ShortTable]:
        """Table of the largest groups by name at the points of the answer; none without groups."""
        totals, names = self._spread(), self.points.columns
        return group_table(self.groups, totals.to_dicts(), self._columns(totals, law), names, sort, shown)

    def _spread(self) -> pl.DataFrame:
        """Totals of the first, the last and points between."""
        last = self.totals.height - 1
        return self.totals[
            sorted({round(last * part / (_SHOWN_POINTS - 1)) for part in range(_SHOWN_POINTS)})
        ]

    def _columns(self, totals: pl.DataFrame, law: LegalText | None = None) -> list[str]:
        axes = self.axes(law)
        return [
            ", ".join(f"{one.title} {one.shown(row[one.name])}" for one in axes) for row in totals.to_dicts()
        ]

    def chart(self, column: str = "duty", law: LegalText | None = None) -> Chart:
        """Draw a number of `totals` over the first parameter, a line for each value of the second.

        Args:
            column: the number.
            law: the law behind the result, `client.legal_text(result)`, which has the titles of the parameters.

        Raises:
            ExtraMissing: the extra `notebook` is not installed.
        """
        return sweep_chart(self.totals, column, self.axes(law))

    def _sheets(self) -> dict[str, pl.DataFrame]:
        return {"totals": self.totals, "groups": runs_largest_first(self.groups, self.points.columns)}

    def _shares(self) -> list[str]:
        return [one.name for one in self.axes() if one.is_share]

    def story(self, law: LegalText | None) -> Story:
        """Make the result's own parts of its view, with the titles of parameters."""
        axes, column = self.axes(law), "duty_after" if self.totals["duty_after"].count() else "duty"
        return Story(
            f"How does the duty move with {' and '.join(one.title for one in axes)}?",
            sweep_answer(self.totals, column, axes),
            [
                *([Passage("The largest groups", (), self.short_tables(law=law))] if self.keys else []),
                _UNSURE,
            ],
            lambda: sweep_figure(self.totals, column, axes),
        )

    def axes(self, law: LegalText | None = None) -> list[Axis]:
        """Parameters that are varied, by their titles where the law was looked up."""
        described = _parameters(law)
        found = []
        for name in self.points.columns:
            values = part_of(self.provenance, "request", "options", "vary", name)
            kind = described[name].kind if name in described else ""
            is_share = kind in _SHARES or any("%" in str(value) for value in values or ())
            is_share = is_share or (not kind and values is None and _are_fractions(self.points[name]))
            title = described[name].title.partition(",")[0] if name in described else name
            found.append(Axis(name, title, is_share))
        return found

    def _headline(self) -> str:
        return f"Sweep of {', '.join(self.points.columns)} over {self.points.height:,} points"

    def sections(self) -> list[Section]:
        """List the tables of the result, the most important first."""
        sections = [section_of("totals of the points", self.totals, self.points.columns)]
        if self.keys:
            title = "groups, the largest duty first"
            sections.append(largest_section(title, self.groups, self.points.columns))
        return sections


@dataclass(frozen=True, slots=True)
class SeekRoot:
    """Value at which a target is met.

    Attributes:
        value: the value: a number (rates as fractions, on and off as 1 and 0), or a day as text.
        achieved: the result there.
        to: last value of a span on which the target is met throughout; None for a single value.
    """

    value: float | str
    achieved: float
    to: float | str | None = None


@dataclass(frozen=True, slots=True)
class SeekJump:
    """Neighbouring values between which the result passes the target without meeting it.

    Attributes:
        value: the lower value.
        achieved: the result there.
        next_value: the higher value.
        next_achieved: the result there.
    """

    value: float | str
    achieved: float
    next_value: float | str
    next_achieved: float


@dataclass(frozen=True, slots=True, repr=False)
class Seek(TableResult):
    """Values of a parameter at which a result meets a target.

    Attributes:
        roots: the values, in rising order; empty if there is none.
        jumps: jumps of the result over the target, in rising order.
        nearest: the evaluation nearest to the target.
        monotone: whether the result never turns along the path.
        path: all evaluations in rising order: `value` and `achieved`.
    """

    roots: tuple[SeekRoot, ...]
    jumps: tuple[SeekJump, ...]
    nearest: SeekRoot
    monotone: bool
    path: pl.DataFrame

    def __repr__(self) -> str:
        return "\n".join(self.words())

    def heading(self) -> str:
        """Name the target."""
        return self.words()[0]

    def details(self) -> list[str]:
        """Say where the target is met, jumps over it, or the nearest value."""
        return self.words()[1:]

    def _headline(self) -> str:
        return "; ".join([self.heading(), *self._found(self.axis())])

    def sections(self) -> list[Section]:
        """List the tables of the result, the most important first."""
        path = self.path.rename({"achieved": self._column})
        return [Section("values that were computed", path, ["value"], [self._column], _SHOWN_VALUES)]

    def axis(self, law: LegalText | None = None) -> Axis:
        """Parameter that is varied, by its title where the law was looked up."""
        name, low, _ = map(str, self._sought()["vary"])
        return Axis(
            name,
            _parameters(law)[name].title.partition(",")[0] if name in _parameters(law) else name,
            "%" in low,
        )

    def story(self, law: LegalText | None) -> Story:
        """Make the result's own parts of its view: ten values along the way, and the whole of it as a curve."""
        axis, column = self.axis(law), self._column
        path = self.path.rename({"value": axis.name, "achieved": column})
        places = [round(place * (path.height - 1) / (SHOWN_ROWS - 1)) for place in range(SHOWN_ROWS)]
        values = pl.Series(axis.title, map(axis.shown, path[axis.name]), pl.String)
        rows = path.with_columns(values)[sorted({*places})]
        aim = self._aim(
            in_full(column), lambda goal: f"{goal:.4%}" if is_fraction(column) else in_words(goal)
        )
        texts = [text if text.startswith("no ") else f"{aim} is {text}" for text in self._found(axis)]
        table = Section(title_of(column), rows, [axis.title], [column]).short()
        return Story(
            f"Which {axis.title} gives {aim}?",
            [f"{text[:1].upper()}{text[1:]}." for text in texts],
            [Passage("Along the way", (), [table]), _UNSURE],
            lambda: sweep_figure(path, column, [axis]),
        )

    def _sought(self) -> Mapping[str, Sequence[object]]:
        return cast("Mapping[str, Sequence[object]]", part_of(self.provenance, "details", "seek"))

    @property
    def _column(self) -> str:
        return str(self._sought()["target"][0])

    @property
    def _is_extreme(self) -> bool:
        return isinstance(self._sought()["target"][1], str)

    def _aim(self, column: str, written: Callable[[float], str]) -> str:
        """Name a column with the value that it shall have."""
        goal = self._sought()["target"][1]
        if self._is_extreme:
            return f"the {'largest' if goal == 'max' else 'least'} {column}"
        return f"{column} of {written(float(cast(float, goal)))}"

    @property
    def _unit(self) -> MoneyUnit:
        is_share = is_fraction(self._column) or "country" in self._sought()["where"]
        goal = self.nearest.achieved if self._is_extreme else self._sought()["target"][1]
        return MoneyUnit(0.01, 4, "percent") if is_share else unit_for([goal])

    def words(self) -> list[str]:
        """Say in lines of text what was sought, where it is met, jumps over it, or the nearest value."""
        unit, turns = self._unit, "never turns" if self.monotone else "turns"
        return [
            self._aim(title_of(self._column), lambda goal: f"{unit.cell(goal)} {unit.name}"),
            response_words(self.provenance),
            *self._found(self.axis()),
            f"{self.path.height:,} values were computed; the result {turns} along them.",
        ]

    def _found(self, axis: Axis) -> list[str]:
        """Say where the target is met, jumps over it, or the nearest value."""
        unit, (_, low, high) = self._unit, self._sought()["vary"]
        lines = []
        for root in self.roots:
            until = "" if root.to is None else f" to {axis.shown(root.to)}"
            met = f" with {unit.cell(root.achieved)} {unit.name}" if self._is_extreme else ""
            lines.append(f"met at {axis.title} = {axis.shown(root.value)}{until}{met}")
        lines.extend(
            f"passed between {axis.title} = {axis.shown(jump.value)} ({unit.cell(jump.achieved)}) and "
            f"{axis.shown(jump.next_value)} ({unit.cell(jump.next_achieved)}), which is a jump"
            for jump in self.jumps
        )
        if not self.roots:
            lines.append(
                f"no value of {axis.title} from {low} to {high} meets it; the nearest is "
                f"{axis.shown(self.nearest.value)}, with {unit.cell(self.nearest.achieved)}"
            )
        return lines


def _parameters(law: LegalText | None) -> dict[str, Parameter]:
    """Parameters of the scenario by name, where the law was looked up."""
    info = law.scenarios[0].info if law and law.scenarios else None
    return {one.name: one for one in info.parameters} if info else {}


def _are_fractions(values: pl.Series) -> bool:
    """Test whether values of a parameter look like rates: fractions that are not all 0 or 1."""
    is_number = values.dtype.is_numeric() and "." not in values.name
    return bool(is_number and values.is_between(-1, 1).all() and not set(values) <= {0, 1})
