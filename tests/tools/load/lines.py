"""A million result lines on their way to a reader, as Arrow and as one message a line."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import grpc
import polars as pl
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tariffs.service.wire.arrow import batches
from tariffs.v1 import simulation_service_pb2 as pb

SERVICE = "load.Lines"
ROWS = 1_000_000
ROWS_A_MESSAGE = 8_192
_FIELD = descriptor_pb2.FieldDescriptorProto


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of lines by their kind."""

    name: str
    texts: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


WHOLE = Shape(
    "Whole",
    texts=("hts", "origin"),
    numbers=(
        "customs_value", "duty", "duty_owed", "landed", "value_after", "duty_after", "landed_after",
        "landed_change", "value_change", "creation", "diversion", "effective_rate", "effective_rate_after",
        "quantity_hat",
    ),
)  # fmt: skip
"""The columns of an impact's `lines`."""
NARROW = Shape(
    "Narrow", integers=("row", "product"), numbers=("customs_value", "duty", "landed", "value_after")
)
"""Six columns of numbers, 40 bytes a line: what the promise was made on."""


@cache
def frame(shape: Shape) -> pl.DataFrame:
    """The lines."""
    numbers = pl.int_range(ROWS, eager=True)
    value = (numbers % 99_991 + 1).cast(pl.Float64)
    origins = pl.Series(["CN", "MX", "CA", "DE", "JP", "VN", "KR", "IN"] * (ROWS // 8))
    texts = {"hts": (numbers % 18_626 + 1_000_000_000).cast(pl.String), "origin": origins}
    return pl.DataFrame(
        {
            **{name: texts[name] for name in shape.texts},
            **{name: (numbers % 18_626).cast(pl.UInt32) for name in shape.integers},
            **{name: value * place / 40 for place, name in enumerate(shape.numbers)},
        }
    )


@cache
def rows_message() -> Any:
    """A message of narrow lines, one message each, as a contract without Arrow would have it."""
    row = descriptor_pb2.DescriptorProto(name="Row")
    for number, name in enumerate(frame(NARROW).columns, start=1):
        kind = _FIELD.TYPE_UINT32 if name in NARROW.integers else _FIELD.TYPE_DOUBLE
        row.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL)
    rows = descriptor_pb2.DescriptorProto(name="Rows")
    rows.field.add(
        name="rows", number=1, type=_FIELD.TYPE_MESSAGE, label=_FIELD.LABEL_REPEATED, type_name=".load.Row"
    )
    file = descriptor_pb2.FileDescriptorProto(name="load.proto", package="load", syntax="proto3")
    file.message_type.extend([row, rows])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("load.Rows"))


async def _arrow(shape: Shape, request: bytes, context: Any) -> AsyncIterator[bytes]:
    for data in batches(frame(shape)):
        message = pb.SimulateResponse()
        message.lines.arrow = data
        yield message.SerializeToString()


async def _messages(request: bytes, context: Any) -> AsyncIterator[bytes]:
    for part in frame(NARROW).iter_slices(ROWS_A_MESSAGE):
        message = rows_message()()
        for row in part.iter_rows(named=True):
            message.rows.add(**row)
        yield message.SerializeToString()


STREAMS: Mapping[str, Callable[[bytes, Any], AsyncIterator[bytes]]] = {
    **{f"{shape.name}Arrow": partial(_arrow, shape) for shape in (WHOLE, NARROW)},
    "Messages": _messages,
}


def _read_arrow(stream: Iterator[bytes]) -> int:
    frames = [
        pl.read_ipc_stream(io.BytesIO(pb.SimulateResponse.FromString(data).lines.arrow)) for data in stream
    ]
    return pl.concat(frames).height


def _read_messages(stream: Iterator[bytes]) -> int:
    columns: dict[str, list[Any]] = {name: [] for name in frame(NARROW).columns}
    for data in stream:
        for row in rows_message().FromString(data).rows:
            for name, values in columns.items():
                values.append(getattr(row, name))
    return pl.DataFrame(columns).height


def arrow_seconds(port: int, shape: Shape) -> float:
    """Measure the seconds to read a table of all lines as Arrow."""
    return _seconds(port, f"{shape.name}Arrow", _read_arrow)


def messages_seconds(port: int) -> float:
    """Measure the seconds to read the table of narrow lines from messages."""
    return _seconds(port, "Messages", _read_messages)


def _seconds(port: int, method: str, read: Callable[[Iterator[bytes]], int]) -> float:
    options = [("grpc.max_receive_message_length", 16 << 20)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        begun = time.perf_counter()
        stream: Any = channel.unary_stream(f"/{SERVICE}/{method}", bytes, bytes)(b"", timeout=120)
        if read(stream) != ROWS:
            raise AssertionError("lines were lost")
        return time.perf_counter() - begun
