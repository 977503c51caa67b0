"""Inputs given by reference: by a caller in the same process, or by the server for a stored table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl


@dataclass(frozen=True, slots=True)
class LocalInputs:
    """A table and a parameter file that replace those of the request.

    Attributes:
        table: the table, or the path of its file.
        parameters: path of a parameter file.
        lines_limit: bytes of changed lines in a response of ListChanges.
        lines_to: directory or URL in which a partitioned table's lines are written; empty for none.
        cluster: address of the Dask scheduler that computes the run; empty for this process.
    """

    table: pl.DataFrame | pl.LazyFrame | str | Path | None = None
    parameters: str = ""
    lines_limit: int = 1 << 40
    lines_to: str = ""
    cluster: str = ""
