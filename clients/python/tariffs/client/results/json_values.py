"""Convert values of results to plain data for JSON: money as decimal text, undefined numbers as null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def json_value(value: object) -> object:
    """Convert a value, its fields and its items; an infinite or undefined float becomes None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return json_fields(value)
    if isinstance(value, Mapping):
        return {name: json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return str(value)


def json_fields(value: DataclassInstance) -> dict[str, object]:
    """Convert the fields of a dataclass instance, in their order."""
    return {field.name: json_value(getattr(value, field.name)) for field in fields(value)}


def json_rows(frame: pl.DataFrame) -> list[dict[str, object]]:
    """Convert the rows of a frame."""
    return [{name: json_value(value) for name, value in row.items()} for row in frame.to_dicts()]
