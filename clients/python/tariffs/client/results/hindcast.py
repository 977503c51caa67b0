"""Forecasts of imports beside what was imported: scores, partners, and a chart of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tariffs.client.errors import module_of
from tariffs.client.results import html
from tariffs.client.results.charts import Chart, Figure, unit_of
from tariffs.client.results.json_values import json_rows
from tariffs.client.results.palette import PALETTE
from tariffs.client.results.quote import Provenance
from tariffs.client.results.report import Reported
from tariffs.client.results.short_names import label_of
from tariffs.client.results.tables import ShortTable
from tariffs.client.results.view import Passage, View, drawn, inputs

CUTS = {
    "all": "all goods",
    "most": "without computers, drugs and metals",
    "computers": "computers",
    "drugs": "drugs and chemicals",
    "metals": "primary metals",
}
"""Names of the cuts of goods."""
_JUDGED = "most"
_SHOWN = ("all", _JUDGED)
_SCORES = ("error", "growth", "realised", "slope", "with Jan-Feb", "rank", "coverage")
_PARTNERS = {"forecast": "forecast", "with trend": "with_trend", "realised": "realised"}
_DEFAULT, _STILL = "path", "no change"
_WIDTH, _HEIGHT = 480, 380
_BARS = 150
_PERCENT = 100.0
_QUESTION = "What was forecast for the imports of 2025, and what came?"
_ASSUMED = (
    "The response on the 15th of each month moves imports of that month of 2024, so that seasons cancel; goods without "
    "an industry stay as they were. Outcomes are of the Census Bureau, to 2025-11."
)
_LIMITS = (
    "The default is good for totals of months to a year and for partners that are hit by name; not for third "
    "countries, computers, drugs and gold, single cells, or welfare over horizons. docs/hindcast.md says why."
)


@dataclass(frozen=True, slots=True)
class Hindcast(Reported):
    """Forecasts of imports under laws frozen on some days, beside what was imported and beside simpler forecasts.

    Attributes:
        scores: a row a `board`, window (`first`, `last`), `cut` of goods and `forecast`: `error` in points; `total`
            and `realised_total`, growth as fractions; `slope`, `controlled` and `placebo`, each with its `_error`;
            `rank`, `coverage`, `cells`.
        partners: a row a board, window, cut and `origin` (empty: all): `before` in USD; growth as fractions,
            `forecast`, `with_trend` and `realised`.
        boards: laws that are frozen: `id`, `known_on`, `title`, `windows`, `stated`.
        wrong_signs: boards on which imports did not fall more where the forecast falls more.
        frozen: day and digest of the parameters, and whether they are `unchanged`.
        provenance: law version and digests.
    """

    scores: pl.DataFrame
    partners: pl.DataFrame
    boards: Sequence[Mapping[str, Any]]
    wrong_signs: Sequence[str]
    frozen: Mapping[str, Any]
    provenance: Provenance

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `validate trade --json`."""
        return {
            "boards": list(self.boards),
            "scores": json_rows(self.scores),
            "partners": json_rows(self.partners),
            "wrong_signs": list(self.wrong_signs),
            "frozen": dict(self.frozen),
            "provenance": dict(self.provenance),
        }

    def score_tables(self, cuts: Sequence[str] = _SHOWN) -> Iterator[Passage]:
        """Make a table of the scores of each board and window, over some cuts of goods."""
        words = "error of partners in points, growth and coverage (p5 to p95) in percent, slopes with standard errors"
        for board in self.boards:
            for first, last in board["windows"]:
                rows = _of(self.scores, board, first, last).filter(pl.col("cut").is_in(list(cuts)))
                cells = [[CUTS[row["cut"]], row["forecast"], *_numbers(row)] for row in rows.to_dicts()]
                table = ShortTable(words, ["goods", "forecast", *_SCORES], cells, 2)
                yield Passage(f"{_titled(board)}: {first} to {last}", (), [table])

    def partner_tables(self) -> Iterator[Passage]:
        """Make a table of partners of the first window of each board, and of months that are not scored yet."""
        words = f"percent over the year before, {CUTS[_JUDGED]}"
        for board in self.boards:
            stated = [board["stated"]] if board["stated"] else []
            for first, last in [*board["windows"][:1], *stated]:
                rows = _of(self.partners, board, first, last).filter(cut=_JUDGED).to_dicts()
                table = ShortTable(words, ["partner", *_PARTNERS], [_partner(row) for row in rows])
                yield Passage(f"{_titled(board)}, partners: {first} to {last}", (), [table])

    def to_view(self) -> View:
        """Describe the boards in plain data for readers."""
        state = "unchanged since" if self.frozen["unchanged"] else "CHANGED after"
        tables = [
            Passage(one.title, (), [table.narrow() for table in one.tables])
            for one in (*self.score_tables(), *self.partner_tables())
        ]
        return View(
            _QUESTION,
            [
                *(f"Wrong sign: {one}." for one in self.wrong_signs),
                *self._errors(),
                f"Parameters frozen on {self.frozen['on']}: {state}.",
            ],
            drawn(self._figure),
            [Passage("What it is good for", [_LIMITS]), *tables],
            assumed={"Forecasts": [_ASSUMED]},
            inputs=inputs(self.provenance),
            law_line=html.law_line({**self.provenance, "known_on": "the days of the boards"}),
        )

    def _errors(self) -> Iterator[str]:
        for board in self.boards[:1]:
            for first, last in board["windows"]:
                rows = _of(self.scores, board, first, last).filter(cut=_JUDGED)
                errors = dict(rows.select("forecast", "error").iter_rows())
                yield (
                    f"From {first} to {last}, {CUTS[_JUDGED]}, the default missed the growth of a partner by "
                    f"{errors[_DEFAULT]:.1f} points on average; no change by {errors[_STILL]:.1f}."
                )

    def _figure(self) -> Figure:
        alt = "Circles: growth of imports by partner, realised on forecast. Bars: the mean error of each forecast."
        unit = unit_of("rate", [])
        return Figure(self.chart, "Forecast and realised", alt, self.partners.head(0), unit)

    def chart(self) -> Chart:
        """Draw growth realised on growth forecast by partner, and the error of each forecast, of the first board.

        Raises:
            ExtraMissing: the extra `notebook` is not installed.
        """
        alt = module_of("notebook", "altair")
        board = self.boards[0]
        first, last = (board["windows"] or [board["stated"]])[0]
        partners = _of(self.partners, board, first, last).filter(pl.col("origin") != "", cut=_JUDGED)
        points = partners.select(
            "origin",
            before=pl.col("before") / 1e9,
            forecast=pl.col("forecast") * _PERCENT,
            realised=pl.col("realised").cast(pl.Float64) * _PERCENT,
        )
        ahead = alt.X("forecast:Q", title="growth forecast, percent", scale=alt.Scale(zero=False))
        came = alt.Y("realised:Q", title="growth realised, percent", scale=alt.Scale(zero=False))
        circles = (
            alt.Chart(points, width=_WIDTH, height=_HEIGHT)
            .mark_circle(opacity=0.6, color=PALETTE[0])
            .encode(x=ahead, y=came, size=alt.Size("before:Q", title="imports of 2024, bn"))
        )
        names = alt.Chart(points).mark_text(dx=12, fontSize=10).encode(x=ahead, y=came, text="origin:N")
        ends = [float(points["forecast"].min() or 0.0), float(points["forecast"].max() or 0.0)]  # type: ignore[arg-type] # percent
        line = (
            alt.Chart(pl.DataFrame({"forecast": ends, "realised": ends}))
            .mark_line(strokeDash=[4, 4], color=PALETTE[4])
            .encode(x=ahead, y=came)
        )
        above = line + circles + names
        scores = _of(self.scores, board, first, last)
        if scores.is_empty():
            return above
        errors = scores.filter(pl.col("cut").is_in(_SHOWN)).select(
            "forecast", "error", goods=pl.col("cut").replace(CUTS)
        )
        bars = (
            alt.Chart(errors, width=_WIDTH, height=_BARS)
            .mark_bar()
            .encode(
                x=alt.X("error:Q", title="mean error of 30 partners, points"),
                y=alt.Y("forecast:N", sort=None, title=None),
                yOffset=alt.YOffset("goods:N", sort=None),
                color=alt.Color(
                    "goods:N",
                    sort=None,
                    title=None,
                    legend=alt.Legend(orient="bottom", labelLimit=_WIDTH),
                    scale=alt.Scale(range=list(PALETTE[:2])),
                ),
            )
        )
        return (above & bars).resolve_scale(color="independent")


def _titled(board: Mapping[str, Any]) -> str:
    title = str(board["title"])
    return title[:1].upper() + title[1:]


def _of(rows: pl.DataFrame, board: Mapping[str, Any], first: str, last: str) -> pl.DataFrame:
    return rows if rows.is_empty() else rows.filter(board=board["id"], first=first, last=last)


def _numbers(row: Mapping[str, Any]) -> list[str]:
    slope = _number(row["slope"], 1, 2)
    return [
        _number(row["error"], 1, 1),
        _number(row["total"], _PERCENT, 1),
        _number(row["realised_total"], _PERCENT, 1),
        slope if slope == "-" else f"{slope} ({row['slope_error']:.2f})",
        _number(row["controlled"], 1, 2),
        _number(row["rank"], 1, 2),
        _number(row["coverage"], _PERCENT, 0),
    ]


def _partner(row: Mapping[str, Any]) -> list[str]:
    name = label_of("origin", row["origin"]) if row["origin"] else "all"
    return [name, *(_number(row[name], _PERCENT, 1) for name in _PARTNERS.values())]


def _number(value: float | None, unit: float, digits: int) -> str:
    return "-" if value is None else f"{value * unit:.{digits}f}"
