"""Results of runs over a trade table: by group and in total, on days or over a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from tariffs.client.errors import InvalidRequest
from tariffs.client.results import charts
from tariffs.client.results.amounts import MoneyUnit, short_unit
from tariffs.client.results.answer import Answer, group_table, run_title, step_table, summary
from tariffs.client.results.chart_rows import rows_by, total_rows
from tariffs.client.results.charts import Chart
from tariffs.client.results.columns import keys_of, largest_first, runs_largest_first
from tariffs.client.results.households import household_passages, household_tables
from tariffs.client.results.impact_view import ImpactWords, change_tables, details, run_facts
from tariffs.client.results.json_values import json_rows, json_value
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.path_views import named_events, period_answer, period_figure
from tariffs.client.results.quote import Note
from tariffs.client.results.ranges import Ranges, model_ends
from tariffs.client.results.scores import SCORED, score_passages, score_tables, score_words
from tariffs.client.results.shown import TableResult, largest_section, section_of
from tariffs.client.results.tables import SHOWN_ROWS, Section, ShortTable
from tariffs.client.results.view import Passage, Story
from tariffs.client.results.world import world_passages


@dataclass(frozen=True, slots=True, repr=False)
class ImpactResult(TableResult):
    """Effect of scenarios on a trade table, by group and in total.

    Attributes:
        groups: one row per scenario, day and group: `scenario, on`, the keys, then the numbers.
        total: one row per scenario and day: `scenario, on`, then the numbers.
        lines: every line of every scenario, if requested, else None.
        ranges: ranges over draws of the elasticities, if requested, else None.
        attribution: effect of each change, if requested: `scenario, on, reference, method, unit, text`, the keys,
            `authority`, then differences from the first scenario of the day in dollars: `duty, duty_owed` at
            baseline values, `behavioural` by the response, and `duty_after`, the two together.
        consumer_prices: effect of the added duties on consumer prices before any response, if requested: `scenario,
            on`, `line` of the BEA's bridge to personal consumption (None: all of it), `spending` in dollars,
            `direct` by imported goods, `indirect` by imported inputs, `change` (fractions of spending).
        households: that effect by tenth of households, if `by` has decile: see docs/models/households.md; else None.
        models: welfare (USD) under the models of trade, with `draws`, and `run_digest` of the run that it is from.
        world: with `response="world"`, changes by country: `scenario, on`, then the columns of `World.countries`.
    """

    groups: pl.DataFrame
    total: pl.DataFrame
    lines: pl.DataFrame | None
    ranges: Ranges | None = None
    attribution: pl.DataFrame | None = None
    consumer_prices: pl.DataFrame | None = None
    households: pl.DataFrame | None = None
    models: pl.DataFrame | None = None
    world: pl.DataFrame | None = None

    def scenario(self, name: str, on: str | None = None) -> pl.DataFrame:
        """Select the group rows of one scenario, on one day if `on` is given."""
        rows = self.groups.filter(pl.col("scenario") == name)
        return rows if on is None else rows.filter(pl.col("on") == on)

    def answer(self, law: LegalText | None = None) -> Answer:
        """Answer in five lines, with a column for each scenario and day."""
        return Answer.of(self.total.to_dicts(), self._columns(law), self.provenance, self._drawn(self.total))

    def short_tables(self, sort: str = "", shown: int = SHOWN_ROWS) -> list[ShortTable]:
        """Tables of the largest groups by name, of changes and of costs to households if requested."""
        changes = [] if self.attribution is None else change_tables(self.by_change())
        return [*self._largest(sort, shown), *changes, *household_tables(self.households)]

    def _largest(
        self, sort: str = "", shown: int = SHOWN_ROWS, law: LegalText | None = None
    ) -> list[ShortTable]:
        runs = ("scenario", "on")
        return group_table(self.groups, self.total.to_dicts(), self._columns(law), runs, sort, shown)

    def details(self) -> list[str]:
        """Sentences on domestic goods, limits on quantities and consumer prices of each run that has them."""
        return [
            f"{total['scenario']}: {text}"
            for total in self.total.to_dicts()
            for text in self.details_of(total, short_unit([total["duty"]]))
        ]

    def details_of(self, total: Mapping[str, Any], unit: MoneyUnit) -> list[str]:
        """Sentences of `details` on one run, amounts in a unit."""
        prices = self.consumer_prices
        own = None if prices is None else prices.filter(scenario=total["scenario"], on=total["on"])
        return list(details(total, own, unit))

    def _columns(self, law: LegalText | None = None) -> list[str]:
        """Title of each scenario and day."""
        one_day = self.total["on"].n_unique() < 2
        runs = self.total.select("scenario", "on").iter_rows()
        return [run_title(name, "" if one_day else on, law) for name, on in runs]

    def _drawn(self, total: pl.DataFrame) -> dict[str, list[dict[str, object]]]:
        """Ranges over draws of the columns of an answer, for each row of totals; empty without draws."""
        if self.ranges is None:
            return {}
        rows = total.select("scenario", "on").join(
            self.ranges.total, on=["scenario", "on"], maintain_order="left"
        )
        drawn = {name: rows.filter(column=name).to_dicts() for name in ("duty_after", "welfare")}
        return drawn | ({} if self.models is None else {"models": model_ends(total, self.models)})

    def _json(self) -> dict[str, object]:
        return {"scenarios": [self._block(total) for total in json_rows(self.total)]}

    def _notes_on_all(self) -> list[Note]:
        return [note for note in self.notes if not note.scenario]

    @property
    def days(self) -> list[str]:
        """Days of the run, ISO."""
        return self.total["on"].unique(maintain_order=True).to_list()

    def chart(self, column: str = "duty", by: str = "") -> Chart:
        """Draw a number of each scenario, or of the largest groups by one of their keys, as bars.

        Args:
            column: column of `total` or `groups`.
            by: key of the groups, such as origin, over the others of which is summed; empty for the totals.

        Raises:
            InvalidRequest: the result has no such column or key.
            ExtraMissing: the extra `notebook` is not installed.
        """
        totals = total_rows(self.total, column)
        if not by:
            return charts.bars(totals, column)
        return charts.bars(
            rows_by(self.groups, column, by), column, by, "scenario", totals["scenario"].to_list()
        )

    def by_change(self) -> pl.DataFrame:
        """Sum the attribution by change."""
        frame = self._asked(self.attribution, "attribute=True")
        names = [
            name
            for name in ("scenario", "on", "reference", "method", "unit", "text")
            if name in frame.columns
        ]
        amounts = [
            name for name in ("duty", "duty_owed", "behavioural", "duty_after") if name in frame.columns
        ]
        stated = (pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()) for name in amounts)
        return frame.group_by(names, maintain_order=True).agg(stated)

    def attribution_chart(self, column: str = "duty") -> Chart:
        """Draw the effect of each change on the duty as bars; needs `attribute=True`."""
        sums = self.by_change().rename({"text": "change"})
        return charts.bars(largest_first(sums, column), column, "change")

    def ranges_chart(self, column: str = "duty_after") -> Chart:
        """Draw the range of a total by scenario and day; needs `draws`."""
        return charts.ranges(
            self._asked(None if self.ranges is None else self.ranges.total, "draws=256"), column
        )

    def tornado_chart(self, column: str = "duty_after", scenario: str = "") -> Chart:
        """Draw the effect of each parameter on a total of one scenario, by default the last; needs `draws`."""
        frame = self._asked(None if self.ranges is None else self.ranges.tornado, "draws=256")
        return charts.tornado(frame.filter(scenario=scenario or frame["scenario"][-1]), column)

    def _asked(self, frame: pl.DataFrame | None, argument: str) -> pl.DataFrame:
        if frame is None:
            raise InvalidRequest(
                "REQUEST_INVALID", "The result has no such frame.", fix=f"Compute it with {argument}."
            )
        return frame

    def _sheets(self) -> dict[str, pl.DataFrame]:
        more = {"lines": self.lines, "consumer prices": self.consumer_prices, "households": self.households}
        more |= {"models": self.models, "world": self.world}
        if self.attribution is not None:
            runs = [name for name in ("scenario", "on", "unit") if name in self.attribution.columns]
            groups = runs_largest_first(self.attribution, runs)
            more |= {"attribution": self.by_change(), "attribution of groups": groups}
        if self.ranges is not None:
            more |= {
                "ranges": self.ranges.total,
                "ranges of groups": self.ranges.groups,
                "tornado": self.ranges.tornado,
            }
        asked = {name: frame for name, frame in more.items() if frame is not None}
        return {"totals": self.total, "groups": runs_largest_first(self.groups, ("scenario", "on")), **asked}

    def story(self, law: LegalText | None) -> Story:
        """Make the result's own parts of its view, scenarios by title and, where there are several, day."""
        runs = self.total.select("scenario", "on").rows()
        day = {run: f", {run[1]}" if len({on for _, on in runs}) > 1 else "" for run in runs}
        titles = {run: f"{law.title_of(run[0]) if law else run[0]}{day[run]}" for run in runs}

        def named(frame: pl.DataFrame | None, *others: str) -> pl.DataFrame | None:
            if frame is None:
                return None
            names = [titles[run] for run in frame.select("scenario", "on").iter_rows()]
            titled = _titled(frame, law, *others) if others else frame
            return titled.with_columns(pl.Series("scenario", names, pl.String))

        of_totals, tornado = (self.ranges.total, self.ranges.tornado) if self.ranges else (None, None)
        own = ImpactWords(
            cast(pl.DataFrame, named(self.total)),
            cast(pl.DataFrame, named(self.groups)),
            named(of_totals),
            named(tornado),
            named(None if self.attribution is None else self.by_change(), "reference"),
            named(self.models),
            self.goods,
            self._largest(law=law),
            *run_facts(self.provenance, self.notes, titles),
        )
        more = [*household_passages(named(self.households)), *world_passages(named(self.world))]
        return Story(own.question, own.answer(), [*own.passages(), *more], own.figure)

    def _headline(self) -> str:
        points = [f"{name} on {on}" for name, on in self.total.select("scenario", "on").iter_rows()]
        return f"Impact of {', '.join(points)}"

    def sections(self) -> list[Section]:
        """List the tables of the result, the most important first."""
        runs = ("scenario", "on")
        sections = [section_of("totals", self.total, runs)]
        if keys_of(self.groups):
            sections.append(largest_section("groups, the largest duty first", self.groups, runs))
        return sections

    def _block(self, total: dict[str, object]) -> dict[str, object]:
        run = {name: str(total.pop(name)) for name in ("scenario", "on")}
        drawn = self._drawn(self.total.filter(**run))

        def rows(frame: pl.DataFrame | None) -> list[dict[str, object]]:
            return [] if frame is None else json_rows(frame.filter(**run).drop(*run))

        notes = [note for note in self.notes if (note.scenario, note.on) == tuple(run.values())]
        block: dict[str, object] = {"id": run["scenario"], "on": run["on"], "groups": rows(self.groups)}
        block |= {"total": total, "summary": summary(total, drawn), "notes": json_value(notes)}
        if self.ranges is not None:
            names = {"groups": "ranges", "total": "total_ranges", "tornado": "tornado"}
            block |= {title: rows(getattr(self.ranges, name)) for name, title in names.items()}
        if attribution := rows(self.attribution):
            block["attribution"] = attribution
        for name in ("consumer_prices", "households", "world"):
            if (asked := getattr(self, name)) is not None:
                block[name] = rows(asked)
        return block


