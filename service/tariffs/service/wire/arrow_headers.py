"""Read the declared size of an Arrow IPC stream from its headers, before decoding.

A small message can unpack into gigabytes, and a malformed one can make a decoder allocate what it declares. The headers
are FlatBuffers (Arrow columnar format, section "IPC streaming format"); only the few fields that bound memory are
read, with every offset checked.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

_CONTINUATION = 0xFFFFFFFF
_SCHEMA, _DICTIONARY_BATCH, _RECORD_BATCH = 1, 2, 3
_NOT_COMPRESSED = -1
_COLUMNS_READ = 4_096


class MalformedError(ValueError):
    """The bytes do not follow the format."""


@dataclass(frozen=True, slots=True)
class StreamSize:
    """Sizes declared in the headers.

    Attributes:
        unpacked_bytes: memory for buffers after decompression.
        nested: name of the first nested column (list or struct), into which a decoder would recurse; None without one.
    """

    rows: int = 0
    columns: int = 0
    unpacked_bytes: int = 0
    nested: str | None = None


def inspect_stream(data: bytes) -> StreamSize:
    """Return the size of all batches in the stream.

    Raises:
        MalformedError: an offset, length or kind violates the format.
    """
    size, position, has_schema = StreamSize(), 0, False
    while position < len(data):
        start, length = _prefix(data, position)
        if not length:
            break
        table = _Table.root(data[start : start + length])
        kind, header = table.number(1, "<B"), table.child(2)
        body_length = table.number(3, "<q")
        body = start + length
        if body_length < 0 or body + body_length > len(data):
            raise MalformedError("a body is longer than the stream")
        if kind == _SCHEMA:
            has_schema = True
            size = replace(size, columns=header.vector(1)[1], nested=_first_nested(header))
        elif kind in {_RECORD_BATCH, _DICTIONARY_BATCH}:
            batch = header if kind == _RECORD_BATCH else header.child(1)
            size = _with_batch(size, batch, data[body : body + body_length])
        else:
            raise MalformedError(f"message kind {kind} is not allowed")
        position = body + body_length
    if not has_schema:
        raise MalformedError("there is no schema")
    return size


def _prefix(data: bytes, position: int) -> tuple[int, int]:
    (first,) = _unpack("<I", data, position)
    if first != _CONTINUATION:
        raise MalformedError("a message does not start with the continuation marker")
    (length,) = _unpack("<i", data, position + 4)
    start = position + 8
    if length < 0 or start + length > len(data):
        raise MalformedError("a header is longer than the stream")
    return start, length


def _first_nested(schema: _Table) -> str | None:
    start, count = schema.vector(1)
    for index in range(min(count, _COLUMNS_READ)):
        column = _Table(schema.data, start).at(index)
        if column.vector(5)[1]:
            return column.text(0)
    return None


def _with_batch(size: StreamSize, batch: _Table, body: bytes) -> StreamSize:
    rows = batch.number(0, "<q")
    if rows < 0:
        raise MalformedError("a batch has a negative length")
    compressed = batch.has(3)
    start, count = batch.vector(2)
    unpacked = 0
    for index in range(count):
        offset, length = _unpack("<qq", batch.data, start + 16 * index)
        if offset < 0 or length < 0 or offset + length > len(body):
            raise MalformedError("a buffer lies outside its body")
        if compressed and length:
            (buffer_size,) = _unpack("<q", body, offset)
            if buffer_size < _NOT_COMPRESSED:
                raise MalformedError("a buffer has a negative size")
            length = length if buffer_size == _NOT_COMPRESSED else buffer_size
        unpacked += length
    return replace(size, rows=size.rows + rows, unpacked_bytes=size.unpacked_bytes + unpacked)


def _unpack(form: str, data: bytes, position: int) -> tuple[int, ...]:
    if position < 0 or position + struct.calcsize(form) > len(data):
        raise MalformedError("an offset points outside")
    return struct.unpack_from(form, data, position)


@dataclass(frozen=True, slots=True)
class _Table:
    """A FlatBuffers table: fields are located through a table of offsets; absent fields have defaults."""

    data: bytes
    position: int

    @classmethod
    def root(cls, data: bytes) -> _Table:
        return cls(data, _unpack("<I", data, 0)[0])

    def number(self, field: int, form: str) -> int:
        position = self._field(field)
        return _unpack(form, self.data, position)[0] if position else 0

    def has(self, field: int) -> bool:
        return self._field(field) != 0

    def child(self, field: int) -> _Table:
        position = self._field(field)
        if not position:
            raise MalformedError("a header is missing")
        return _Table(self.data, position + _unpack("<I", self.data, position)[0])

    def vector(self, field: int) -> tuple[int, int]:
        """Return the start of a vector's items and their count."""
        position = self._field(field)
        if not position:
            return 0, 0
        start = position + _unpack("<I", self.data, position)[0]
        return start + 4, _unpack("<I", self.data, start)[0]

    def at(self, index: int) -> _Table:
        """Return the table that an item of a vector of tables points to; the vector's items start here."""
        position = self.position + 4 * index
        return _Table(self.data, position + _unpack("<I", self.data, position)[0])

    def text(self, field: int) -> str:
        """Read a text; invalid bytes are replaced."""
        start, length = self.vector(field)
        return self.data[start : start + length].decode(errors="replace")

    def _field(self, field: int) -> int:
        offsets = self.position - _unpack("<i", self.data, self.position)[0]
        (size,) = _unpack("<H", self.data, offsets)
        entry = 4 + 2 * field
        if entry + 2 > size:
            return 0
        (offset,) = _unpack("<H", self.data, offsets + entry)
        return self.position + offset if offset else 0
