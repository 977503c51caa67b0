"""Join the draws of disjoint parts of a table: sums of each draw are added in the order of the parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, sum_of
from tariffs.engine.runs.grouping import rows_of
from tariffs.engine.runs.joined_frames import numbered
from tariffs.engine.runs.ranges import DrawnPoint, DrawnPointSums, MovedTotal


def joined_draws(parts: Sequence[DrawnPoint]) -> DrawnPoint:
    """Join the draws of one point of the parts of a table.

    Draws of a product are the same in every table, since their keys contain its code and no place.
    """
    present = [part.keys.filter(pl.Series(part.present)) for part in parts]
    keys, _ = numbered(pl.concat(present), present[0].columns)
    authorities = tuple(sorted({name for part in parts for name in part.sums.authorities}))
    draws, count, names = len(parts[0].sums.total), keys.height if keys.width else 1, parts[0].sums.names
    groups, total = np.zeros((draws, count, len(names))), np.zeros((draws, 1, len(names)))
    base_duty = np.zeros(count)
    duty_after = np.zeros((draws, count, len(authorities)))
    for part in parts:
        kept = np.flatnonzero(part.present)
        place = rows_of(part.keys[kept] if part.keys.width else pl.DataFrame({"": [0]}), keys)
        groups[:, place] += part.sums.groups[:, kept]
        total += part.sums.total
        base_duty[place] += 0.0 if part.base_duty is None else part.base_duty[kept]
        for column, name in enumerate(part.sums.authorities):
            duty_after[:, place, authorities.index(name)] += part.sums.duty_after[:, kept, column]
    return DrawnPoint(
        DrawnPointSums(groups, total, duty_after, authorities, names),
        _joined_moves(parts),
        sum_of([(1.0, part.central) for part in parts]),
        keys,
        np.ones(count, dtype=bool),
        parts[0].by_authority,
        None if parts[0].base_duty is None else base_duty,
    )


def _joined_moves(parts: Sequence[DrawnPoint]) -> tuple[MovedTotal, ...]:
    """Add the totals with a parameter moved; a part without products that have it stays at its centre."""
    moves = {move.name: move for part in parts for move in part.moved}
    order = sorted(moves, key=lambda name: max(_place(part, name) for part in parts))

    def ends(part: DrawnPoint, name: str) -> F64:
        own = next((move.ends for move in part.moved if move.name == name), None)
        return np.stack([part.central, part.central]) if own is None else own

    return tuple(
        MovedTotal(name, sum_of([(1.0, ends(part, name)) for part in parts]), moves[name].uniforms)
        for name in order
    )


def _place(part: DrawnPoint, name: str) -> int:
    return next((place for place, move in enumerate(part.moved) if move.name == name), -1)
