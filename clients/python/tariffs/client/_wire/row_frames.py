"""Make frames from rows of named values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tariffs.client.results.entries import TEXTS


def frame_of(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Make a frame of rows that have all columns of a schema."""
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in schema}
    for name, kind in schema.items():
        if kind == TEXTS:
            columns[name] = text_lists(columns[name])
    return pl.DataFrame(columns, schema=dict(schema))


def text_lists(lists: Sequence[Sequence[str] | None]) -> pl.Series:
    """Make a column of lists of texts; None is null.

    Polars makes a series of each list first, which takes most of the time of a frame.
    """
    places = [place for place, texts in enumerate(lists) for _ in texts or ()]
    flat = pl.DataFrame(
        {"place": places, "text": [text for texts in lists for text in texts or ()]},
        schema={"place": pl.UInt32, "text": pl.String},
    )
    given = pl.DataFrame(
        {"place": range(len(lists)), "given": [texts is not None for texts in lists]},
        schema={"place": pl.UInt32, "given": pl.Boolean},
    )
    grouped = flat.group_by("place", maintain_order=True).agg("text")
    joined = given.join(grouped, on="place", how="left", maintain_order="left")
    filled = pl.when("given").then(pl.col("text").fill_null(pl.lit([], TEXTS)))
    return joined.select(filled.alias("text"))["text"]
