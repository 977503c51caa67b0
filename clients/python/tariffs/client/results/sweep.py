"""Results of sweeps and goal seeks over the parameters of a scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import polars as pl

from tariffs.client.results.amounts import MoneyUnit, unit_for
from tariffs.client.results.answer import SHOWN_ROWS, Answer, ShortTable, group_table
from tariffs.client.results.charts import Chart
from tariffs.client.results.columns import is_fraction, keys_of, title_of
from tariffs.client.results.headline import response_words
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.path_views import Axis, sweep_answer, sweep_chart, sweep_figure
from tariffs.client.results.sections import Section
from tariffs.client.results.shown import TableResult, largest_section, section_of, table_of
from tariffs.client.results.view import Passage, Story

_SHOWN_VALUES = 20
_SHARES = frozenset({"rate", "share", "weight"})
_SHOWN_POINTS = 5


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

    def answer(self) -> Answer:
        """Answer in five lines at points spread over the sweep, at most five."""
        totals = self._spread()
        return Answer.of(totals.to_dicts(), self._columns(totals), self.provenance)

    def short_tables(self, sort: str = "", shown: int = SHOWN_ROWS) -> list[ShortTable]:
        """Table of the largest groups by name at the points of the answer; none without groups."""
        totals, names = self._spread(), self.points.columns
        return group_table(self.groups, totals.to_dicts(), self._columns(totals), names, sort, shown)

    def _spread(self) -> pl.DataFrame:
        """Totals of the first, the last and points between."""
        last = self.totals.height - 1
        return self.totals[
            sorted({round(last * part / (_SHOWN_POINTS - 1)) for part in range(_SHOWN_POINTS)})
        ]

    def _columns(self, totals: pl.DataFrame) -> list[str]:
        texts = [_values(values, self.points[values.name]) for values in totals.select(self.points.columns)]
        return [", ".join(point) for point in zip(*texts, strict=True)]

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
        return {"totals": self.totals, "groups": self.groups}

    def story(self, law: LegalText | None) -> Story:
        """Make the result's own parts of its view, with the titles of parameters."""
        axes, column = self.axes(law), "duty_after" if self.totals["duty_after"].count() else "duty"
        return Story(
            f"How does the duty move with {' and '.join(one.title for one in axes)}?",
            sweep_answer(self.totals, column, axes),
            [Passage("The largest groups", (), self.short_tables())] if self.keys else [],
            lambda: sweep_figure(self.totals, column, axes),
        )

    def axes(self, law: LegalText | None = None) -> list[Axis]:
        """Parameters that are varied, by their titles where the law was looked up."""
        info = law.scenarios[0].info if law and law.scenarios else None
        described = {one.name: one for one in info.parameters} if info else {}
        asked = self.provenance.get("request")
        options = asked.get("options") if isinstance(asked, Mapping) else None
        given = options.get("vary") if isinstance(options, Mapping) else None
        found = []
        for name in self.points.columns:
            values = given.get(name) if isinstance(given, Mapping) else None
            kind = described[name].kind if name in described else ""
            is_share = kind in _SHARES or any(str(value).endswith("%") for value in values or ())
            title = described[name].title.partition(",")[0] if name in described else name
            found.append(Axis(name, title, is_share))
        return found

    def _headline(self) -> str:
        return f"Sweep of {', '.join(self.points.columns)} over {self.points.height:,} points"

    def _sections(self) -> list[Section]:
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

    def _headline(self) -> str:
        target, _, *found, _ = self.words()
        return "; ".join([target, *found])

    def _sections(self) -> list[Section]:
        column = str(self._sought()["target"][0])
        path = self.path.rename({"achieved": column})
        return [Section("values that were computed", path, ["value"], [column], _SHOWN_VALUES)]

    def story(self, law: LegalText | None) -> Story:
        """Make the result's own parts of its view."""
        name, low, _ = map(str, self._sought()["vary"])
        column = str(self._sought()["target"][0])
        path, axes = (
            self.path.rename({"value": name, "achieved": column}),
            [Axis(name, name, low.endswith("%"))],
        )
        return Story(
            f"Where is {self.words()[0]} met?",
            [self._headline()],
            [Passage("", (), [table_of(one)]) for one in self._sections()],
            lambda: sweep_figure(path, column, axes),
        )

    def _sought(self) -> Mapping[str, Sequence[object]]:
        details = cast("Mapping[str, Mapping[str, Sequence[object]]]", self.provenance["details"])
        return details["seek"]

    def words(self) -> list[str]:
        """Say in lines of text what was sought, where it is met, jumps over it, or the nearest value."""
        sought = self._sought()
        name, low, high = sought["vary"]
        column, target = sought["target"]
        unit = MoneyUnit(0.01, 4, "percent") if is_fraction(str(column)) else unit_for([target])
        lines = [
            f"{title_of(str(column))} of {unit.cell(target)} {unit.name}",
            response_words(self.provenance),
        ]
        for root in self.roots:
            until = "" if root.to is None else f" to {_shown(root.to)}"
            lines.append(f"met at {name} = {_shown(root.value)}{until}")
        lines.extend(
            f"passed between {name} = {_shown(jump.value)} ({unit.cell(jump.achieved)}) and "
            f"{_shown(jump.next_value)} ({unit.cell(jump.next_achieved)}), which is a jump"
            for jump in self.jumps
        )
        if not self.roots:
            lines.append(
                f"no value of {name} from {low} to {high} meets it; the nearest is {_shown(self.nearest.value)}, "
                f"with {unit.cell(self.nearest.achieved)}"
            )
        turns = "never turns" if self.monotone else "turns"
        return [*lines, f"{self.path.height:,} values were computed; the result {turns} along them."]


def _shown(value: float | str) -> str:
    return f"{value:.10g}" if isinstance(value, float) else value


def _values(values: pl.Series, among: pl.Series) -> list[str]:
    """Write values of a parameter with its name; fractions, such as rates, in percent."""
    if not values.dtype.is_numeric():
        return [f"{values.name} {value}" for value in values]
    is_fraction = among.is_between(-1, 1).all() and not set(among) <= {0, 1} and "." not in values.name
    return [
        f"{values.name} {value * 100:.4g} %" if is_fraction else f"{values.name} {value:.4g}"
        for value in values
    ]
