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
    from tariffs.engine.response.kernels.armington_sweep import SweepPack

Bools = NDArray[np.bool_]

_CHUNK_VARIETIES = 1_024
_SECTION_CHUNKS = 64
# Largest exponent that a power may reach: a product of two stays a number.
_STEEP = 250.0
# Below this the power mean is the geometric one to every digit.
_GEOMETRIC = 1e-30


@dataclass(frozen=True, slots=True)
class Unmoved:
    """Varieties that keep their rate in all scenarios of a sweep, and their hats.

    Attributes:
        varieties: marks the varieties that keep `rates`.
        rates: per variety.
        row_of_class: row of each class in the rates of a call, -1 for a class that keeps its rate.
        hats: (3, varieties) growth of the price power, value and quantity at index 1, under `rates`.
    """

    varieties: Bools
    rates: Floats
    row_of_class: Ints
    hats: Floats


@dataclass(frozen=True, slots=True)
class Section:
    """Range of chunks with sums of its own, and the groups, product groups and value groups of these sums."""

    first: int
    last: int
    groups: Ints
    product_groups: Ints
    value_groups: Ints


def steep_kinds(elasticities: Floats, span: Floats) -> Bools:
    """Mark kinds and lanes with powers that leave the range of numbers; `span` is the largest log change of cost."""
    steep: Bools = np.maximum(elasticities[:3].max(axis=0, initial=0.0), 1.0) * span > _STEEP
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


def unclosed_products(v: SweepVarieties, w: Floats, steep: Bools) -> tuple[Ints, Bools]:
    """Find the products without a closed form in some lane: their places, and the marks of these lanes.

    Products with one supply elasticity and neither freight nor domestic goods have closed forms, and those with flat
    supply of imports and domestic goods. `w` and `steep` are per kind and lane.
    """
    flat_only = (v.domestic > 0.0) | (sums_of(v.product, v.freight, v.kind.size) > 0.0)
    never = (v.domestic > 0.0) & (v.domestic_w > 0.0)
    rising: Bools = np.any(w > 0.0, axis=1)
    anywhere: Bools = np.any(steep, axis=1)
    places = np.flatnonzero(never | (flat_only & rising[v.kind]) | anywhere[v.kind])
    kind = v.kind[places]
    marks = never[places, None] | (flat_only[places, None] & (w[kind] > 0.0)) | steep[kind]
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


def pack_products(v: SweepVarieties, chosen: Bools, unmoved: Unmoved) -> tuple[SweepPack, list[Section]]:
    """Arrange the chosen products for the kernels: fixed varieties before moved ones, in chunks that share cells."""
    from tariffs.engine.response.kernels.armington_sweep import SweepPack

    place = np.cumsum(chosen) - 1
    count = int(chosen.sum())
    lines = np.flatnonzero(chosen[v.product])
    moved = ~unmoved.varieties[lines]
    order = np.argsort(2 * place[v.product[lines]] + moved, kind="stable")
    lines, moved = lines[order], moved[order]
    product = place[v.product[lines]]
    offsets = np.searchsorted(product, np.arange(count + 1))
    moved_from = offsets[1:] - np.bincount(product[moved], minlength=count)
    chunk_products = np.array([0, *(last for _, last in over_blocks(offsets, _CHUNK_VARIETIES))])
    row = np.where(moved, unmoved.row_of_class[v.rate_class[lines]], -1)
    kind = v.kind[chosen]
    v0, base, freight = v.v0[lines], v.base[lines], v.freight[lines]
    landed = v.landed[chosen]
    share = np.divide(v0 * (1.0 + base + freight), landed[product], out=np.zeros(lines.size), where=v0 > 0.0)
    chunk = np.repeat(np.arange(chunk_products.size - 1), np.diff(chunk_products))[product]
    cell = np.full(lines.size, -1)
    cell[moved], first = _cells(chunk[moved], kind[product[moved]], row[moved], base[moved], freight[moved])
    first = np.flatnonzero(moved)[first]
    group, product_group = v.group[lines], v.product_group[chosen]
    value_group = v.value_group[lines] if v.value_group.size else v.value_group
    sections = _sections(chunk_products, offsets, group, product_group, value_group)
    weight, charges = v0 * v.kept[lines], v.charges[lines] * v.kept[lines]
    base_duty = weight * base
    rate = unmoved.rates[lines]
    growth, value, quantity = unmoved.hats[:, lines[~moved]]
    fixed = ~moved
    sums = share[fixed] * growth, v0[fixed] * quantity, v0[fixed] * value * rate[fixed]
    spending = v0[fixed] * value * (1.0 + freight[fixed] + rate[fixed])
    values = weight[fixed] * value
    pack = SweepPack(
        chunk_products=chunk_products,
        chunk_cells=np.searchsorted(chunk[first], np.arange(chunk_products.size)),
        cell_row=row[first],
        cell_kind=kind[product[first]],
        cell_base=base[first],
        cell_freight=freight[first],
        offsets=offsets,
        moved_from=moved_from,
        fixed_offsets=np.concatenate(([0], np.cumsum(moved_from - offsets[:-1]))),
        kind=kind,
        product_group=product_group,
        sums=np.column_stack([sums_of(product[fixed], x, count) for x in (*sums, spending)]),
        landed=landed,
        before=sums_of(product, v0, count),
        revenue=sums_of(product, v0 * base, count),
        domestic=v.domestic[chosen],
        weights=np.column_stack(
            [
                values,
                values * rate[fixed],
                charges[fixed] * quantity,
                v0[fixed],
                weight[fixed] * quantity,
                base_duty[fixed] * quantity,
            ]
        ),
        v0=v0,
        share=share,
        weight=weight,
        charges=charges,
        base_duty=base_duty,
        freight=freight,
        group=group,
        value_group=value_group,
        cell=cell,
        row=row,
    )
    return pack, sections


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


def _sections(
    chunk_products: Ints, offsets: Ints, group: Ints, product_group: Ints, value_group: Ints
) -> list[Section]:
    """Cut the chunks into sections, and number the groups within each, in place."""
    sections = []
    chunks = chunk_products.size - 1
    for first in range(0, chunks, _SECTION_CHUNKS):
        last = min(first + _SECTION_CHUNKS, chunks)
        products = slice(chunk_products[first], chunk_products[last])
        lines = slice(offsets[products.start], offsets[products.stop])
        groups, group[lines] = np.unique(group[lines], return_inverse=True)
        owners, product_group[products] = np.unique(product_group[products], return_inverse=True)
        value_groups = value_group[:0]
        if value_group.size:
            value_groups, value_group[lines] = np.unique(value_group[lines], return_inverse=True)
        sections.append(Section(first, last, groups, owners, value_groups))
    return sections
