"""Keep how the embedded law moves the rates of the embedded table: every adjustment path begins with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, factorize
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
_MADE_OF = ("schedule/data/*", *(f"{room}/*.py" for room in _ROOMS))


def kept_moves(
    facts: Sequence[str], goods: Sequence[NDArray[Any]], make: Callable[[], list[RateMoves]]
) -> list[RateMoves]:
    """Return moves from their snapshot, made and kept there if there is none.

    Args:
        facts: what they depend on besides the code of the engine and its schedule.
        goods: arrays of the varieties that move, by which no other table gets them.
        make: makes them.
    """
    digest = hashlib.sha256(json.dumps([files_digest(*_MADE_OF), np.__version__, *facts]).encode())
    for column in goods:
        digest.update(np.ascontiguousarray(column).data)
    key = digest.hexdigest()
    data = read_snapshot(_NAME, key)
    if data is None:
        moves = make()
        write_snapshot(_NAME, key, pack({}, _packed(moves)))
        return moves
    _, kept = unpack(data)
    rates, end = kept["rates"], np.cumsum(kept["counts"])
    ranges = (slice(last - count, last) for last, count in zip(end, kept["counts"], strict=True))
    found = ((kept["variety"][each], rates[:, kept["pair"][each]]) for each in ranges)
    return [RateMoves.of(variety.copy(), *np.ascontiguousarray(pairs)) for variety, pairs in found]


def _packed(moves: Sequence[RateMoves]) -> dict[str, NDArray[Any]]:
    """Arrays of moves; few pairs of rates are distinct."""
    before, after = (_joined([getattr(one, name) for one in moves]) for name in ("before", "after"))
    befores, of_before = factorize(before.view(np.int64))
    afters, of_after = factorize(after.view(np.int64))
    pairs, pair = factorize(of_before * len(afters) + of_after)
    rates = np.stack([befores[pairs // len(afters)], afters[pairs % len(afters)]]).view(np.float64)
    kind = np.uint16 if len(pairs) <= np.iinfo(np.uint16).max else np.int32
    return {
        "counts": np.array([one.count for one in moves], dtype=np.int64),
        "variety": np.concatenate([np.zeros(0, np.int32), *(one.variety for one in moves)]),
        "pair": pair.astype(kind),
        "rates": rates,
    }


def _joined(columns: Sequence[F64]) -> F64:
    return np.concatenate([np.zeros(0), *columns])
