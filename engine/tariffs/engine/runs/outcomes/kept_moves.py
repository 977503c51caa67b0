"""Keep how the embedded law moves the rates of the embedded table: every adjustment path begins with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.packed_arrays import pack, unpack
from tariffs.engine.base.snapshot import files_digest, read_snapshot, write_snapshot
from tariffs.engine.response.lanes.adjustment import RateMoves

_NAME = "moves"
_ROOMS = (
    "base",
    "schedule",
    "law",
    "tables",
    "rating",
    "table_duty",
    "response",
    "response/*",
    "runs/outcomes",
)
_COLUMNS = "variety", "number", "changes"
_MADE_OF = ("schedule/data/*", *(f"{room}/*.py" for room in _ROOMS))


def kept_moves(
    facts: Sequence[str], goods: Sequence[NDArray[Any]], make: Callable[[], list[RateMoves]]
) -> list[RateMoves]:
    """Return moves from their snapshot, made and kept there if there is none.

    They depend on facts besides the code of the engine and its schedule, and on arrays of the goods that move.
    """
    digest = hashlib.sha256(json.dumps([files_digest(*_MADE_OF), np.__version__, *facts]).encode())
    for column in goods:
        digest.update(np.ascontiguousarray(column).data)
    key = digest.hexdigest()
    data = read_snapshot(_NAME, key)
    if data is None:
        moves = make()
        if moves:
            write_snapshot(_NAME, key, pack({}, _packed(moves)))
        return moves
    _, kept = unpack(data)
    ends = np.cumsum(kept["sizes"], axis=1)[:, :-1]
    columns = (np.split(kept[name], end, axis=-1) for name, end in zip(_COLUMNS, ends, strict=True))
    return [RateMoves.numbered(*each) for each in zip(*columns, strict=True)]


def _packed(moves: Sequence[RateMoves]) -> dict[str, NDArray[Any]]:
    """Arrays of moves, joined, and their sizes."""
    arrays = {name: [getattr(one, name) for one in moves] for name in _COLUMNS}
    sizes = [[each.shape[-1] for each in column] for column in arrays.values()]
    joined = {name: np.concatenate(column, axis=-1) for name, column in arrays.items()}
    return {"sizes": np.array(sizes, dtype=np.int64), **joined}
