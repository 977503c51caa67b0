"""Results of one scenario on both sides: imports into the United States, and its exports where they arrive."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tariffs.client.results import html
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.sections import Section

IMPORTS, EXPORTS = "imports", "exports"
_KEYS = ("side", "scenario", "on")
_NUMBERS = (
    "customs_value", "duty", "effective_rate", "landed_change", "value_after", "duty_after", "duty_vs",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class BothSides:
    """Effect of scenarios on imports and on exports, from two runs with the same options.

    The duty on exports is revenue of the countries of destination; the two sides do not add up to one.

    Attributes:
        imports: imports into the United States.
        exports: exports of the United States in the markets they go to.
    """

    imports: ImpactResult | TimelineResult
    exports: ImpactResult | TimelineResult

    @property
    def summary(self) -> pl.DataFrame:
        """Totals of both sides: `side, scenario`, `on` for an impact, then the numbers that both have."""
        frames = [
            _total(one).select(pl.lit(side).alias("side"), pl.all())
            for side, one in ((IMPORTS, self.imports), (EXPORTS, self.exports))
        ]
        joined = pl.concat(frames, how="diagonal")
        return joined.select(
            *(name for name in _KEYS if name in joined.columns),
            *(name for name in _NUMBERS if name in joined.columns),
        )

    @property
    def refused_rows(self) -> int:
        """Number of problems of rows that could not be used, on both sides."""
        return self.imports.refused.height + self.exports.refused.height

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `--both --json`: the documents of the two sides by name."""
        return {IMPORTS: self.imports.to_json_dict(), EXPORTS: self.exports.to_json_dict()}

    @property
    def section(self) -> Section:
        """Summary as a table to be shown."""
        keys = [name for name in _KEYS if name in self.summary.columns]
        return Section("both sides", self.summary, keys, [n for n in self.summary.columns if n not in keys])

    def __repr__(self) -> str:
        return f"{self.summary}\n\nImports. {self.imports!r}\n\nExports. {self.exports!r}"

    def _repr_html_(self) -> str:
        return html.block(self.section.to_html(), self.imports._repr_html_(), self.exports._repr_html_())


def _total(result: ImpactResult | TimelineResult) -> pl.DataFrame:
    return result.total if isinstance(result, ImpactResult) else result.average_total
