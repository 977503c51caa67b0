"""Refused rows of a result: counted by row of the table, not by problem, since one row may have several problems."""

from __future__ import annotations

import polars as pl

REFUSED_IN_JSON = 100


def refused_count(refused: pl.DataFrame) -> int:
    """Number of rows of the table that were refused; `refused` has a row for each problem."""
    return refused["row"].n_unique() if refused.height else 0


def refused_words(refused: pl.DataFrame) -> str:
    """The count in words, such as `2 rows were refused, for 3 problems`."""
    count = refused_count(refused)
    rows = "1 row was refused" if count == 1 else f"{count:,} rows were refused"
    return rows if refused.height == count else f"{rows}, for {refused.height:,} problems"


def refused_json(refused: pl.DataFrame, path: str | None, left_off: int = 0) -> dict[str, object]:
    """Refused rows as in `--json`: `count` of rows, the first problems as `rows`, and the file with all of them.

    Args:
        refused: one row per problem, with `row`.
        path: the file that holds all problems, if one was written.
        left_off: refused rows that the server did not send.
    """
    return {
        "count": refused_count(refused) + left_off,
        "rows": refused.head(REFUSED_IN_JSON).to_dicts(),
        "path": path,
    }
