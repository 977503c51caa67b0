"""Choose the rows of a result that a chart draws: sums over keys not asked for, runs by name, no reference rows."""

from __future__ import annotations

import polars as pl

from tariffs.client.errors import InvalidRequest
from tariffs.client.results.columns import RUN_COLUMNS, is_fraction, keys_of

OTHERS = "others"
"""Name of the groups that are too small to be shown by themselves."""
_AGAINST_FIRST = "_vs"


def total_rows(total: pl.DataFrame, column: str) -> pl.DataFrame:
    """Rows of the totals: `scenario`, with the day where there are several, and the column.

    Raises:
        InvalidRequest: REQUEST_INVALID for a column that is not there or holds no numbers.
    """
    check_column(total, column)
    return _named_runs(_without_reference(total, column), total).select("scenario", column)


def rows_by(groups: pl.DataFrame, column: str, by: str) -> pl.DataFrame:
    """Rows of the groups summed over all keys but one: `scenario`, the key and the column, the largest first.

    Raises:
        InvalidRequest: REQUEST_INVALID for a column or key that is not there, or a fraction, which is no sum.
    """
    keys = keys_of(groups)
    if by not in keys:
        known = f"it is grouped by {', '.join(keys)}" if keys else "it has no groups"
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"The result has no key {by!r}; {known}.",
            field="by",
            fix=f"Compute it with by=[{by!r}].",
        )
    check_column(groups, column)
    rows = _without_reference(groups, column)
    if keys != [by]:
        if is_fraction(column):
            raise InvalidRequest(
                "REQUEST_INVALID",
                f"{column} of groups by {', '.join(keys)} cannot be summed by {by}.",
                field="by",
                fix=f"Compute it with by=[{by!r}], or draw a column of money.",
            )
        stated = pl.col(column).count() > 0
        runs = [name for name in RUN_COLUMNS if name in rows.columns]
        rows = rows.group_by(*runs, by, maintain_order=True).agg(pl.when(stated).then(pl.col(column).sum()))
    size = pl.col(column).abs().max().over(by)
    ordered = rows.sort(size, descending=True, nulls_last=True, maintain_order=True)
    return _named_runs(ordered, groups).select(
        "scenario", pl.col(by).cast(pl.String).fill_null("none"), column
    )


def with_others(rows: pl.DataFrame, key: str, column: str, shown: int) -> pl.DataFrame:
    """Keep the first values of a key in rows of `scenario`, key and number; others are summed, unless fractions."""
    names = rows[key].unique(maintain_order=True)
    is_kept = pl.col(key).is_in(names.head(shown).implode())
    if names.len() <= shown + (not is_fraction(column)):
        return rows
    kept = rows.filter(is_kept)
    if is_fraction(column):
        return kept
    others = rows.filter(~is_kept).group_by("scenario", maintain_order=True).agg(pl.col(column).sum())
    return pl.concat([kept, others.with_columns(pl.lit(OTHERS).alias(key)).select(rows.columns)])


def check_column(frame: pl.DataFrame, column: str) -> None:
    """Check that rows have numbers of a name; raises InvalidRequest."""
    numbers = [name for name, dtype in frame.schema.items() if dtype.is_numeric()]
    if column not in numbers:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"The result has no numbers {column!r}.",
            field="column",
            fix=f"Draw one of {', '.join(numbers)}.",
        )


def _without_reference(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Leave out the first scenario of a day where the column is a difference from it."""
    if not column.endswith(_AGAINST_FIRST):
        return rows
    return rows.filter(pl.col("scenario") != pl.col("scenario").first().over("on"))


def _named_runs(rows: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Add the day to the names of scenarios where there are several days."""
    if runs["on"].n_unique() < 2:
        return rows
    return rows.with_columns(pl.concat_str("scenario", "on", separator=", ").alias("scenario"))
