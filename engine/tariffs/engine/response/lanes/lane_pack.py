"""Arrange trade and the paths of its rates for the lane kernel: many laws with one set of elasticities a kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, factorize, sums_of
from tariffs.engine.response.lanes.lane_fixed import FixedState, LaneStart
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import (
    BUNDLE_CHUNKS,
    LaneLayout,
    LaneSection,
    cut_sections,
    lane_pack,
)
from tariffs.engine.response.lanes.sweep_inputs import SweepVarieties

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lane_terms import LanePack

_CHUNK_VARIETIES = 1_024


@dataclass(frozen=True, slots=True)
class PackedLanes:
    """Some products for the kernel.

    Attributes:
        pack, sections: the products.
        steps: number of days on which some lane may move a rate.
        forms: forms on these days, ascending.
        before, after: per row of changes of ln(1 + t), place of the forms before and after among `forms`.
        base: per row of rates, rate before the first of the days.
        final: per row of rates, place of the form after the last.
    """

    pack: LanePack
    sections: Sequence[LaneSection]
    steps: int
    forms: I64
    before: I64
    after: I64
    base: F64
    final: I64


def pack_lanes(
    v: SweepVarieties,
    chosen: Bools,
    kappa: F64,
    paths: RatePaths,
    first: int,
    start: LaneStart,
    fixed: FixedState,
) -> PackedLanes:
    """Arrange the chosen products from a day on.

    Args:
        v: varieties and products; the rate class of a variety is its path.
        chosen: marks the products.
        kappa: substitution between imports and domestic goods of each kind; NaN is the eta of the step.
        paths: the paths.
        first: the day.
        start: state before it.
        fixed: varieties that no lane moves, after the last day.
    """
    place, count, steps = np.cumsum(chosen) - 1, int(chosen.sum()), paths.days - first
    lines = np.flatnonzero(chosen[v.product])
    product, kind = place[v.product[lines]], v.kind[chosen]
    layout = LaneLayout.of(np.searchsorted(product, np.arange(count + 1)), _CHUNK_VARIETIES)
    chunk_of, chunks = layout.chunk_of, np.arange(layout.chunk_products.size)
    before, revenue = (sums_of(product, each[lines], count) for each in (v.v0, v.v0 * v.base))
    is_fixed = fixed.varieties[lines]
    rows, own = _fixed_rows(v, lines[is_fixed], product[is_fixed], layout, fixed, start)
    lines, product = lines[~is_fixed], product[~is_fixed]
    used, path = factorize(v.rate_class[lines])
    keys, part = factorize(product * max(1, used.size) + path)
    part_product, part_path = keys // max(1, used.size), keys % max(1, used.size)
    changes, last = paths.changes(used, first, paths.days), paths.form[used, -1]
    forms, number = factorize(np.concatenate([changes.before, changes.after, paths.form[used, first], last]))
    form_before, form_after, opening, last = np.split(
        number, np.cumsum([changes.step.size] * 2 + [used.size])
    )
    pairs, row = factorize(form_before * forms.size + form_after)
    ends, final = factorize(opening * forms.size + last)
    move_part, source = changes.of(part_path)
    step = changes.step[source]
    # Changes: those of one step and row of a kind in a chunk are computed once.
    kinds = int(kind.max(initial=0)) + 1
    of_kind = chunk_of[part_product] * kinds + kind[part_product]
    change, move_change = factorize((of_kind[move_part] * steps + step) * max(1, pairs.size) + row[source])
    change_row, change = change % max(1, pairs.size), change // max(1, pairs.size)
    change_chunk, change_term = np.divmod(change, kinds * steps)

    # Stages: steps that touch a product, by chunk and step.
    def stage_of(products: I64, of_step: I64) -> I64:
        return (chunk_of[products] * steps + of_step) * (count + 1) + products

    key = stage_of(part_product[move_part], step)
    order = np.argsort(key, kind="stable")
    fixed_step, fixed_product = np.nonzero(fixed.change[:, chosen])
    stages = np.union1d(key, stage_of(fixed_product, fixed_step))
    stage_product, rest = stages % (count + 1), stages // (count + 1)
    stage_step = rest % steps
    at = (stage_step, np.flatnonzero(chosen)[stage_product])
    part_hat, final_row = np.arange(keys.size), final[part_path]
    if steps == 1:
        # A part has the hats of its only change.
        part_hat, final_row = np.zeros(keys.size, dtype=np.int64), np.zeros(change.size, dtype=np.int64)
        part_hat[move_part], final_row[move_change] = move_change, final[part_path[move_part]]
    v0, kept, base = v.v0[lines], v.kept[lines], v.base[lines]
    value, quantity = v0 * start.hats[:, lines]
    by_group = np.lexsort((v.group[lines], chunk_of[product]))
    moved = value * kept, value * kept, v.charges[lines] * start.hats[1, lines] * kept, v0, quantity * kept
    pack, sections = cut_sections(
        lane_pack(
            {
                "chunk_products": layout.chunk_products,
                "chunk_changes": np.searchsorted(change_chunk, chunks),
                "chunk_stages": np.searchsorted(rest // steps, chunks),
                "bundle_chunks": layout.bundle_chunks,
                "owner": v.product_group[chosen],
                "landed": start.landed[chosen],
                "surplus": start.surplus[chosen],
                "before": before,
                "revenue": revenue,
                "domestic": v.domestic[chosen],
                "kappa": kappa[kind],
                "sums": own,
                "change_term": change_term,
                "change_row": change_row,
                "part_start": np.searchsorted(part_product, np.arange(count + 1)),
                "part_hat": part_hat,
                "final_row": final_row,
                "share": sums_of(part, start.share[lines], keys.size),
                "value": sums_of(part, value, keys.size),
                "dutiable": sums_of(part, value * kept, keys.size),
                "quantity": sums_of(part, quantity, keys.size),
                "stage_product": stage_product,
                "stage_kind": kind[stage_product],
                "stage_step": stage_step,
                "stage_term": kind[stage_product] * steps + stage_step,
                "stage_change": fixed.change[at],
                "stage_total": fixed.total[at],
                "move_start": np.searchsorted(key[order], np.append(stages, np.inf)),
                "move_part": move_part[order],
                "move_change": move_change[order],
                "moved_start": np.searchsorted(chunk_of[product], chunks),
                "moved_product": product[by_group],
                "moved_group": v.group[lines[by_group]],
                "moved_part": part[by_group],
                "moved_weight": np.column_stack([*moved, quantity * kept * base])[by_group],
                "moved_values": _values_of(v, lines[by_group]),
                "fixed_start": rows.start,
                "fixed_product": rows.product,
                "fixed_group": rows.group,
                "fixed_weight": rows.weight,
                "fixed_values": rows.values,
            }
        )
    )
    size = max(1, forms.size)
    divided = pairs // size, pairs % size, paths.known[forms[ends // size]], ends % size
    return PackedLanes(pack, sections, steps, forms, *divided)


def _values_of(v: SweepVarieties, lines: I64) -> I64:
    """Value group of varieties; empty without such sums."""
    return v.value_group[lines] if v.value_group.size else v.value_group


@dataclass(frozen=True, slots=True)
class _FixedRows:
    """Fixed varieties by bundle, group and product, merged where they have these in common, as of `LanePack`."""

    start: I64
    product: I64
    group: I64
    weight: F64
    values: I64


def _fixed_rows(
    v: SweepVarieties, lines: I64, product: I64, layout: LaneLayout, fixed: FixedState, start: LaneStart
) -> tuple[_FixedRows, F64]:
    """Merge fixed varieties; return also the quantity of the products at index 1, and the duty on what counts."""
    value, quantity = fixed.hats[:, lines] * start.hats[:, lines]
    v0, rate, kept = v.v0[lines], fixed.rate[lines], v.kept[lines]
    weight = v0 * kept
    own = v0 * quantity, weight * value * rate
    sums = np.column_stack([sums_of(product, each, layout.chunk_of.size) for each in own])
    columns = (
        weight * value,
        weight * value * rate,
        v.charges[lines] * kept * quantity,
        v0,
        weight * quantity,
        weight * quantity * v.base[lines],
    )
    bundle = layout.chunk_of[product] // BUNDLE_CHUNKS
    order = np.lexsort((v.group[lines], bundle))
    bundle, product, group, values = (
        each[order] if each.size else each for each in (bundle, product, v.group[lines], _values_of(v, lines))
    )
    new = np.ones(lines.size, dtype=bool)
    new[1:] = (np.diff(bundle) != 0) | (np.diff(group) != 0) | (np.diff(product) != 0)
    if values.size:
        new[1:] |= np.diff(values) != 0
    number, first = np.cumsum(new) - 1, np.flatnonzero(new)
    merged = np.column_stack([sums_of(number, column[order], first.size) for column in columns])
    bundles = np.searchsorted(bundle[first], np.arange(layout.bundle_chunks.size))
    return _FixedRows(
        bundles, product[first], group[first], merged, values[first] if values.size else values
    ), sums
