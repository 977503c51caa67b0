"""Contract columns of a trade table: names, order, types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from tariffs.engine.law.model import Claim

INSTANT = pl.Datetime("us", "UTC")
RATE_COLUMN = "ordinary_rate"
REQUIRED = ("hts", "origin", "customs_value")
ROW_FAULT = "row_fault"
"""Column with the reason why the reader of a file could not read a row; rows with a reason are refused."""
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


Claims = Mapping[str, Claim]


def contract_types(claims: Claims) -> dict[str, pl.DataType]:
    """Types of the contract columns in their fixed order: plain columns, then claims by name."""
    return {**PLAIN, **{name: _CLAIM_TYPES[claims[name].type] for name in sorted(claims)}}


def others(columns: Iterable[str], claims: Claims) -> list[str]:
    """Columns of the caller, in order."""
    return [name for name in columns if name not in PLAIN and name not in claims]
