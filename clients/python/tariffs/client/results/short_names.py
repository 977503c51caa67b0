"""Names of codes for displays of the client, and columns of them in frames."""

from __future__ import annotations

import polars as pl

from tariffs.names import TABLES as _TABLES
from tariffs.names import fact_name as fact_name
from tariffs.names import inside as inside
from tariffs.names import label_of as label_of
from tariffs.names import name_of as name_of
from tariffs.names import named_codes as named_codes
from tariffs.names import spelled_out as spelled_out


def with_names(frame: pl.DataFrame) -> pl.DataFrame:
    """Add a column of names, such as `origin_name`, behind each column of codes that have names."""
    columns: list[str | pl.Expr] = []
    for name in frame.columns:
        columns.append(name)
        if name in _TABLES and f"{name}_name" not in frame.columns:
            codes = frame[name].drop_nulls().unique().to_list()
            names = {code: name_of(name, code) or None for code in codes}
            named = pl.col(name).replace_strict(names, default=None, return_dtype=pl.String)
            columns.append(named.alias(f"{name}_name"))
    return frame.select(columns)
