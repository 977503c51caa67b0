"""Make tables and rows of scores: revenue of scenarios by fiscal year."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tariffs.client.results.amounts import in_words, short_unit, three
from tariffs.client.results.answer import run_title
from tariffs.client.results.json_values import json_rows
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.tables import ShortTable
from tariffs.client.results.view import Passage

_WORDS = (
    "Against the law at the baseline, by fiscal year of the United States (October to September), conventional unless "
    "it says dynamic. Ten-year totals hide errors of years that cancel."
)
_COLUMNS = {
    "revenue": "added duty",
    "tax_offset": "offset of taxes",
    "refunds": "refunds",
    "conventional": "conventional",
    "macro": "by GDP",
    "dynamic": "dynamic",
    "customs": "all duty",
    "cbo_customs": "CBO all duty",
    "conventional_vs": "more than the first",
}
_TOTAL = "total"
SCORED = "How much revenue do duties bring by fiscal year?"
"""Question that a score answers."""


def score_tables(score: pl.DataFrame | None) -> list[ShortTable]:
    """Make a table of each scenario, with a row for each fiscal year and one for all; none without a score."""
    if score is None:
        return []
    runs = score.partition_by("scenario", maintain_order=True)
    return [_table(run, is_first=place == 0) for place, run in enumerate(runs)]


def score_words(score: pl.DataFrame | None, law: LegalText | None) -> list[str]:
    """Say what each scenario brings over all years, and in the last one; nothing without a score."""
    found = []
    for run in [] if score is None else score.partition_by("scenario", maintain_order=True):
        name, last = str(run["scenario"][0]), run.row(-1, named=True)
        first, total = run["fiscal_year"][0], _sums(run).row(0, named=True)["conventional"]
        found.append(
            f"{law.title_of(name) if law else run_title(name)}: {in_words(total)} from fiscal year {first} to "
            f"{last['fiscal_year']}, {in_words(last['conventional'])} in the last one; conventional."
        )
    return found


def score_passages(score: pl.DataFrame | None) -> list[Passage]:
    """Make the part of a report on a score; none without one."""
    tables = score_tables(score)
    return [Passage("Revenue by fiscal year", (_WORDS,), tables)] if tables else []


def score_document(score: pl.DataFrame) -> list[dict[str, object]]:
    """List scenarios with their years and the sums of these, as `tariffs score --json` prints them."""
    found: list[dict[str, object]] = []
    for run in score.partition_by("scenario", maintain_order=True):
        name, years = str(run["scenario"][0]), run.drop("scenario")
        found.append({"id": name, "years": json_rows(years), "total": json_rows(_sums(years))[0]})
    return found


def _sums(years: pl.DataFrame) -> pl.DataFrame:
    """Sum the years; a number that some year does not know is unknown."""
    amounts = pl.col(pl.Float64)
    return years.select(pl.when(amounts.null_count() == 0).then(amounts.sum()))


def _table(run: pl.DataFrame, *, is_first: bool) -> ShortTable:
    shown = [name for name in _COLUMNS if run[name].count() and not (is_first and name == "conventional_vs")]
    total: Mapping[str, object] = _sums(run).row(0, named=True)
    rows, unit = run.to_dicts(), short_unit([*total.values()])
    cells = [
        [str(row.get("fiscal_year", _TOTAL)), *(three(row[name], unit.dollars) for name in shown)]
        for row in (*rows, total)
    ]
    caption = f"{run_title(str(run['scenario'][0]))}: revenue by fiscal year, {unit.name}"
    return ShortTable(caption, ["fiscal year", *(_COLUMNS[name] for name in shown)], cells)
