"""Arrange the steps of a sweep on the adjustment path for the kernels of `PathSweep`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.response.adjustment_profile import AdjustmentProfile, mixed
from tariffs.engine.response.sweep_inputs import SweepVarieties
from tariffs.engine.response.sweep_pack import PackedProducts

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.path_products import PathPack

LEAST_POWER = 1e-3
"""Least size of the power of CES terms: nearer to 0 the price index is the geometric mean to more and more digits."""

STEEPEST_PATH = 600.0
"""Largest exponent of a power on the path: those of a few steps together stay numbers."""


def elasticity_terms_at(columns: F64, profile: AdjustmentProfile, years: Sequence[float]) -> F64:
    """Compute the terms of kinds of products at the ages of steps: see their names beside the kernels.

    Args:
        columns: sigma, eta and inverse supply of kinds by horizon (3 x 3 x kinds).
        profile: weights of the horizons by age.
        years: ages.

    Returns:
        (kinds, steps, terms).
    """
    weights = np.array([profile.at(each) for each in years]).reshape(-1, 3, 3)
    sigma, eta, w = mixed(columns[..., None], weights.transpose(1, 2, 0)[:, :, None])
    damping = 1.0 + sigma * w
    power, lost, surplus = (1.0 - sigma) / damping, sigma / damping, 1.0 - eta
    is_log = surplus == 0.0
    shift = (sigma - eta) / damping
    rows = (
        power, lost, (1.0 + w) * lost, 1.0 / power, 1.0 / (1.0 + eta * w), shift, (1.0 + w) * shift,
        surplus, 1.0 / np.where(is_log, np.inf, surplus), is_log.astype(np.float64),
    )  # fmt: skip
    return np.ascontiguousarray(np.stack(rows, axis=2))


@dataclass(frozen=True)
class GrownShares:
    """Fixed varieties after all steps, and what they are in the sums of weights of products.

    Attributes:
        hats: value and quantity (2 x varieties), without the factors of their products.
        change, total: (steps x products) growth of the sum of weights by a step, and the sum after it.
        moving: (steps x products) marks the products of which a fixed variety moves.
    """

    hats: F64
    change: F64
    total: F64
    moving: Bools


@dataclass(frozen=True)
class FixedPaths:
    """Forms and rates of paths before the first step and after each (paths x 1 + steps).

    Relative changes of 1 + t up to `same` are rounding.
    """

    form: I64
    rate: F64
    same: float

    def compose(self, v: SweepVarieties, lines: I64, share: F64, terms: F64) -> GrownShares:
        """Compose the steps of varieties whose rates no scenario moves, without the factors of their products.

        Args:
            v: varieties and products.
            lines: the varieties.
            share: share of each variety of all in the landed cost of its product before the first step.
            terms: of the kinds, as of `elasticity_terms_at`.
        """
        from tariffs.engine.response.kernels.path_products import LOST, POWER, VALUE_LOST

        steps, products = self.form.shape[1] - 1, v.kind.size
        product, path, weight = v.product[lines], v.rate_class[lines], share[lines].copy()
        kind, logs = v.kind[product], np.zeros((2, lines.size))
        change, total = np.zeros((steps, products)), np.zeros((steps, products))
        moving = np.zeros((steps, products), dtype=bool)
        sum_of_weights = sums_of(product, weight, products)
        for step in range(steps):
            before, after = self.rate[:, step], self.rate[:, step + 1]
            moved = (np.abs(after - before) > self.same * (1.0 + before)) & (
                self.form[:, step] != self.form[:, step + 1]
            )
            chosen = np.flatnonzero(moved[path])
            if chosen.size:
                of_path = np.log1p((after - before) / (1.0 + before))
                power, term = of_path[path[chosen]], terms[kind[chosen], step]
                growth = weight[chosen] * np.expm1(term[:, POWER] * power)
                weight[chosen] *= np.exp(term[:, POWER] * power)
                change[step] = sums_of(product[chosen], growth, products)
                moving[step, product[chosen]] = True
                logs[0, chosen] -= term[:, VALUE_LOST] * power
                logs[1, chosen] -= term[:, LOST] * power
                sum_of_weights = sums_of(product, weight, products)
            total[step] = sum_of_weights
        return GrownShares(np.exp(logs), change, total, moving)


@dataclass(frozen=True)
class _PathEntries:
    """Changes of duty of paths: first of each (one more than paths), step, and the forms before and after."""

    start: I64
    step: I64
    before: I64
    after: I64

    @classmethod
    def of(cls, form: I64) -> _PathEntries:
        """List the changes of form of paths (paths x 1 + steps), by path and step."""
        path, step = np.nonzero(form[:, 1:] != form[:, :-1])
        start = np.searchsorted(path, np.arange(len(form) + 1))
        return cls(start, step, form[path, step], form[path, step + 1])


def pack_steps(
    v: SweepVarieties,
    chosen: Bools,
    fixed: Bools,
    packed: PackedProducts,
    share: F64,
    paths: FixedPaths,
    grown: GrownShares,
    moved: I64,
    landed: F64,
    surplus: F64,
) -> tuple[PathPack, I64, I64]:
    """Arrange the steps of products.

    Args:
        v: varieties and products.
        chosen, fixed: the products, and the varieties whose rates no scenario moves.
        packed: the products for the kernels of sums.
        share: share of each variety in the landed cost of its product before the first step.
        paths: forms of all paths.
        grown: the fixed varieties of these products.
        moved: paths that move, whose places are the rows of the cells.
        landed, surplus: of the products before the first step.

    Returns:
        The steps, the distinct changes as pairs of places (changes x 2) among the forms that are used, and these forms.
    """
    from tariffs.engine.response.kernels.path_products import PathPack

    entries = _PathEntries.of(paths.form[moved])
    used, place = np.unique(
        np.concatenate([entries.before, entries.after, paths.form[moved, -1]]), return_inverse=True
    )
    before, after, final = np.split(place, [entries.step.size, 2 * entries.step.size])
    pairs, row_of_entry = np.unique(before * used.size + after, return_inverse=True)
    # Entries of cells: those of their paths.
    pack, own = packed.pack, packed.pack.cell_row
    lengths = np.diff(entries.start)[own]
    entry_start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    source = np.repeat(entries.start[:-1][own] - entry_start[:-1], lengths) + np.arange(entry_start[-1])
    entry_step = entries.step[source]
    lines = np.flatnonzero(chosen[v.product])
    lines = lines[~fixed[lines]]
    count, parts = int(chosen.sum()), pack.cell.size
    part_product = np.repeat(np.arange(count), np.diff(pack.offsets))
    part_share = sums_of(packed.part, share[lines], parts)
    # Moves: entries of the parts, by product, step and part.
    of_part = lengths[pack.cell]
    move_part = np.repeat(np.arange(parts), of_part)
    ends = np.cumsum(of_part)
    move_entry = np.repeat(entry_start[:-1][pack.cell] - (ends - of_part), of_part) + np.arange(of_part.sum())
    steps = max(1, paths.form.shape[1] - 1)
    stage_of_move = part_product[move_part] * steps + entry_step[move_entry]
    order = np.argsort(stage_of_move, kind="stable")
    step_of_fixed, product_of_fixed = np.nonzero(grown.moving[:, chosen])
    stages = np.unique(np.concatenate([stage_of_move, product_of_fixed * steps + step_of_fixed]))
    stage_product, stage_step = stages // steps, stages % steps
    path_pack = PathPack(
        entry_start,
        entry_step.astype(np.int64),
        row_of_entry[source].astype(np.int64),
        final[own].astype(np.int64),
        np.searchsorted(stage_product, np.arange(count + 1)).astype(np.int64),
        stage_step.astype(np.int64),
        np.ascontiguousarray(grown.change[:, chosen][stage_step, stage_product]),
        np.ascontiguousarray(grown.total[:, chosen][stage_step, stage_product]),
        np.searchsorted(stage_of_move[order], np.append(stages, np.inf)).astype(np.int64),
        part_share[move_part[order]],
        move_entry[order].astype(np.int64),
        part_share,
        landed,
        np.ascontiguousarray(surplus),
    )
    return path_pack, np.column_stack([pairs // used.size, pairs % used.size]), used
