"""Write named arrays beside plain data as bytes, and read them again with the same bits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNED = 64
Arrays = Mapping[str, NDArray[Any]]


def pack(document: Mapping[str, Any], arrays: Arrays) -> list[bytes | memoryview]:
    """Make the parts of a file: plain data and arrays of numbers; one of equal numbers takes no room.

    Raises:
        ValueError: an array holds objects, which are not plain data.
    """
    heads, parts, place = list[Any](), list[bytes | memoryview](), 0
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"{name} holds objects")
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(array.size, array.itemsize)
        constant = len(data) > 1 and bool((data == data[0]).all())
        stored = data[:1] if constant else data
        heads.append([name, array.dtype.str, array.shape, array.flags.writeable, constant, place])
        parts.append(stored.reshape(-1).data)
        parts.append(bytes(-stored.nbytes % _ALIGNED))
        place += stored.nbytes + len(parts[-1])
    head = json.dumps({"document": document, "arrays": heads}).encode()
    head += b" " * (-(8 + len(head)) % _ALIGNED)
    return [len(head).to_bytes(8, "big"), head, *parts]


def unpack(data: memoryview) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read the document and the arrays of `pack`, which lie in the memory of `data`."""
    start = 8 + int.from_bytes(data[:8], "big")
    head = json.loads(bytes(data[8:start]))
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, shape, writeable, constant, place in head["arrays"]:
        dtype, count = np.dtype(kind), int(np.prod(shape, dtype=np.int64))
        values = np.frombuffer(data, dtype, 1 if constant else count, start + place)
        if constant:
            # Zeros take no memory until they are written.
            array = np.full(shape, values[0]) if values.view(np.uint8).any() else np.zeros(shape, dtype)
        else:
            array = values.reshape(shape)
        array.flags.writeable = writeable
        arrays[name] = array
    return head["document"], arrays
