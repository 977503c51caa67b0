"""Describe the effect of scenarios for readers: what changes, where it falls, who bears it, and how sure it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tariffs.client.results import charts
from tariffs.client.results.amounts import PERCENT, MoneyUnit, in_words, short_unit, three
from tariffs.client.results.balance import AMOUNTS, CAPTION, Balance
from tariffs.client.results.chart_rows import rows_by, with_others
from tariffs.client.results.charts import Figure
from tariffs.client.results.columns import key_title, keys_of, largest_first, parameter_words
from tariffs.client.results.headline import US_EXPORTS, baseline_of, buyers_of
from tariffs.client.results.quote import Note, Provenance
from tariffs.client.results.short_names import inside, label_of
from tariffs.client.results.tables import Section, ShortTable
from tariffs.client.results.view import Passage, in_plain_words

_BEGINS_LATER = "CHANGE_BEGINS_LATER"
_ROWS, _BARS, _COLUMNS = 10, 9, 3
_RANGED = {
    "duty_after": "duty after the response",
    "value_after": "trade after the response",
    "buyer_surplus": "gain of buyers",
    "welfare": "welfare",
}
_CHANGE = re.compile(r"(\w+) (.+?)(?: for (.+?))?(?: ((?:to|by|keeping|rents|from|until)\b.*))?")
_PLACE = re.compile(r"\b[A-Z]{2}\b")
_VERBS = {
    "set_rate": "", "terminate": "ended", "expire": "expired", "suspend": "suspended", "extend": "extended",
    "snap_back": "back in force", "delay": "delayed", "invalidate": "void", "enjoin": "enjoined",
    "revalidate": "valid again", "add": "new", "replace": "replaced", "lapse_exemption": "exemption lapses",
}  # fmt: skip
"""Effect of a change on its measure, by its verb."""
_PARTS = {"duty": "At unchanged trade", "behavioural": "By response", "duty_after": "Together"}
_NO_BAND = (
    "No band was computed; --draws 64 (draws=64) adds those over elasticities and over models of trade."
)
_NO_RESPONSE = (
    "At unchanged trade no elasticity matters: the figures depend on the law as it is read, on the trade of the table, "
    "and on the shares that stand in for facts its lines do not state."
)
_PAID = "Importers pay the duty. Who bears it in the end takes a response of trade: --response armington."
_MODELS_DIFFER = "The band is over draws of the elasticities alone; models of trade differ by more."
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ImpactWords:
    """Effect of scenarios in words, a chart and tables.

    Attributes:
        total, groups: rows of the result, `scenario` with the title of the run.
        ranges, tornado: ranges of totals over draws, and the effect of each parameter; None without draws.
        changes: attribution summed by change, if requested.
        models: welfare under the models of trade; None without draws.
        goods: goods in words, such as US imports.
        tables: table of the largest groups.
        baseline: first day of the change that is measured; empty if the trade is that of no day.
        later: titles of runs whose scenarios change nothing before their day is over.
    """

    total: pl.DataFrame
    groups: pl.DataFrame
    ranges: pl.DataFrame | None
    tornado: pl.DataFrame | None
    changes: pl.DataFrame | None
    models: pl.DataFrame | None
    goods: str
    tables: Sequence[ShortTable]
    baseline: str = ""
    later: frozenset[str] = frozenset()

    @property
    def question(self) -> str:
        """Question that it answers, if the reader gives none."""
        names, days = self.total["scenario"].to_list(), self.total["on"].unique(maintain_order=True).to_list()
        day = f"on {days[0]}" if len(days) == 1 else f"between {min(days)} and {max(days)}"
        if len(names) == 1:
            return f"What is the duty on {self.goods} {day}?"
        what = "each scenario" if len(names) > 2 else f"“{names[1]}”"
        return f"What changes for {self.goods} {day} under {what}?"

    def answer(self) -> list[str]:
        """Say in two sentences what the duty is, or what each scenario changes, with the band if there is one."""
        first, *others = self.total.to_dicts()
        texts = [self._level(first)] if not others else [self._difference(one, first) for one in others]
        return [*texts, *self._borne(others[-1] if others else first)]

    def figure(self) -> Figure:
        """Draw where the change of two scenarios falls, the largest groups of one, or the totals of several."""
        names, key = self.total["scenario"].to_list(), next(iter(keys_of(self.groups)), "")
        if not key or len(names) > 2:
            ends = [self._band(name, ("p5", "p95")) for name in names]
            rows = self.total.select("scenario", self._duty)
            if all(ends):
                rows = rows.with_columns(pl.DataFrame(ends, ["low", "high"], orient="row"))
            what, key = f"Duty{self._after} by scenario", "scenario"
        else:
            last, of_run = names[-1], rows_by(self.groups, self._duty, key)
            sign = pl.when(pl.col("scenario") == last).then(1.0).otherwise(-1.0)
            rows = of_run.with_columns(pl.col(self._duty) * sign)
            rows = rows.group_by(key, maintain_order=True).agg(pl.col(self._duty).sum())
            # Bars of nothing would show nothing: where the two are equal, the duty is drawn.
            differs = len(names) > 1 and bool((rows[self._duty] != 0.0).any())
            rows = rows if differs else of_run.filter(scenario=last).select(key, self._duty)
            rows = largest_first(rows, self._duty).with_columns(scenario=pl.lit(last))
            rows = with_others(rows, key, self._duty, _BARS)
            what = f"{'Change of the duty' if differs else 'Duty'}{self._after} by {key_title(key)}"
        unit, what = charts.unit_of(self._duty, rows[self._duty].to_list()), f"{what}, a year"
        shown = [
            (label_of(key, str(name)), value) for name, value in rows.select(key, self._duty).iter_rows()
        ]
        numbers = ", ".join(f"{name} {in_words(value)}" for name, value in shown)
        return Figure(
            lambda: charts.bars(rows, self._duty, key, title=what),
            charts.title_with(unit, what),
            f"Bars. {what.removesuffix(', a year')}: {numbers}.",
            pl.DataFrame(shown, ["label", "shown"], orient="row"),
            unit,
        )

    def passages(self) -> list[Passage]:
        """Write where it falls, who bears it, how sure it is, and what each change does."""
        keys = keys_of(self.groups)[:1]
        found = [Passage(f"The largest by {key_title(key)}", (), self.tables) for key in keys]
        bearing = self._bearing() if self._responds else None
        found.append(Passage("Who bears it", [] if bearing else [_PAID], [bearing] if bearing else []))
        found.append(self._certainty())
        if self.changes is not None and self.changes.height:
            found.append(Passage("What each change of the law does", (), change_tables(self.changes)))
        return found

    @property
    def _responds(self) -> bool:
        return "value_after" in self.total.columns and self.total["value_after"].count() > 0

    @property
    def _buyers(self) -> str:
        return buyers_of(self.goods == US_EXPORTS)

    @property
    def _duty(self) -> str:
        return "duty_after" if self._responds else "duty"

    @property
    def _after(self) -> str:
        return " after buyers respond" if self._responds else ""

    def _level(self, one: Row) -> str:
        """Say what the duty of the only scenario is."""
        static = f"{in_words(one['duty'])} a year, {_percent(one['effective_rate'])} of their value"
        if not self._responds:
            return f"Duties on {self.goods} of {in_words(one['customs_value'])} are {static}."
        return (
            f"Duties on {self.goods} of {in_words(one['customs_value'])} are {static}; after buyers respond they are "
            f"{in_words(one['duty_after'])}{self._range(one['scenario'], ('p5', 'p95'))} on trade of "
            f"{in_words(one['value_after'])}."
        )

    def _difference(self, one: Row, first: Row) -> str:
        """Say what a scenario changes of the duty of the first one."""
        change, static = (float(one[name]) - float(first[name]) for name in (self._duty, "duty"))
        if abs(change) < 0.5 and abs(static) < 0.5:
            later = " (changes of it begin later)" if one["scenario"] in self.later else ""
            same = f"the duty is that of {inside(first['scenario'])}, {in_words(first[self._duty])} a year"
            return f"{one['scenario']}: nothing changes on {one['on']}{later}; {same}."
        word = "higher" if change > 0 else "lower"
        band = self._range(str(one["scenario"]), ("vs_p5", "vs_p95"))
        before = f"; at unchanged trade {in_words(abs(static))}" if self._responds else ""
        return (
            f"{one['scenario']}: duties on {self.goods} of {in_words(one['customs_value'])} are "
            f"{in_words(abs(change))} a year {word}{band} than under "
            f"{inside(first['scenario'])}, {in_words(one[self._duty])} instead of "
            f"{in_words(first[self._duty])}{before}."
        )

    def _borne(self, one: Row) -> list[str]:
        """Say who bears the added duty, and what trade does."""
        share, before, after = one.get("importer_share"), one["customs_value"], one.get("value_after")
        if share is None or not before or after is None:
            return []
        buyers = self._buyers
        who = (
            f"Under “{one['scenario']}” {buyers}" if self.total.height > 1 else buyers[0].upper() + buyers[1:]
        )
        since = f"since {self.baseline} (the baseline)" if self.baseline else "since the baseline"
        return [
            f"{who} bear {_percent(share)} of the duty added {since}, exporters the rest; "
            f"trade {'rises' if after > before else 'falls'} by {_percent(abs(after / before - 1.0))}.",
            *self._welfare(one),
        ]

    def _welfare(self, one: Row) -> list[str]:
        """Say what welfare is, with its range over draws and over models."""
        if one.get("welfare") is None:
            return []
        ends = [
            f"{in_words(low)} to {in_words(high)} over {what}"
            for what, (low, high) in {
                "draws of the elasticities": self._ends(one["scenario"], "welfare", "p5", "p95"),
                "models of trade": self._model_ends(one["scenario"]),
            }.items()
            if low is not None and high is not None
        ]
        of_whom = "Welfare abroad" if self.goods == US_EXPORTS else "US welfare"
        band = f" ({'; '.join(ends)})" if ends else ""
        return [f"{of_whom} changes by {in_words(one['welfare'])} a year against the baseline{band}."]

    def _model_ends(self, scenario: str) -> list[float | None]:
        found = [] if self.models is None else self.models.filter(scenario=scenario)["welfare"].to_list()
        return [None, None] if len(found) < 2 else [min(found), max(found)]

    def _ends(self, scenario: str, column: str, *ends: str) -> list[float | None]:
        """Ends of the range of a total over draws; None without one."""
        found = None if self.ranges is None else self.ranges.filter(scenario=scenario, column=column)
        return [found[name].item() if found is not None and found.height else None for name in ends]

    def _band(self, scenario: str, ends: tuple[str, str]) -> tuple[float, float] | None:
        low, high = self._ends(scenario, "duty_after", *ends)
        return None if low is None or high is None else (low, high)

    def _range(self, scenario: str, ends: tuple[str, str]) -> str:
        band = self._band(scenario, ends)
        if band is None:
            return ""
        low, high = sorted(map(abs, band)) if band[0] * band[1] > 0 else band
        return f" ({in_words(low)} to {in_words(high)} in nine of ten draws)"

    def _bearing(self) -> ShortTable | None:
        unit = short_unit([value for name in AMOUNTS if name in self.total for value in self.total[name]])
        tenths = self.total.with_columns(pl.selectors.numeric() / (unit.dollars / 10))
        rows = Balance(tenths, self._buyers).rows()
        if not rows:
            return None
        names = self.total["scenario"].to_list()[-_COLUMNS:]
        cells = [
            [title, *("-" if one is None else f"{one / 10:,.1f}" for one in values[-_COLUMNS:])]
            for title, values in rows
        ]
        return ShortTable(f"{unit.name}, {CAPTION}", ["", *names], cells)

    def _certainty(self) -> Passage:
        """Say in words how wide the bands of the last scenario are, and what widens them most."""
        title, last = "How sure it is", self.total["scenario"][-1]
        if self.ranges is None or self.tornado is None:
            return Passage(title, [_NO_BAND if self._responds else _NO_RESPONSE])
        texts = []
        for column, words in _RANGED.items():
            found = self.ranges.filter(scenario=last, column=column).to_dicts()
            causes = self.tornado.filter(scenario=last, column=column)["parameter"]
            if found and found[0]["p5"] is not None and causes.len():
                ends = f"{in_words(found[0]['p5'])} to {in_words(found[0]['p95'])}"
                texts.append(f"{words} {ends}, most by {parameter_words(causes[0])}")
        drawn = f"{last}, in nine of ten draws: {'; '.join(texts)}."
        return Passage(title, [drawn, self._over_models(last) or _MODELS_DIFFER])

    def _over_models(self, scenario: str) -> str:
        """Say what welfare is under each model; empty for fewer than two."""
        rows = [] if self.models is None else self.models.filter(scenario=scenario).to_dicts()
        found = "; ".join(f"{in_words(row['welfare'])} ({row['model']})" for row in rows)
        return f"Models of trade differ by more. Welfare: {found}." if len(rows) > 1 else ""


def run_facts(
    provenance: Provenance, notes: Sequence[Note], titles: Mapping[tuple[str, str], str]
) -> tuple[str, frozenset[str]]:
    """Read the baseline of a run, and select the titles of its parts with a change that begins after their day."""
    later = frozenset(titles[note.scenario, note.on] for note in notes if note.reason == _BEGINS_LATER)
    return baseline_of(provenance), later


def change_tables(changes: pl.DataFrame) -> list[ShortTable]:
    """Make the table of the largest changes of the law of each scenario, by their measures' names."""
    tables = []
    for run in changes.partition_by("scenario", "on", maintain_order=True):
        names, first = [name for name in _PARTS if run[name].count()], run.row(0, named=True)
        texts = pl.Series("change of the law", map(change_words, run["text"]), pl.String)
        is_moved = pl.any_horizontal(pl.col(name).fill_null(0) != 0 for name in names)
        rows = largest_first(run.with_columns(texts).filter(is_moved), names[-1])
        title = f"{first['scenario']}: duty a year by change against {first['reference']}"
        heads = [_PARTS[name] for name in names]
        tables.append(Section(title, rows, [texts.name], names, _ROWS, heads).short())
    return tables


