"""Arrange the trade and elasticities of a sweep for the kernels of `ArmingtonSweep`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import sums_of
from tariffs.engine.response.inputs import Floats, Ints, over_blocks
from tariffs.engine.response.sweep_inputs import SweepVarieties

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.sweep_products import SweepPack

Bools = NDArray[np.bool_]

_CHUNK_VARIETIES = 1_024
_BUNDLE_CHUNKS = 16
_SECTION_BUNDLES = 4
STEEP = 250.0
"""Largest exponent that a power may reach: a product of two stays a number."""
# Below this the power mean is the geometric one to every digit.
_GEOMETRIC = 1e-30


@dataclass(frozen=True, slots=True)
class Unmoved:
    """Varieties that keep their rate in all scenarios of a sweep, and their hats.

    Attributes:
        varieties: marks the varieties that keep `rates`.
        rates: per variety.
        row_of_class: row of each class in the rates of a call, -1 for a class that keeps its rate.
        hats: (3, varieties) growth of the price power, value and quantity at index 1, under `rates`; of varieties that
            move, the hats before those of their cell.
    """

    varieties: Bools
    rates: Floats
    row_of_class: Ints
    hats: Floats


@dataclass(frozen=True, slots=True)
class Section:
    """Range of bundles with sums of its own, and the groups, product groups and value groups of these sums."""

    first: int
    last: int
    groups: Ints
    product_groups: Ints
    value_groups: Ints


def steep_kinds(elasticities: Floats, span: Floats) -> Bools:
    """Mark kinds and lanes with powers that leave the range of numbers; `span` is the largest log change of cost."""
    steep: Bools = np.maximum(elasticities[:3].max(axis=0, initial=0.0), 1.0) * span > STEEP
    return steep


def elasticity_terms(elasticities: Floats, steep: Bools) -> Floats:
    """Compute the terms of each kind of product, (kinds, rows * lanes): see their names beside the kernels.

    `elasticities` are sigma, eta, kappa and inverse supply: (4, kinds, lanes). Steep kinds get harmless ones.
    """
    tame = np.array([2.0, 1.0, 1.0, 0.0])
    sigma, eta, kappa, w = np.where(steep, tame[:, None, None], elasticities)
    damping = 1.0 + sigma * w
    power = (1.0 - sigma) / damping
    geometric = np.abs(power) < _GEOMETRIC
    surplus = 1.0 - eta
    rows = (
        *elasticities,
        power, 1.0 / np.where(geometric, np.inf, power), geometric, -sigma / damping,
        1.0 / (1.0 + eta * w), (sigma - kappa) / damping, (kappa - eta) / damping, 1.0 + w,
        surplus, 1.0 / np.where(surplus == 0.0, np.inf, surplus), surplus == 0.0,
    )  # fmt: skip
    return np.stack(rows, axis=1).astype(np.float64).reshape(steep.shape[0], len(rows) * steep.shape[1])


@dataclass(frozen=True, slots=True)
class ClosedForms:
    """Products that have closed forms never, or with flat supply only, and the kind of each.

    Products with one supply elasticity and neither freight nor domestic goods have closed forms, and those with flat
    supply of imports and domestic goods.
    """

    never: Bools
    flat_only: Bools
    kind: Ints

    @classmethod
    def of(cls, v: SweepVarieties) -> ClosedForms:
        """Mark the products of a sweep."""
        flat_only = (v.domestic > 0.0) | (sums_of(v.product, v.freight, v.kind.size) > 0.0)
        return cls((v.domestic > 0.0) & (v.domestic_w > 0.0), flat_only, v.kind)

    def unclosed(self, w: Floats, steep: Bools) -> tuple[Ints, Bools]:
        """Find the products without a closed form in some lane: their places, and the marks of these lanes.

        `w` and `steep` are per kind and lane.
        """
        rising: Bools = np.any(w > 0.0, axis=1)
        anywhere: Bools = np.any(steep, axis=1)
        places = np.flatnonzero(self.never | (self.flat_only & rising[self.kind]) | anywhere[self.kind])
        kind = self.kind[places]
        marks = self.never[places, None] | (self.flat_only[places, None] & (w[kind] > 0.0)) | steep[kind]
        return places, marks


def hats_at_index_one(v: SweepVarieties, rates: Floats, sigma: Floats, w: Floats) -> Floats:
    """Compute growth of the price power, value and quantity hats per variety: (3, varieties); sigma and w per kind.

    Without trade in a product nothing changes.
    """
    kind = v.kind[v.product]
    damping = 1.0 + sigma * w
    power = ((1.0 - sigma) / damping)[kind]
    ratio = np.log1p((rates - v.base) / (1.0 + v.base + v.freight))
    # High elasticities may leave the range of numbers here; their products are solved in another way.
    with np.errstate(over="ignore"):
        geometric = np.abs(power) < _GEOMETRIC
        growth = np.where(geometric, ratio, np.expm1(power * ratio) / np.where(geometric, 1.0, power))
        hats = np.stack([growth, np.exp((power - 1.0) * ratio), np.exp((-sigma / damping)[kind] * ratio)])
    hats[~np.isfinite(hats)] = 0.0
    hats[:, v.landed[v.product] <= 0.0] = [[0.0], [1.0], [1.0]]
    return hats


@dataclass(frozen=True, slots=True)
class _Layout:
    """Products in chunks that share cells, and chunks in bundles; `chunk_of` has the chunk of each product."""

    chunk_products: Ints
    chunk_of: Ints
    bundle_chunks: Ints

    @classmethod
    def of(cls, offsets: Ints) -> _Layout:
        """Cut products, whose varieties are at `offsets`."""
        products = np.array([0, *(last for _, last in over_blocks(offsets, _CHUNK_VARIETIES))])
        chunks = products.size - 1
        chunk_of = np.repeat(np.arange(chunks), np.diff(products))
        return cls(products, chunk_of, np.append(np.arange(0, chunks, _BUNDLE_CHUNKS), chunks))

    @property
    def bundles(self) -> int:
        """Number of bundles."""
        return self.bundle_chunks.size - 1


@dataclass(frozen=True, slots=True)
class PackedProducts:
    """Products for the kernels, their sections, and the part of each moved variety in the order of products."""

    pack: SweepPack
    sections: list[Section]
    part: Ints


def pack_products(v: SweepVarieties, chosen: Bools, unmoved: Unmoved) -> PackedProducts:
    """Arrange the chosen products for the kernels, in chunks that share cells and bundles of chunks."""
    from tariffs.engine.response.kernels.sweep_products import SweepPack

    place, count = np.cumsum(chosen) - 1, int(chosen.sum())
    lines = np.flatnonzero(chosen[v.product])
    product = place[v.product[lines]]
    layout = _Layout.of(np.searchsorted(product, np.arange(count + 1)))
    is_moved = ~unmoved.varieties[lines]
    fixed, own = _fixed_rows(v, lines[~is_moved], product[~is_moved], layout, unmoved)
    landed, kind = v.landed[chosen], v.kind[chosen]
    before, revenue = sums_of(product, v.v0[lines], count), sums_of(product, (v.v0 * v.base)[lines], count)
    lines, product = lines[is_moved], product[is_moved]
    v0, base, freight = v.v0[lines], v.base[lines], v.freight[lines]
    start_value, start_quantity = unmoved.hats[1:, lines]
    value, quantity = v0 * start_value, v0 * start_quantity
    row = unmoved.row_of_class[v.rate_class[lines]]
    share = np.divide(v0 * (1.0 + base + freight), landed[product], out=np.zeros(lines.size), where=v0 > 0.0)
    chunk = layout.chunk_of[product]
    cell, first = _cells(chunk, kind[product], row, base, freight)
    own_cell, part_first, part = np.unique(
        product * max(1, first.size) + cell, return_index=True, return_inverse=True
    )
    amounts = (sums_of(part, each, own_cell.size) for each in (value, value * v.kept[lines], quantity, share))
    of_part = dict(zip(("value", "dutiable", "quantity", "share"), amounts, strict=True))
    chunks = np.arange(layout.chunk_products.size)
    # Varieties of one group follow each other, so that its sums stay in the nearest cache.
    order = np.lexsort((v.group[lines], chunk))
    by_group, kept = lines[order], v.kept[lines[order]]
    group, product_group = v.group[by_group], v.product_group[chosen]
    value_group = v.value_group[by_group] if v.value_group.size else v.value_group
    moved_start = np.searchsorted(chunk, chunks)
    pack = SweepPack(
        chunk_products=layout.chunk_products,
        chunk_cells=np.searchsorted(chunk[first], chunks),
        bundle_chunks=layout.bundle_chunks,
        cell_row=row[first],
        cell_kind=kind[product[first]],
        cell_base=base[first],
        cell_freight=freight[first],
        offsets=np.searchsorted(product[part_first], np.arange(count + 1)),
        kind=kind,
        product_group=product_group,
        sums=own[:count],
        landed=landed,
        before=before,
        revenue=revenue,
        domestic=v.domestic[chosen],
        **of_part,
        freight=freight[part_first],
        cell=cell[part_first],
        row=row[part_first],
        moved_start=moved_start,
        moved_product=product[order],
        moved_group=group,
        moved_value_group=value_group,
        moved_part=part[order],
        moved_v0=v0[order],
        moved_weight=value[order] * kept,
        moved_quantity=quantity[order] * kept,
        moved_charges=v.charges[by_group] * start_quantity[order] * kept,
        moved_base_duty=quantity[order] * kept * base[order],
        fixed_start=fixed.start,
        fixed_product=fixed.product,
        fixed_group=fixed.group,
        fixed_value_group=fixed.value_group,
        weights=fixed.weights,
    )
    return PackedProducts(pack, _sections(pack), part)


@dataclass(frozen=True, slots=True)
class _FixedRows:
    """Fixed varieties by bundle, group and product: weights of those with these and the value group in common."""

    start: Ints
    product: Ints
    group: Ints
    value_group: Ints
    weights: Floats


def _fixed_rows(
    v: SweepVarieties, lines: Ints, product: Ints, layout: _Layout, unmoved: Unmoved
) -> tuple[_FixedRows, Floats]:
    """Merge fixed varieties; return also index, quantity, duty and landed cost at index 1 of the products."""
    growth, value, quantity = unmoved.hats[:, lines]
    v0, freight, rate = v.v0[lines], v.freight[lines], unmoved.rates[lines]
    landed = v.landed[v.product[lines]]
    share = np.divide(v0 * (1.0 + v.base[lines] + freight), landed, out=np.zeros(lines.size), where=v0 > 0.0)
    weight, charges = v0 * v.kept[lines], v.charges[lines] * v.kept[lines]
    own = share * growth, v0 * quantity, weight * value * rate, v0 * value * (1.0 + freight + rate)
    sums = np.column_stack([sums_of(product, each, layout.chunk_of.size) for each in own])
    base_duty = weight * v.base[lines] * quantity
    columns = weight * value, weight * value * rate, charges * quantity, v0, weight * quantity, base_duty
    bundle = layout.chunk_of[product] // _BUNDLE_CHUNKS
    order = np.lexsort((v.group[lines], bundle))
    bundle, product, group = bundle[order], product[order], v.group[lines[order]]
    value_group = v.value_group[lines[order]] if v.value_group.size else v.value_group
    new = np.ones(lines.size, dtype=bool)
    new[1:] = (np.diff(bundle) != 0) | (np.diff(group) != 0) | (np.diff(product) != 0)
    if value_group.size:
        new[1:] |= np.diff(value_group) != 0
    number, first = np.cumsum(new) - 1, np.flatnonzero(new)
    rows = _FixedRows(
        np.searchsorted(bundle[first], np.arange(layout.bundles + 1)),
        product[first],
        group[first],
        value_group[first] if value_group.size else value_group,
        np.column_stack([sums_of(number, column[order], first.size) for column in columns]),
    )
    return rows, sums


def _cells(chunk: Ints, kind: Ints, row: Ints, base: Floats, freight: Floats) -> tuple[Ints, Ints]:
    """Number the distinct combinations, by chunk; return the number of each variety and the first of each number."""
    key = (chunk * (kind.max(initial=0) + 1) + kind) * (row.max(initial=0) + 1) + row
    keys = [base, key] if not freight.any() else [freight, base, key]
    order = np.lexsort(keys)
    new = np.zeros(order.size, dtype=bool)
    new[:1] = True
    for values in keys:
        new[1:] |= values[order[1:]] != values[order[:-1]]
    number = np.empty(order.size, dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    return number, order[new]


def _sections(pack: SweepPack) -> list[Section]:
    """Cut the bundles into sections, and number the groups within each, in place."""
    sections, bundles = [], pack.bundle_chunks.size - 1
    for first in range(0, bundles, _SECTION_BUNDLES):
        last = min(first + _SECTION_BUNDLES, bundles)
        chunks = pack.bundle_chunks[first], pack.bundle_chunks[last]
        moved = slice(pack.moved_start[chunks[0]], pack.moved_start[chunks[1]])
        fixed = slice(pack.fixed_start[first], pack.fixed_start[last])
        products = slice(pack.chunk_products[chunks[0]], pack.chunk_products[chunks[1]])
        groups = _numbered_within(pack.moved_group[moved], pack.fixed_group[fixed])
        value_groups = pack.moved_value_group[:0]
        if pack.moved_value_group.size or pack.fixed_value_group.size:
            value_groups = _numbered_within(pack.moved_value_group[moved], pack.fixed_value_group[fixed])
        owners = _numbered_within(pack.product_group[products])
        sections.append(Section(first, last, groups, owners, value_groups))
    return sections


def _numbered_within(*parts: Ints) -> Ints:
    """Number values in place by the distinct values of all parts, which are returned."""
    distinct, number = np.unique(np.concatenate(parts), return_inverse=True)
    for part, numbers in zip(
        parts, np.split(number, np.cumsum([part.size for part in parts[:-1]])), strict=True
    ):
        part[:] = numbers
    return distinct
