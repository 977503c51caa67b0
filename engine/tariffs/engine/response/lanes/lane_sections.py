"""Solve products in lanes on several threads, and sum them by group in a fixed order. See `kernels.lanes`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.base.chunks import checkpoint_here, metered, over_threads
from tariffs.engine.response.inputs import over_blocks

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lane_terms import LaneDemand, LanePack, LaneRates
    from tariffs.engine.response.kernels.lanes import LaneNests, LaneSkips

T = TypeVar("T")
SIDE_BY_SIDE = 40
"""Most lanes of one call: `exp_log.LANES`."""
BUNDLE_CHUNKS = 16
_LINE_SUMS = 7
_SECTION_BUNDLES = 4


@dataclass(frozen=True, slots=True)
class LaneLayout:
    """Products in chunks that are computed together, and chunks in bundles: first of each, one more than these."""

    chunk_products: I64
    bundle_chunks: I64

    @classmethod
    def of(cls, offsets: I64, varieties: int) -> LaneLayout:
        """Cut products, whose varieties are at `offsets`, into chunks of about some varieties."""
        products = np.array([0, *(last for _, last in over_blocks(offsets, varieties))], dtype=np.int64)
        chunks = products.size - 1
        return cls(products, np.append(np.arange(0, chunks, BUNDLE_CHUNKS), chunks))

    @property
    def chunk_of(self) -> I64:
        """Chunk of each product."""
        return np.repeat(np.arange(self.chunk_products.size - 1), np.diff(self.chunk_products))


@dataclass(frozen=True, slots=True)
class LaneSection:
    """Range of bundles with sums of its own, and the groups, owners and value groups of these sums."""

    first: int
    last: int
    groups: I64
    owners: I64
    values: I64


@dataclass(frozen=True, slots=True)
class LaneSums:
    """Sums in lanes, USD; the last axis is the lane.

    Attributes:
        lines: (groups, 7, lanes) customs value, duty, charges, creation, quantity at baseline prices, duty at the rates
            and prices of the baseline on the quantity, value added tax; of what counts after, creation of all trade.
        owned: (owners, 2, lanes) surplus of buyers and welfare.
        values: (value groups, lanes) customs value after.
        owed: (groups, lanes) duty owed, where it is not that assessed; else None.
        nests: (nests, NEST_ROWS, lanes) of a market of sectors; else None.
    """

    lines: F64
    owned: F64
    values: F64
    owed: F64 | None = None
    nests: F64 | None = None

    @classmethod
    def empty(cls, groups: int, owners: int, values: int, lanes: int) -> LaneSums:
        """Make sums of nothing."""
        return cls(
            np.zeros((groups, _LINE_SUMS, lanes)), np.zeros((owners, 2, lanes)), np.zeros((values, lanes))
        )

    def __add__(self, other: LaneSums) -> LaneSums:
        """Add sums of other trade; those of one lane are the same in all."""
        return _each(operator.add, self, other)

    def after(self, before: F64) -> F64:
        """Compute amounts by group (groups, 9, lanes), given customs value at the baseline of the groups, USD.

        Customs value, duty, landed cost, change of value, quantity, creation, diversion, duty of the baseline on the
        quantity, and duty owed.
        """
        value, duty, charges, creation, quantity, base_duty, tax = np.moveaxis(self.lines, 1, 0)
        was, owed = before[:, None], duty if self.owed is None else self.owed
        landed, diversion = value + duty + tax + charges, quantity - was - creation
        columns = value, duty, landed, value - was, quantity, creation, diversion, base_duty, owed
        return np.stack(columns, axis=1)

    def lane(self, place: int) -> LaneSums:
        """Select the sums of one lane."""
        return _each(lambda sums: sums[..., place : place + 1], self)


def side_by_side(blocks: Sequence[LaneSums]) -> LaneSums:
    """Put the lanes of blocks one after another."""
    return _each(lambda *sums: np.concatenate(sums, axis=-1), *blocks)


def _each(make: Callable[..., F64], *sums: LaneSums) -> LaneSums:
    """Make sums of the arrays of others; what one has not is left out."""
    columns = {name: [getattr(each, name) for each in sums] for name in LaneSums.__dataclass_fields__}
    known = {name: column for name, column in columns.items() if all(each is not None for each in column)}
    return LaneSums(**{name: make(*column) for name, column in known.items()})


def lane_pack(arrays: Mapping[str, Any]) -> LanePack:
    """Make a pack of arrays by name, in the types that the kernel is compiled for; those left out are empty."""
    from tariffs.engine.response.kernels.lane_sums import WEIGHTS
    from tariffs.engine.response.kernels.lane_terms import FLOATS, LanePack

    def typed(name: str) -> Any:
        kind = np.float64 if name in FLOATS else np.int64
        if name not in arrays:
            return np.zeros((0, WEIGHTS) if name.endswith("weight") else 0, dtype=kind)
        return np.require(arrays[name], kind, ["C", "W"])

    return LanePack(*map(typed, LanePack._fields))


def cut_sections(pack: LanePack) -> tuple[LanePack, list[LaneSection]]:
    """Cut the bundles into sections, and number groups, owners and value groups within each."""
    chunks, bundles = pack.bundle_chunks, pack.bundle_chunks.size - 1
    bounds = [
        (first, min(first + _SECTION_BUNDLES, bundles)) for first in range(0, bundles, _SECTION_BUNDLES)
    ]
    moved = [slice(*pack.moved_start[chunks[[first, last]]]) for first, last in bounds]
    fixed = [slice(*pack.fixed_start[[first, last]]) for first, last in bounds]
    products = [slice(*pack.chunk_products[chunks[[first, last]]]) for first, last in bounds]
    (group, fixed_group), groups = numbered_within((pack.moved_group, moved), (pack.fixed_group, fixed))
    (owner,), owners = numbered_within((pack.owner, products))
    (values, fixed_values), of_values = numbered_within(
        (pack.moved_values, moved if pack.moved_values.size else [slice(0, 0)] * len(bounds)),
        (pack.fixed_values, fixed if pack.fixed_values.size else [slice(0, 0)] * len(bounds)),
    )
    numbered = pack._replace(
        moved_group=group,
        fixed_group=fixed_group,
        owner=owner,
        moved_values=values,
        fixed_values=fixed_values,
    )
    parts = zip(bounds, groups, owners, of_values, strict=True)
    return numbered, [LaneSection(first, last, *names) for (first, last), *names in parts]


def numbered_within(*parts: tuple[I64, Sequence[slice]]) -> tuple[list[I64], list[I64]]:
    """Number the values of arrays within sections, each a slice of every array; return the values of each section."""
    numbered = [np.empty_like(array) for array, _ in parts]
    place = np.empty(max((int(array.max(initial=-1)) for array, _ in parts), default=-1) + 1, dtype=np.int64)
    distinct = []
    for slices in zip(*(each for _, each in parts), strict=True):
        present = np.zeros(place.size, dtype=bool)
        for (array, _), own in zip(parts, slices, strict=True):
            present[array[own]] = True
        distinct.append(np.flatnonzero(present))
        place[distinct[-1]] = np.arange(distinct[-1].size)
        for (array, _), own, out in zip(parts, slices, numbered, strict=True):
            out[own] = place[array[own]]
    return numbered, distinct


@dataclass(frozen=True, slots=True)
class LaneTask:
    """Products to solve in lanes: their pack, whose groups are numbered within its sections, and its switches.

    Attributes:
        pack, sections: as `cut_sections` gives them.
        groups, owners, values: sizes of the sums.
        one_step: a part is its change.
    """

    pack: LanePack
    sections: Sequence[LaneSection]
    groups: int
    owners: int
    values: int
    one_step: bool

    def sums(
        self,
        duty: LaneRates,
        demand: LaneDemand,
        *,
        skips: LaneSkips | None = None,
        market: tuple[F64, Callable[[F64], tuple[LaneNests, F64]]] | None = None,
        hats: tuple[F64, F64] | None = None,
        threads: int = 1,
    ) -> LaneSums:
        """Sum the products in n lanes, the same bits on any number of threads.

        Args:
            skips: lanes of products to leave out.
            market: market above the products: room for log prices of their imports (products, n), and a function of
                these that gives what it shifts, and the sums of its nests.
            hats: (parts, 2, n) and (products, n), to be filled with hats of value and quantity and with growth.
        """
        from tariffs.engine.response.kernels.exp_log import LANES
        from tariffs.engine.response.kernels.lane_sums import SUMS
        from tariffs.engine.response.kernels.lanes import (
            ALONE,
            PRICES,
            SHIFTED,
            LaneNests,
            LaneSinks,
            LaneSkips,
            solve,
        )

        nothing, no_hats, check = np.zeros((0, 0)), np.zeros((0, 0, 0)), checkpoint_here()
        n, (hat, growth) = duty.powers.shape[1], hats or (no_hats, nothing)
        no_rows = np.zeros(0, np.int64)
        skips = skips or LaneSkips(no_rows, np.zeros((0, 0), dtype=bool))
        nests, found = LaneNests(nothing, no_rows, no_rows, no_hats, no_hats), None

        def take(section: LaneSection, mode: int, sums: F64, owned: F64, values: F64) -> None:
            check()
            args = (self.pack, duty, demand, nests, skips, LaneSinks(sums, owned, values, hat, growth))
            solve(section.first, section.last, *args, self.one_step, mode)

        if market is not None:
            nests = nests._replace(prices=market[0])
            over_threads(
                lambda section: take(section, PRICES, nothing, nothing, nothing), self.sections, threads
            )
            nests, found = market[1](market[0])
        total = LaneSums.empty(self.groups, self.owners, self.values, n)
        owed = np.zeros((self.groups, n)) if self.pack.moved_owed.size else None
        total = replace(total, owed=owed, nests=found)

        def solved(section: LaneSection) -> tuple[F64, F64, F64]:
            sums = np.zeros((section.groups.size, SUMS * LANES))
            owned, values = np.zeros((section.owners.size, 2 * LANES)), np.zeros((section.values.size, LANES))
            with metered(self._varieties(section) * n):
                take(section, ALONE if market is None else SHIFTED, sums, owned, values)
            return sums, owned, values

        for section, (sums, owned, values) in zip(
            self.sections, over_threads(solved, self.sections, threads), strict=True
        ):
            of_groups = sums.reshape(-1, SUMS, LANES)[:, :, :n]
            total.lines[section.groups] += of_groups[:, :_LINE_SUMS]
            if total.owed is not None:
                total.owed[section.groups] += of_groups[:, _LINE_SUMS]
            total.owned[section.owners] += owned.reshape(-1, 2, LANES)[:, :, :n]
            total.values[section.values] += values[:, :n]
        return total

    def _varieties(self, section: LaneSection) -> int:
        pack = self.pack
        chunks = pack.bundle_chunks[[section.first, section.last]]
        return int(
            np.diff(pack.moved_start[chunks])[0] + np.diff(pack.fixed_start[[section.first, section.last]])[0]
        )
