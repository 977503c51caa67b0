"""Boolean masks of the codes, origins and lines within a scope."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from tariffs.engine.base.array_utils import Bools
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.law.law import InForce
from tariffs.engine.law.model import Scope
from tariffs.engine.tables.line_arrays import LineArrays


def product_mask(scope: Scope, lines: LineArrays, in_force: InForce) -> Bools:
    """Mark the codes within the products of a scope."""
    checkpoint()
    mask = np.ones(len(lines.codes), dtype=bool)
    for names in scope.products:
        mask &= _any_code(names, lines, in_force)
    return mask & ~_any_code(scope.not_products, lines, in_force) if scope.not_products else mask


def origin_mask(scope: Scope, lines: LineArrays, in_force: InForce) -> Bools:
    """Mark the origins within a scope."""
    mask = np.ones(len(lines.origins), dtype=bool)
    for names in scope.origins:
        mask &= _any_origin(names, lines, in_force)
    return mask & ~_any_origin(scope.not_origins, lines, in_force) if scope.not_origins else mask


def scope_mask(scope: Scope, lines: LineArrays, in_force: InForce) -> Bools:
    """Mark the lines with a piece within a scope."""
    pieces = product_mask(scope, lines, in_force)[lines.piece_code]
    reached = np.zeros(lines.count, dtype=bool)
    reached[lines.piece_line[pieces]] = True
    return reached & origin_mask(scope, lines, in_force)[lines.origin]


def names_key(in_force: InForce) -> Hashable:
    """Value that is equal where lists and groups have the same members; lists are compared by identity."""
    return tuple(map(id, in_force.lists.values())), tuple(in_force.groups.items())


def _any_code(names: frozenset[str], lines: LineArrays, in_force: InForce) -> Bools:
    mask = np.zeros(len(lines.codes), dtype=bool)
    for name in names:
        listed = in_force.lists.get(name)
        mask |= lines.one_code_mask(name) if listed is None else lines.code_mask(listed)
    return mask


def _any_origin(names: frozenset[str], lines: LineArrays, in_force: InForce) -> Bools:
    place = lines.origin_places
    mask = np.zeros(len(lines.origins), dtype=bool)
    mask[[place[origin] for origin in in_force.members(names) if origin in place]] = True
    return mask
