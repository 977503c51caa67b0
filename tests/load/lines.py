"""A million result lines on their way to a reader, as Arrow and as one message a line."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import cache
from typing import Any

import grpc
import polars as pl
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tariffs.service.arrow import batches
from tariffs.v1 import simulation_service_pb2 as pb

SERVICE = "load.Lines"
ROWS = 1_000_000
ROWS_A_MESSAGE = 8_192
TEXTS = ("hts", "origin")
NUMBERS = (
    "customs_value", "duty", "duty_owed", "landed", "value_after", "duty_after", "landed_after", "landed_change",
    "value_change", "creation", "diversion", "effective_rate", "effective_rate_after", "quantity_hat",
)  # fmt: skip


@cache
def frame() -> pl.DataFrame:
    """The lines, with the columns of an impact's `lines`."""
    numbers = pl.int_range(ROWS, eager=True)
    value = (numbers % 99_991 + 1).cast(pl.Float64)
    origins = pl.Series(["CN", "MX", "CA", "DE", "JP", "VN", "KR", "IN"] * (ROWS // 8))
    words = {"hts": (numbers % 18_626 + 1_000_000_000).cast(pl.String), "origin": origins}
    return pl.DataFrame({**words, **{name: value * place / 40 for place, name in enumerate(NUMBERS)}})


@cache
def rows_message() -> Any:
    """A message of lines, one message each, as a contract without Arrow would have it."""
    field = descriptor_pb2.FieldDescriptorProto
    row = descriptor_pb2.DescriptorProto(name="Row")
    for number, name in enumerate((*TEXTS, *NUMBERS), start=1):
        kind = field.TYPE_STRING if name in TEXTS else field.TYPE_DOUBLE
        row.field.add(name=name, number=number, type=kind, label=field.LABEL_OPTIONAL)
    rows = descriptor_pb2.DescriptorProto(name="Rows")
    rows.field.add(
        name="rows", number=1, type=field.TYPE_MESSAGE, label=field.LABEL_REPEATED, type_name=".load.Row"
    )
    file = descriptor_pb2.FileDescriptorProto(name="load.proto", package="load", syntax="proto3")
    file.message_type.extend([row, rows])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("load.Rows"))


async def _arrow(request: bytes, context: Any) -> AsyncIterator[bytes]:
    for data in batches(frame()):
        message = pb.SimulateResponse()
        message.lines.arrow = data
        yield message.SerializeToString()


async def _messages(request: bytes, context: Any) -> AsyncIterator[bytes]:
    for part in frame().iter_slices(ROWS_A_MESSAGE):
        message = rows_message()()
        for row in part.iter_rows(named=True):
            message.rows.add(**row)
        yield message.SerializeToString()


STREAMS: Mapping[str, Callable[[bytes, Any], AsyncIterator[bytes]]] = {"Arrow": _arrow, "Messages": _messages}


def read_arrow(stream: Iterator[bytes]) -> int:
    """Rows read into a table."""
    frames = [
        pl.read_ipc_stream(io.BytesIO(pb.SimulateResponse.FromString(data).lines.arrow)) for data in stream
    ]
    return pl.concat(frames).height


def read_messages(stream: Iterator[bytes]) -> int:
    """Rows read into a table."""
    columns: dict[str, list[Any]] = {name: [] for name in (*TEXTS, *NUMBERS)}
    for data in stream:
        for row in rows_message().FromString(data).rows:
            for name, values in columns.items():
                values.append(getattr(row, name))
    return pl.DataFrame(columns).height


def seconds(port: int, method: str, read: Callable[[Iterator[bytes]], int]) -> float:
    """How long a reader takes for all lines."""
    options = [("grpc.max_receive_message_length", 16 << 20)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        begun = time.perf_counter()
        stream: Any = channel.unary_stream(f"/{SERVICE}/{method}", bytes, bytes)(b"", timeout=120)
        if read(stream) != ROWS:
            raise AssertionError("lines were lost")
        return time.perf_counter() - begun