def change_words(text: str) -> str:
    """Write a change of the law, `set_rate fl301 for CN to 20%`, by names: `Section 301, forced labor: China 20 %`."""
    found = _CHANGE.fullmatch(text)
    if found is None:
        return in_plain_words(text)
    verb, subject, goods, rest = found.groups(default="")
    places = _PLACE.sub(lambda code: label_of("origin", code[0]), goods)
    rest = re.sub(r"(\d)%", r"\1 %", rest.removeprefix("to ") if verb == "set_rate" else rest)
    words = filter(None, [places, _VERBS.get(verb, verb.replace("_", " ")), in_plain_words(rest)])
    return f"{in_plain_words(subject)}: {' '.join(words)}"


def details(total: Row, prices: pl.DataFrame | None, unit: MoneyUnit) -> Iterator[str]:
    """Describe domestic goods, limits on quantities and consumer prices of a run, as far as it has them.

    Args:
        total: row of totals.
        prices: rows of consumer prices of the run.
        unit: unit of the amounts.
    """
    if total.get("domestic_shipments"):
        price, output = (float(total[f"domestic_{name}_hat"]) - 1.0 for name in ("price", "quantity"))
        yield (
            f"Domestic goods that compete ({unit.cell(total['domestic_shipments'])} {unit.name}, an allocation): "
            f"price {price:+.2%}, output {output:+.2%}, producers' surplus {unit.cell(total['producer_surplus'])} "
            f"{unit.name}."
        )
    if total.get("quota_premium") is not None:
        rents = ", ".join(f"{name}s {unit.cell(total[f'rent_{name}'])}" for name in ("importer", "exporter"))
        yield (
            f"Limits on quantities: premium {total['quota_premium']:+.1%} over the landed price; rents: {rents}, "
            f"government {unit.cell(total['rent_government'])} {unit.name}."
        )
    if prices is not None:
        whole = prices.filter(pl.col("line").is_null()).row(0, named=True)
        yield (
            f"Consumer prices, before any response: {whole['change']:+.2%} of consumption ({whole['direct']:+.2%} by "
            f"imported goods, {whole['indirect']:+.2%} by imported inputs)."
        )


def _percent(value: object) -> str:
    return f"{three(value, PERCENT)} percent"
