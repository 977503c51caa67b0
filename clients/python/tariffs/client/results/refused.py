"""Count and describe refused rows of a table; one row may have several problems."""

from __future__ import annotations

import polars as pl

REFUSED_IN_JSON = 100


def refused_count(refused: pl.DataFrame) -> int:
    """Count the rows of the table that were refused; `refused` has a row for each problem."""
    return refused["row"].n_unique() if refused.height else 0


def refused_words(refused: pl.DataFrame) -> str:
    """Describe the count, such as `2 rows were refused, for 3 problems`."""
    count = refused_count(refused)
    rows = "1 row was refused" if count == 1 else f"{count:,} rows were refused"
    return rows if refused.height == count else f"{rows}, for {refused.height:,} problems"


def refused_json(refused: pl.DataFrame, path: str | None, left_off: int = 0) -> dict[str, object]:
    """Convert to the form of `--json`: `count` of rows, the first problems as `rows`, and the file with all.

    Args:
        refused: one row per problem, with `row`.
        path: the file that holds all problems, if one was written.
        left_off: number of refused rows that the server did not send.
    """
    return {
        "count": refused_count(refused) + left_off,
        "rows": refused.head(REFUSED_IN_JSON).to_dicts(),
        "path": path,
    }
