"""Results of one scenario on both sides: imports into the United States, and its exports where they arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import polars as pl

from tariffs.client.results import charts, html
from tariffs.client.results.charts import Chart, Figure
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.report import report_html
from tariffs.client.results.tables import Section, ShortTable
from tariffs.client.results.view import Passage, View, drawn
from tariffs.client.results.workbook import write_workbook

IMPORTS, EXPORTS = "imports", "exports"
_TITLE = "Imports and exports under the same scenarios"
TITLES = {
    IMPORTS: "Imports into the United States",
    EXPORTS: "Exports of the United States, duty of the countries they go to",
}
Side = TypeVar("Side", bound=ImpactResult | TimelineResult)
_KEYS = ("side", "scenario", "on")
_NUMBERS = (
    "customs_value", "duty", "effective_rate", "landed_change", "value_after", "duty_after", "duty_vs",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class BothSides(Generic[Side]):
    """Effect of scenarios on imports and on exports, from two runs with the same options.

    The duty on exports is revenue of the countries of destination; the two sides do not add up to one.

    Attributes:
        imports: imports into the United States.
        exports: exports of the United States in the markets they go to.
    """

    imports: Side
    exports: Side

    @property
    def sides(self) -> dict[str, Side]:
        """Results by side."""
        return {IMPORTS: self.imports, EXPORTS: self.exports}

    @property
    def summary(self) -> pl.DataFrame:
        """Totals, both sides of a scenario below each other: `side, scenario`, `on` for an impact, then the numbers."""
        frames = [
            _total(one).select(pl.lit(side).alias("side"), pl.all()).with_row_index("run")
            for side, one in self.sides.items()
        ]
        joined = pl.concat(frames, how="diagonal").sort("run", maintain_order=True)
        return joined.select(
            *(name for name in _KEYS if name in joined.columns),
            *(name for name in _NUMBERS if name in joined.columns),
        )

    @property
    def side_by_side(self) -> pl.DataFrame:
        """Totals, a row a scenario (and day): `imports_duty`, ..., then `exports_duty`, ..., without rates."""
        summary = self.summary
        runs = [name for name in _KEYS if name != "side" and name in summary.columns]
        amounts = [name for name in _NUMBERS if name in summary.columns and name != "effective_rate"]
        frame = summary.select(runs).unique(maintain_order=True)
        for side in self.sides:
            own = summary.filter(side=side).select(
                *runs, *(pl.col(name).alias(f"{side}_{name}") for name in amounts)
            )
            frame = frame.join(own, on=runs, how="left", maintain_order="left")
        return frame

    @property
    def refused_rows(self) -> int:
        """Number of problems of rows that could not be used, on both sides."""
        return self.imports.refused.height + self.exports.refused.height

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `--both --json`: the documents of the two sides by name."""
        return {side: one.to_json_dict() for side, one in self.sides.items()}

    def chart(self, column: str = "duty") -> Chart:
        """Draw a number of both sides by scenario, as bars.

        Raises:
            ExtraMissing: the extra `notebook` is not installed.
        """
        return charts.bars(self.summary, column, "scenario", "side", tuple(self.sides))

    def report(
        self,
        path: str | Path | None = None,
        *,
        question: str = "",
        law: Mapping[str, LegalText] | None = None,
    ) -> str:
        """Write both sides as one HTML page: totals side by side, then each side; it needs no network.

        Args:
            path: file to write it to, if any.
            question: question that it answers, as its title.
            law: the law behind each side by its name, `client.legal_text(result)` of each of `sides`.

        Raises:
            InvalidRequest: the name of the file ends in neither .html nor .htm.
            ExtraMissing: the extra `notebook` is not installed.
        """
        texts = law or {}
        parts = {TITLES[side]: one.to_view(law=texts.get(side)) for side, one in self.sides.items()}
        view = View(
            question or _TITLE,
            [text for part in parts.values() for text in part.answer[:1]],
            drawn(self._figure),
            [Passage("", (), [self._table(texts.get(IMPORTS))])],
            parts=parts,
        )
        return report_html(view, path)

    def _figure(self) -> Figure:
        """Draw the duty on both sides."""
        rows = self.side_by_side.select("scenario", *(f"{side}_duty" for side in self.sides))
        chart, amounts = self.chart(), [value for _, *values in rows.iter_rows() for value in values]
        alt = "Bars: duty on imports and on exports by scenario."
        return Figure(lambda: chart, str(chart.title.text), alt, rows, charts.unit_of("duty", amounts))

    def _table(self, law: LegalText | None) -> ShortTable:
        """Write duty and trade of both sides by scenario."""
        amounts = {
            f"{side}_{name}": f"{side.capitalize()}, {words}"
            for side in self.sides
            for name, words in (("duty", "duty"), ("value_after", "trade after"))
            if f"{side}_{name}" in self.side_by_side.columns
        }
        rows = self.side_by_side
        if law is not None:
            rows = rows.with_columns(pl.col("scenario").map_elements(law.title_of, pl.String))
        return Section("a year", rows, ["scenario"], list(amounts), rows.height, [*amounts.values()]).short()

    def to_excel(self, path: str | Path) -> None:
        """Write both sides as one workbook: totals, side by side too, and all sheets of each side under its name.

        Raises:
            InvalidRequest: the name of the file does not end in .xlsx.
            ExtraMissing: the extra `notebook` is not installed.
        """
        sheets = {"summary": self.summary, "side by side": self.side_by_side}
        inputs: dict[str, object] = {}
        for side, one in self.sides.items():
            sheets |= {f"{side} {name}": frame for name, frame in one.workbook_sheets().items()}
            inputs |= {f"{side} {name}": value for name, value in one.provenance.items()}
        cover = {"result": _TITLE, "law": html.law_line(self.imports.provenance)}
        write_workbook(Path(path), cover, sheets, inputs)

    @property
    def sections(self) -> list[Section]:
        """Totals as tables to be shown: by side, and side by side."""
        return [
            _section("both sides", self.summary),
            _section("imports and exports side by side", self.side_by_side),
        ]

    def __repr__(self) -> str:
        return f"{self.summary}\n\nImports. {self.imports!r}\n\nExports. {self.exports!r}"

    def _repr_html_(self) -> str:
        tables = "".join(html.short(section.exact()) for section in self.sections)
        return html.block(tables, self.imports._repr_html_(), self.exports._repr_html_())


def _section(title: str, frame: pl.DataFrame) -> Section:
    keys = [name for name in _KEYS if name in frame.columns]
    return Section(
        title, frame, keys, [name for name in frame.columns if name not in keys and frame[name].count()], 60
    )


def _total(result: ImpactResult | TimelineResult) -> pl.DataFrame:
    return result.total if isinstance(result, ImpactResult) else result.average_total
