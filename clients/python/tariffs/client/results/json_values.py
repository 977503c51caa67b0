"""Convert values of results to plain data for JSON: money as decimal text, undefined numbers as null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import polars as pl

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


_NAMES = {
    "create_time": "created",
    "update_time": "updated",
    "end_time": "ended",
    "expire_time": "expires",
    "row_count": "rows",
    "column_count": "columns",
    "byte_count": "bytes",
}
"""Names in JSON of fields that have another one in Python."""


class Plain:
    """Dataclass that converts to plain data by its fields, one of which may be left out."""

    __slots__ = ()
    _left_out = ""

    def to_json_dict(self) -> dict[str, object]:
        """Convert to plain data: money and rates as decimal text, undefined numbers as None."""
        plain = json_fields(cast("Any", self))
        return {_NAMES.get(name, name): value for name, value in plain.items() if name != self._left_out}


def json_value(value: object) -> object:
    """Convert a value by its own `to_json_dict`, its fields or items; an infinite or undefined float becomes None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if hasattr(value, "to_json_dict"):
        return value.to_json_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return json_fields(value)
    if isinstance(value, Mapping):
        return {str(name): json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, Decimal | date):
        return str(value)
    return json_rows(value) if isinstance(value, pl.DataFrame) else str(value)


def json_fields(value: DataclassInstance) -> dict[str, object]:
    """Convert the fields of a dataclass instance, in their order."""
    return {field.name: json_value(getattr(value, field.name)) for field in fields(value)}


def json_rows(frame: pl.DataFrame) -> list[dict[str, object]]:
    """Convert the rows of a frame."""
    return [{name: json_value(value) for name, value in row.items()} for row in frame.to_dicts()]
