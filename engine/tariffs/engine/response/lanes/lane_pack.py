"""Arrange trade and the paths of its rates for the lane kernel: many laws with one set of elasticities a kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, factorize, sums_of
from tariffs.engine.response.lanes.lane_fixed import FixedRows, FixedState, LaneStart, StillProducts
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import (
    BUNDLE_CHUNKS,
    LaneLayout,
    LaneSection,
    cut_sections,
    lane_pack,
)
from tariffs.engine.response.lanes.lane_table import CHUNK_VARIETIES, SweptTrade

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lane_terms import LanePack

_OF_MERGED = 16
# Varieties that a merged product counts as, so that chunks are of some size.


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
    swept: SweptTrade,
    paths: RatePaths,
    first: int,
    start: LaneStart,
    fixed: FixedState,
    still: StillProducts | None,
) -> PackedLanes:
    """Arrange trade from a day on.

    Args:
        first: the day.
        start: state before it.
        fixed: varieties that no lane moves, after the last day.
        still: merged products that only their nest moves, which come last.
    """
    table, kind, steps = swept.table, swept.kind, paths.days - first
    count, of_products = table.trade.products, dict(table.of_products)
    of_products |= {"landed": start.landed, "surplus": start.surplus}
    rows = FixedRows.of(swept, fixed.varieties, fixed.hats * start.hats, fixed.rate)
    ends = table.trade.offsets
    if still is not None:
        rows, more = rows + still.rows, still.owner.size
        nothing = np.zeros(more)
        merged = {"owner": still.owner, "before": still.rows.sums[:, 0], "revenue": still.revenue}
        merged |= dict.fromkeys(("landed", "surplus", "domestic", "kappa"), nothing)
        of_products |= {name: np.append(of_products[name], values) for name, values in merged.items()}
        ends = np.append(ends, ends[-1] + _OF_MERGED * np.arange(1, more + 1))
    layout = LaneLayout.of(ends, CHUNK_VARIETIES)
    chunk_of, chunks = layout.chunk_of, np.arange(layout.chunk_products.size)
    rows, bundle = rows.merged(chunk_of // BUNDLE_CHUNKS)
    lines = np.flatnonzero(~fixed.varieties)
    # Rows of a group stand together, so that its sums stay near.
    order = np.lexsort((table.groups.of_variety[lines], chunk_of[table.trade.product[lines]]))
    lines = lines[order]
    product = table.trade.product[lines]
    used, path = factorize(swept.path[lines])
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
    fixed_step, fixed_product = np.nonzero(fixed.change)
    stages = np.union1d(key, stage_of(fixed_product, fixed_step))
    stage_product, rest = stages % (count + 1), stages // (count + 1)
    stage_step = rest % steps
    part_hat, final_row = np.arange(keys.size), final[part_path]
    if steps == 1:
        # A part has the hats of its only change.
        part_hat, final_row = np.zeros(keys.size, dtype=np.int64), np.zeros(change.size, dtype=np.int64)
        part_hat[move_part], final_row[move_change] = move_change, final[part_path[move_part]]
    value, quantity = table.trade.v0[lines] * start.hats[:, lines]
    values = lines[:0] if swept.values is None else swept.values[lines]
    pack, sections = cut_sections(
        lane_pack(
            of_products
            | {
                "chunk_products": layout.chunk_products,
                "chunk_changes": np.searchsorted(change_chunk, chunks),
                "chunk_stages": np.searchsorted(rest // steps, chunks),
                "bundle_chunks": layout.bundle_chunks,
                "sums": rows.sums,
                "change_term": change_term,
                "change_row": change_row,
                "part_start": np.searchsorted(part_product, np.arange(len(rows.sums) + 1)),
                "part_hat": part_hat,
                "final_row": final_row,
                "share": sums_of(part, start.share[lines], keys.size),
                "dutiable": sums_of(part, value * swept.kept[lines], keys.size),
                "quantity": sums_of(part, quantity, keys.size),
                "stage_product": stage_product,
                "stage_kind": kind[stage_product],
                "stage_step": stage_step,
                "stage_term": kind[stage_product] * steps + stage_step,
                "stage_change": fixed.change[stage_step, stage_product],
                "stage_total": fixed.total[stage_step, stage_product],
                "move_start": np.searchsorted(key[order], np.append(stages, np.inf)),
                "move_part": move_part[order],
                "move_change": move_change[order],
                "moved_start": np.searchsorted(chunk_of[product], chunks),
                "moved_product": product,
                "moved_group": table.groups.of_variety[lines],
                "moved_part": part,
                "moved_weight": table.weighted(lines, swept.kept[lines], *start.hats[:, lines]),
                "moved_values": values,
                "fixed_start": np.searchsorted(bundle, np.arange(layout.bundle_chunks.size)),
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
