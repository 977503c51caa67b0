"""Arrow streams for hostile requests: tables with random columns, and streams that are cut, joined or changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from tests.tools.fuzz.hostile import FLOATS, HOSTILE_TEXT, stream_of, tables
from tests.tools.fuzz.vocabulary import table_columns, words

ROWS = (1, 2, 3, 20)
_TEXT_LIMIT = 2_000
_REQUIRED = ("hts", "origin", "customs_value")
_DAY = datetime(2026, 7, 1, tzinfo=UTC)
Make = Callable[[random.Random, int, str], pl.Series]


def table(chance: random.Random) -> pl.DataFrame:
    """A table of a few rows: the required columns in good faith, others of any name and type, some bad values."""
    rows = chance.choice(ROWS)
    columns = {name: _plausible(chance, rows, name) for name in _REQUIRED}
    for _ in range(chance.choice((0, 1, 2, 5))):
        name = chance.choice(table_columns()) if chance.random() > 0.1 else chance.choice(HOSTILE_TEXT)[:150]
        columns[name] = chance.choice(tuple(_MADE.values()))(chance, rows, name)
    if chance.random() < 0.1:
        del columns[chance.choice(tuple(columns))]
    frame = pl.DataFrame(columns)
    return frame.select(chance.sample(frame.columns, frame.width)) if chance.random() < 0.2 else frame


def stream(chance: random.Random) -> bytes:
    """An Arrow stream: of a table, of the collection of hostile ones, or a damaged one."""
    way = chance.random()
    if way < 0.1:
        return damaged(chance, chance.choice(tables()))
    if way < 0.2:
        return chance.choice(tables())
    data = stream_of(table(chance), chance.choice(("uncompressed", "uncompressed", "lz4", "zstd")))
    if way < 0.3:
        return damaged(chance, data)
    if way < 0.33:
        return data + stream_of(table(chance))
    return data


def damaged(chance: random.Random, data: bytes) -> bytes:
    """The bytes cut short, with other bits, with a part of them twice, or with another number in place of one."""
    if not data:
        return data
    way, at = chance.random(), chance.randrange(len(data))
    changed = bytearray(data)
    if way < 0.25:
        return data[:at]
    if way < 0.4:
        changed[at:at] = data[at : at + 64]
    elif way < 0.6:
        changed[at : at + 4] = chance.choice(
            (b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\xff\xff\xff\x7f", b"\0\0\0\0")
        )
    else:
        for _ in range(chance.choice((1, 1, 2, 8))):
            # Headers are at the front, where a bit matters most.
            place = (
                chance.randrange(min(len(data), 600))
                if chance.random() < 0.7
                else chance.randrange(len(data))
            )
            changed[place] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _plausible(chance: random.Random, rows: int, name: str) -> pl.Series:
    if name == "customs_value":
        return pl.Series([chance.choice((10_000.0, 1.0, 0.0, 0.01, 1e12)) for _ in range(rows)])
    return pl.Series([chance.choice(words()[name]) for _ in range(rows)])


def _texts(chance: random.Random, rows: int, name: str) -> pl.Series:
    own = words().get(name, HOSTILE_TEXT)
    drawn = [chance.choice(own if chance.random() > 0.2 else HOSTILE_TEXT) for _ in range(rows)]
    return pl.Series([text[:_TEXT_LIMIT] for text in drawn], dtype=pl.String)


def _floats(chance: random.Random, rows: int, name: str) -> pl.Series:
    plain = (0.0, 0.3, 1.0, 100.0)
    return pl.Series([chance.choice(plain if chance.random() > 0.3 else FLOATS) for _ in range(rows)])


def _whole_numbers(chance: random.Random, rows: int, name: str) -> pl.Series:
    return pl.Series([chance.choice((0, 1, 45_000, -1, 2**62)) for _ in range(rows)], dtype=pl.Int64)


def _unsigned(chance: random.Random, rows: int, name: str) -> pl.Series:
    return pl.Series([chance.choice((0, 1, 2**63)) for _ in range(rows)], dtype=pl.UInt64)


def _truths(chance: random.Random, rows: int, name: str) -> pl.Series:
    return pl.Series([chance.choice((True, False, None)) for _ in range(rows)], dtype=pl.Boolean)


def _days(chance: random.Random, rows: int, name: str) -> pl.Series:
    series = pl.Series(
        [chance.choice((0, 20_000, 20_500, -719_163, 2_932_896)) for _ in range(rows)], dtype=pl.Int32
    )
    return series.cast(pl.Date)


def _instants(chance: random.Random, rows: int, name: str) -> pl.Series:
    zone = chance.choice(("UTC", "Asia/Kolkata", None))
    unit: Any = chance.choice(("ms", "us", "ns"))
    offsets = [chance.choice((0, 86_400, -86_400)) for _ in range(rows)]
    series = pl.Series([_DAY.timestamp() + offset for offset in offsets])
    dtype = pl.Datetime(unit, zone)
    return (series * {"ms": 1e3, "us": 1e6, "ns": 1e9}[unit]).cast(pl.Int64).cast(dtype)


def _categories(chance: random.Random, rows: int, name: str) -> pl.Series:
    return _texts(chance, rows, name).cast(pl.Categorical)


def _decimals(chance: random.Random, rows: int, name: str) -> pl.Series:
    return pl.Series([1] * rows).cast(pl.Decimal(38, chance.choice((0, 2, 30))))


def _nothing(chance: random.Random, rows: int, name: str) -> pl.Series:
    return pl.Series([None] * rows, dtype=chance.choice((pl.Null, pl.String, pl.Float64, pl.Date)))


def _nested(chance: random.Random, rows: int, name: str) -> pl.Series:
    value: Any = chance.choice(([1], [[1]], {"a": 1}, [{"a": [1]}], []))
    return pl.Series([value] * rows)


def _bytes(chance: random.Random, rows: int, name: str) -> pl.Series:
    return pl.Series([chance.choice((b"", b"\xff\xfe", b"CN"))] * rows, dtype=pl.Binary)


_MADE: Mapping[str, Make] = {
    "texts": _texts,
    "floats": _floats,
    "whole numbers": _whole_numbers,
    "unsigned": _unsigned,
    "truths": _truths,
    "days": _days,
    "instants": _instants,
    "categories": _categories,
    "decimals": _decimals,
    "nothing": _nothing,
    "nested": _nested,
    "bytes": _bytes,
}
