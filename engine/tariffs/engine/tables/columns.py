"""Contract columns of a trade table: names, order, types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from tariffs.engine.law.model import Claim

RATE_COLUMN = "ordinary_rate"
REQUIRED = ("hts", "origin", "customs_value")
ROW_FAULT = "row_fault"
"""Column with the reason why the reader of a file could not read a row; rows with a reason are refused."""
_TEXT, _NUMBER, _TRUTH, _INSTANT = "text", "number", "truth", "instant"
PLAIN: Mapping[str, str] = {
    "line_id": _TEXT,
    "entry_id": _TEXT,
    "hts": _TEXT,
    "origin": _TEXT,
    "customs_value": _NUMBER,
    "entry_date": _INSTANT,
    "quantity": _NUMBER,
    "unit": _TEXT,
    "freight": _NUMBER,
    "insurance": _NUMBER,
    "mode": _TEXT,
    RATE_COLUMN: _NUMBER,
}
"""Kinds of the columns that are no claims; a process that reads no table does not load Polars for their types."""
_OF_CLAIMS: Mapping[str, str] = {
    "share": _NUMBER,
    "content": _NUMBER,
    "number": _NUMBER,
    "bool": _TRUTH,
    "date": _INSTANT,
    "code": _TEXT,
}


Claims = Mapping[str, Claim]


def contract_types(claims: Claims) -> dict[str, pl.DataType]:
    """Types of the contract columns in their fixed order: plain columns, then claims by name."""
    types = {_TEXT: pl.String(), _NUMBER: pl.Float64(), _TRUTH: pl.Boolean(), _INSTANT: instant_type()}
    kinds = {**PLAIN, **{name: _OF_CLAIMS[claims[name].type] for name in sorted(claims)}}
    return {name: types[kind] for name, kind in kinds.items()}


def instant_type() -> pl.Datetime:
    """Type of columns of instants."""
    return pl.Datetime("us", "UTC")


def others(columns: Iterable[str], claims: Claims) -> list[str]:
    """Columns of the caller, in order."""
    return [name for name in columns if name not in PLAIN and name not in claims]