@dataclass(frozen=True, slots=True, repr=False)
class TimelineResult(TableResult):
    """Effect of scenarios over a period, by segments of days with the same duties.

    Attributes:
        segments: one row per scenario, segment and group: `scenario, start, end, days`, the keys, then the numbers at
            the table's yearly values; `end` is the segment's last day.
        totals: one row per scenario and segment.
        averages: one row per scenario and group: means over the period, weighted by days.
        average_total: one row per scenario.
        score: with a projection one row per scenario and fiscal year: `scenario, fiscal_year`, then the columns of
            docs/models/score.md in USD; else None.
    """

    segments: pl.DataFrame
    totals: pl.DataFrame
    averages: pl.DataFrame
    average_total: pl.DataFrame
    score: pl.DataFrame | None = None

    def _json(self) -> dict[str, object]:
        names = self.totals["scenario"].unique(maintain_order=True).to_list() if self.totals.height else []
        kinds = {"groups": "segments"} | {name: name for name in ("totals", "averages", "average_total")}
        kinds |= {} if self.score is None else {"score": "score"}

        def rows(kind: str, name: str) -> list[dict[str, object]]:
            return json_rows(getattr(self, kind).filter(scenario=name).drop("scenario"))

        return {
            "scenarios": [{"id": name} | {key: rows(kinds[key], name) for key in kinds} for name in names]
        }

    def answer(self, law: LegalText | None = None) -> Answer:
        """Answer in five lines on average of the period, with a column for each scenario."""
        return Answer.of(self.average_total.to_dicts(), self._columns(law), self.provenance)

    def short_tables(self, sort: str = "", shown: int = SHOWN_ROWS) -> list[ShortTable]:
        """Tables of the days on which the duty changes most, and of the largest groups on average, by name."""
        days = step_table(self.totals, self._columns(), shown)
        return [*score_tables(self.score), days, *self._largest(sort, shown)]

    def _largest(
        self, sort: str = "", shown: int = SHOWN_ROWS, law: LegalText | None = None
    ) -> list[ShortTable]:
        totals = self.average_total.to_dicts()
        return group_table(self.averages, totals, self._columns(law), ("scenario",), sort, shown)

    def _columns(self, law: LegalText | None = None) -> list[str]:
        return [run_title(name, "", law) for name in self.average_total["scenario"]]

    @property
    def days(self) -> list[str]:
        """First and last day of the period, ISO."""
        return [str(self.totals["start"].min()), str(self.totals["end"].max())]

    def chart(self, column: str = "duty", law: LegalText | None = None) -> Chart:
        """Draw a number of `totals` over the period, a line a scenario, with the days of the largest changes.

        Args:
            column: the number.
            law: the law behind the result, `client.legal_text(result)`, which names scenarios and the changes.

        Raises:
            ExtraMissing: the extra `notebook` is not installed.
        """
        events = named_events(self.totals, law.events if law else {})
        return charts.steps(_titled(self.totals, law), column, events)

    def _sheets(self) -> dict[str, pl.DataFrame]:
        return {
            "average total": self.average_total,
            "totals": self.totals,
            "averages": runs_largest_first(self.averages, ("scenario",)),
            "segments": runs_largest_first(self.segments, ("scenario", "start", "end")),
            **({"score": self.score} if self.score is not None else {}),
        }

    def story(self, law: LegalText | None) -> Story:
        """Make the result's own parts of its view, on average of the period."""
        first, last = self.days
        total, groups = (
            _titled(one, law).with_columns(on=pl.lit(first)) for one in (self.average_total, self.averages)
        )
        own = ImpactWords(total, groups, None, None, None, None, self.goods, self._largest(law=law))
        steps = _titled(self.totals, law)
        column = "duty_after" if self.totals["value_after"].count() else "duty"
        words = score_words(self.score, law)
        return Story(
            SCORED if words else f"What is the duty on {self.goods} from {first} to {last}?",
            [*words, *period_answer(steps, total, self.goods, column)],
            [*score_passages(self.score), *own.passages()[:-1], _UNSURE],
            lambda: period_figure(steps, column, law.events if law else {}),
        )

    def _headline(self) -> str:
        names = self.average_total["scenario"].to_list() if self.average_total.width else []
        return f"Timeline of {', '.join(names)}"

    def sections(self) -> list[Section]:
        """List the tables of the result, the most important first."""
        sections = [
            section_of("average of the period", self.average_total, ("scenario",)),
            section_of("segments of days", self.totals, ("scenario", "start", "end", "days"), shown=60),
        ]
        if keys_of(self.averages):
            title = "groups on average, the largest duty first"
            sections.append(largest_section(title, self.averages, ("scenario",)))
        return sections


_UNSURE = Passage(
    "How sure it is",
    ["No band is computed over a period; `tariffs impact --on DAY --draws 64` has those of a day."],
)


def _titled(frame: pl.DataFrame, law: LegalText | None, column: str = "scenario") -> pl.DataFrame:
    """Name scenarios by their titles, where the law was looked up."""
    names = {name: law.title_of(name) for name in frame[column].unique()} if law else {}
    return frame.with_columns(pl.col(column).replace(names))
