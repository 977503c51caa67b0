"""Hostile values for requests: texts, numbers, scenario texts, parameter files and Arrow streams."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import polars as pl

HOSTILE_TEXT: tuple[str, ...] = (
    "",
    " ",
    "\0",
    "\u202e\ufeff\U0001f600",
    "x" * 201,
    "9" * 5_000,
    "a" * 300_000,
    "../../../../etc/passwd",
    "/dev/zero",
    "file:///etc/passwd",
    "tables/" + "0" * 64,
    "%s%n{0}${x}",
    "'; DROP TABLE runs; --",
    "NaN",
    "-Infinity",
    "1e999999999",
    "-0",
    "0x10",
    "1_000",
    "\u0661\u0662\u0663",
    "0000-00-00",
    "2025-02-30",
    "9999-12-31T23:59:59+23:59",
    "-9999-01-01",
    "2025-04-09T00:00:61Z",
    "None",
    "true",
)
INTEGERS = (0, 1, 2, 15, 16, 17, -1, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63), 2**64 - 1)
FLOATS = (
    float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 5e-324, -0.0, 0.0, 0.3, 1.0, 1.0000001, -1.0,
)  # fmt: skip


@cache
def documents() -> tuple[str, ...]:
    """Scenario texts: bombs of aliases, depth, size, tags and types, and some nearly right."""
    head = "schema: tariffs.scenario/v1\nid: x\ntitle: t\nbasis: hypothesis\n"
    change = "  - {op: suspend, measures: {id: recip_cn}, from: 2026-07-01, cite: [a]}\n"
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    return (
        f"l0: &l0 [x]\n{levels}",
        f"{head}changes: &c [*c]\n",
        "[" * 50_000,
        "{a: " * 5_000 + "1" + "}" * 5_000,
        "- " * 20_000 + "x",
        f"{head}changes:\n" + "".join(f"{'  ' * n}- a:\n" for n in range(1, 700)),
        "!!python/object/apply:os.system [id]",
        f"{head}changes:\n{change}" + "changes: []\n",
        f"{head}changes:\n{change * 5_000}",
        f"{head}changes:\n{change}",
        f"{head}changes: []\nassumptions: {{a: .nan, b: .inf, c: 0o777, d: 1:30:00}}\n",
        f"{head}mixture: [{{scenario: base, weight: 1e309}}, {{scenario: base, weight: -1}}]\n",
        f"{head}mixture: [{{scenario: x, weight: 1}}]\n",
        f"{head}parents: [{', '.join(['base'] * 3_000)}]\nchanges: []\n",
        f"{head}parents: [x]\nchanges: []\n",
        f"{head}changes:\n  - {{op: set_rate, measures: {{id: recip_cn}}, rate: '{'9' * 5_000}%', cite: [a]}}\n",
        f"{head}changes:\n  - {{op: set_rate, measures: {{id: recip_cn}}, by: 'x1e400', cite: [a]}}\n",
        f"{head}changes:\n  - {{op: delay, measures: {{authority: ieepa}}, from: 9999-12-31, until: 0001-01-01}}\n",
        f"{head}changes:\n  - {{op: shock_quantity, products: ['*'], share: .nan}}\n",
        f"{head}title: '{'t' * 900_000}'\n",
        "a: b\n" * 100_000,
        "? [a, {b: c}] : d\n",
        "%YAML 9.9\n---\na\n---\nb\n",
        "\ufeff\x07",
        "x" * ((1 << 20) + 1),
    )


@cache
def parameter_files() -> tuple[bytes, ...]:
    """Parameter tables as CSV, most of them wrong."""
    return (
        b"hts,sigma\n9503,3\n",
        b"hts,sigma\n9503,nan\n",
        b"hts,sigma,sigma\n9503,1,2\n",
        b"sigma\n1\n",
        b"hts,eta\n9503,-inf\n*,1e999\n",
        b"",
        b"\0" * 1_000,
        b"hts,sigma\n" + b"9503,3\n" * 50_000,
        b'"' * 10_000,
        b"hts," + b"c," * 20_000 + b"\n",
        "hts,sigma\n\u0661,3\n".encode("utf-16"),
    )


@cache
def tables() -> tuple[bytes, ...]:
    """Arrow streams: of every type of column, of the wrong shape, and ones that unpack into far more than they are."""
    return tuple(_streams())


def good_table(rows: int = 3) -> pl.DataFrame:
    """A small table in good faith."""
    return pl.DataFrame(
        {
            "hts": ["9503000073", "8471300100", "7208101500"] * (rows // 3),
            "origin": ["CN", "MX", "CA"] * (rows // 3),
            "customs_value": [10_000.0, 1.0, 0.01] * (rows // 3),
        }
    )


def stream_of(frame: pl.DataFrame, compression: Any = "uncompressed") -> bytes:
    """The frame as one Arrow IPC stream."""
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression=compression)
    return buffer.getvalue()


def _streams() -> Iterator[bytes]:
    good = good_table()
    yield stream_of(good)
    yield stream_of(good, "zstd") * 2
    yield stream_of(good.clear())
    yield stream_of(good.drop("customs_value"))
    yield stream_of(good.with_columns(customs_value=pl.Series([float("nan"), float("inf"), -1e308])))
    yield stream_of(good.with_columns(pl.lit(None).alias("entry_date"), hts=pl.lit(None, pl.String)))
    yield stream_of(good.with_columns(customs_valuE=pl.lit(1.0))).replace(b"customs_valuE", b"customs_value")
    yield stream_of(good.with_columns(pl.lit("x" * 300_000).alias("origin")))
    yield stream_of(good.rename({"hts": "h" * 100_000}))
    yield stream_of(pl.DataFrame({f"c{n}": [1] for n in range(300)}))
    yield stream_of(pl.DataFrame({"hts": pl.Series([None], dtype=_deep(200))}))
    yield from (stream_of(good.with_columns(column)) for column in _columns())
    yield from _bombs()
    yield b""
    yield struct.pack("<Ii", 0xFFFFFFFF, 2**31 - 1)
    yield struct.pack("<Ii", 0xFFFFFFFF, -1) * 50
    yield struct.pack("<Ii", 0xFFFFFFFF, 8) + struct.pack("<Ii", 4, 2**31 - 1)


def _deep(levels: int) -> pl.DataType:
    return pl.List(_deep(levels - 1)) if levels else pl.Int8()


def _columns() -> Iterator[pl.Expr]:
    """The column of amounts, or one beside it, in every type that Arrow has a name for."""
    value: Callable[[Any], pl.Expr] = lambda dtype: pl.lit(1).cast(dtype).alias("customs_value")  # noqa: E731
    for dtype in (
        pl.Int8,
        pl.UInt64,
        pl.Float32,
        pl.Boolean,
        pl.Date,
        pl.Datetime("ns"),
        pl.Duration,
        pl.Time,
    ):
        yield value(dtype)
    yield value(pl.Decimal(38, 10))
    yield pl.lit(None).alias("customs_value")
    yield pl.lit(-(2**31)).cast(pl.Int32).cast(pl.Date).alias("entry_date")
    yield pl.lit(2**63 - 1).cast(pl.Datetime("us")).alias("entry_date")
    yield pl.lit(-(2**63)).cast(pl.Datetime("ns", "Asia/Kolkata")).alias("entry_date")
    yield pl.lit("CN").cast(pl.Categorical).alias("origin")
    yield pl.lit("CN").cast(pl.Enum(["CN", "CA"])).alias("origin")
    yield pl.lit(b"CN").alias("origin")
    yield pl.lit([[[["CN"]]]]).alias("origin")
    yield pl.struct(a=pl.struct(b=pl.lit(1))).alias("nested")
    yield pl.lit("kg\0").alias("unit")
    yield pl.lit(1e300).alias("usmca_share")
    yield pl.lit("yes").alias("donation")


def _bombs() -> Iterator[bytes]:
    """Streams of a few kilobytes that unpack into tens of megabytes and more."""
    yield stream_of(pl.DataFrame({"customs_value": pl.zeros(20_000_000, eager=True)}), "zstd")
    yield stream_of(pl.DataFrame({"customs_value": pl.zeros(2_000_000, pl.Int8, eager=True)}), "zstd")
    yield stream_of(pl.DataFrame({"hts": ["9" * 30_000_000]}), "zstd")
    yield stream_of(pl.DataFrame({"hts": pl.Series(["9" * 40_000] * 100, dtype=pl.String)}), "zstd")
    levels = pl.Series([f"{n:06}" for n in range(60_000)])
    yield stream_of(pl.DataFrame({"origin": levels.cast(pl.Categorical)}), "zstd")
    yield stream_of(pl.DataFrame({"origin": levels.head(1).cast(pl.Enum(levels.head(20_000)))}))
