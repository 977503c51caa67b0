"""Boolean masks of the codes, origins and lines within a scope."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial

import numpy as np

from tariffs.engine.base.array_utils import Bools
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.law.law import InForce
from tariffs.engine.law.model import Scope
from tariffs.engine.tables.line_arrays import LineArrays


def product_mask(scope: Scope, lines: LineArrays, in_force: InForce) -> Bools:
    """Mark the codes within the products of a scope; cached with the lines."""
    checkpoint()
    return lines.mask(
        (scope.products, scope.not_products),
        in_force.lists,
        lambda: _within(
            len(lines.codes), scope.products, scope.not_products, partial(_any_code, lines, in_force)
        ),
    )


def origin_mask(scope: Scope, lines: LineArrays, in_force: InForce) -> Bools:
    """Mark the origins within a scope; cached with the lines."""
    return lines.mask(
        (scope.origins, scope.not_origins),
        in_force.groups,
        lambda: _within(
            len(lines.origins), scope.origins, scope.not_origins, partial(_any_origin, lines, in_force)
        ),
    )


def _within(
    count: int,
    wanted: Sequence[frozenset[str]],
    without: frozenset[str],
    any_of: Callable[[frozenset[str]], Bools],
) -> Bools:
    """Mark what is in one of each of the wanted names, and in none of those of `without`."""
    mask = np.ones(count, dtype=bool)
    for names in wanted:
        mask &= any_of(names)
    return mask & ~any_of(without) if without else mask


def scope_mask(scope: Scope, lines: LineArrays, in_force: InForce) -> Bools:
    """Mark the lines with a piece within a scope."""
    pieces = product_mask(scope, lines, in_force)[lines.piece_code]
    reached = np.zeros(lines.count, dtype=bool)
    reached[lines.piece_line[pieces]] = True
    return reached & origin_mask(scope, lines, in_force)[lines.origin]


def names_key(in_force: InForce) -> Hashable:
    """Value that is equal where lists and groups have the same members; lists are compared by identity."""
    return tuple(map(id, in_force.lists.values())), tuple(in_force.groups.items())


def _any_code(lines: LineArrays, in_force: InForce, names: frozenset[str]) -> Bools:
    mask = np.zeros(len(lines.codes), dtype=bool)
    for name in names:
        listed = in_force.lists.get(name)
        mask |= lines.one_code_mask(name) if listed is None else lines.code_mask(listed)
    return mask


def _any_origin(lines: LineArrays, in_force: InForce, names: frozenset[str]) -> Bools:
    place = lines.origin_places
    mask = np.zeros(len(lines.origins), dtype=bool)
    mask[[place[origin] for origin in in_force.members(names) if origin in place]] = True
    return mask
