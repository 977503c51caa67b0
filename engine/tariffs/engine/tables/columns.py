"""The contract columns of a trade table: names, order, types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import polars as pl

INSTANT = pl.Datetime("us", "UTC")
RATE_COLUMN = "ordinary_rate"
REQUIRED = ("hts", "origin", "customs_value")
ROW_FAULT = "row_fault"
"""A column that says why the reader of a file could not read a row; where it holds text, the row is refused."""
PLAIN: Mapping[str, pl.DataType] = {
    "line_id": pl.String(),
    "entry_id": pl.String(),
    "hts": pl.String(),
    "origin": pl.String(),
    "customs_value": pl.Float64(),
    "entry_date": INSTANT,
    "quantity": pl.Float64(),
    "unit": pl.String(),
    "freight": pl.Float64(),
    "insurance": pl.Float64(),
    "mode": pl.String(),
    RATE_COLUMN: pl.Float64(),
}
_CLAIM_TYPES: Mapping[str, pl.DataType] = {
    "share": pl.Float64(),
    "content": pl.Float64(),
    "number": pl.Float64(),
    "bool": pl.Boolean(),
    "date": INSTANT,
    "code": pl.String(),
}


class ClaimForm(Protocol):
    """What a table check needs of a claim: its type and the partition its share belongs to."""

    @property
    def type(self) -> str:
        """Share, content, bool, date, code or number."""

    @property
    def partition(self) -> str:
        """Claims of one partition sum to at most 1; empty if it stands alone."""


Claims = Mapping[str, ClaimForm]


def contract_types(claims: Claims) -> dict[str, pl.DataType]:
    """Contract columns in their fixed order: the plain ones, then claims by name."""
    return {**PLAIN, **{name: _CLAIM_TYPES[claims[name].type] for name in sorted(claims)}}


def others(columns: Iterable[str], claims: Claims) -> list[str]:
    """The caller's own columns, in order."""
    return [name for name in columns if name not in PLAIN and name not in claims]
