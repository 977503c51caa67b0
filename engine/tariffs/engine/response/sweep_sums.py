"""Sums of the scenarios of a sweep by group, as its solvers fill them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import Bools, sums_of
from tariffs.engine.errors import InputError
from tariffs.engine.response.inputs import Floats, Ints, invalid
from tariffs.engine.response.sweep_inputs import SweepVarieties
from tariffs.engine.response.sweep_pack import Section

SCENARIOS = 40
"""Most scenarios of one call, which costs as much for fewer; a block of a sweep has 200 points."""
_GROUP_COLUMNS, _OWNED_COLUMNS = 6, 2
Over = Callable[..., Iterable[Any]]
"""`map`, or that of a pool of threads."""


@dataclass(frozen=True, slots=True)
class SweepSums:
    """Sums of a block of scenarios, USD: (groups, scenarios), surplus and welfare (product groups, scenarios).

    Attributes:
        value: customs value after, of what is kept.
        duty: the rate times that value.
        charges: charges on the quantity after, of what is kept.
        quantity: quantity after in baseline dollars, of what is kept.
        base_duty: duty at the rates and prices of the baseline on the quantity after, of what is kept.
        creation: change of quantity with the product's, of all trade.
        diversion: the rest of the change of quantity; what is not kept is in it.
        buyer_surplus: as in `ArmingtonResponse`, of all trade.
        welfare: surplus and the change of revenue, which is duty on what is kept.
        values: customs value after, of what is kept, by value group (value groups, scenarios).
        domestic: of a market of sectors, (nests, 3, scenarios): price and quantity hats of domestic goods, and gain of
            their producers, which `welfare` includes.
    """

    value: Floats
    duty: Floats
    charges: Floats
    quantity: Floats
    base_duty: Floats
    creation: Floats
    diversion: Floats
    buyer_surplus: Floats
    welfare: Floats
    values: Floats
    domestic: Floats


@dataclass(frozen=True, slots=True)
class BlockSums:
    """Sums of products; the last axis is the scenario.

    `lines` are (groups, columns, SCENARIOS), `owned` (product groups, columns, SCENARIOS) and `values` (value groups,
    SCENARIOS). `domestic` are (nests, 3, SCENARIOS), 0 for nests of other products.
    """

    lines: Floats
    owned: Floats
    values: Floats
    domestic: Floats

    @classmethod
    def empty(cls, v: SweepVarieties, groups: int, scenarios: int) -> BlockSums:
        """Make sums of nothing, without a market of sectors."""
        return cls(
            np.zeros((groups, _GROUP_COLUMNS, scenarios)),
            np.zeros((int(v.product_group.max(initial=-1)) + 1, _OWNED_COLUMNS, scenarios)),
            np.zeros((int(v.value_group.max(initial=-1)) + 1, scenarios)),
            np.zeros((0, 3, scenarios)),
        )

    @property
    def first(self) -> BlockSums:
        """Those of the first scenario alone."""
        return BlockSums(
            self.lines[..., :1], self.owned[..., :1], self.values[..., :1], self.domestic[..., :1]
        )

    def answer(self, before: Floats, scenarios: int) -> SweepSums:
        """Arrange the sums of the first scenarios, given customs value at the baseline by group.

        Raises:
            InputError: PARAMETER_INVALID: a scenario without finite answer.
        """
        finite = self.finite[:scenarios]
        if not finite.all():
            raise unbounded(int(np.argmin(finite)))
        value, duty, charges, creation, quantity, base_duty = np.moveaxis(self.lines, 1, 0)[:, :, :scenarios]
        surplus, welfare = np.moveaxis(self.owned, 1, 0)[:, :, :scenarios]
        return SweepSums(
            value,
            duty,
            charges,
            quantity,
            base_duty,
            creation,
            quantity - before[:, None] - creation,
            surplus,
            welfare,
            self.values[:, :scenarios],
            self.domestic[..., :scenarios],
        )

    def add_varieties(self, v: SweepVarieties, lines: Ints, columns: Sequence[Floats], lane: int) -> None:
        """Add columns of some varieties to the sums by group of a scenario, in place; the first is their value."""
        for place, column in enumerate(columns):
            self.lines[:, place, lane] += sums_of(v.group[lines], column, len(self.lines))
        if len(self.values):
            self.values[:, lane] += sums_of(v.value_group[lines], columns[0], len(self.values))

    def add_products(self, v: SweepVarieties, chosen: Bools, columns: Sequence[Floats], lane: int) -> None:
        """Add surplus and welfare of the chosen products to the sums of a scenario, in place."""
        for place, column in enumerate(columns):
            self.owned[:, place, lane] += sums_of(v.product_group[chosen], column, len(self.owned))

    def add_sections(
        self,
        sections: Sequence[Section],
        solve: Callable[[Section, Floats, Floats, Floats], None],
        over: Over,
    ) -> None:
        """Add the sums of all products of sections, in place, in the order of the sections whatever the threads.

        Args:
            sections: the sections.
            solve: adds the sums of a section to zeros: (groups, columns x SCENARIOS), (product groups,
                columns x SCENARIOS) and (value groups, SCENARIOS), each of those of the section.
            over: calls `solve`.
        """

        def solved(section: Section) -> tuple[Floats, Floats, Floats]:
            sums = np.zeros((section.groups.size, _GROUP_COLUMNS * SCENARIOS))
            owned = np.zeros((section.product_groups.size, _OWNED_COLUMNS * SCENARIOS))
            values = np.zeros((section.value_groups.size, SCENARIOS))
            solve(section, sums, owned, values)
            return sums, owned, values

        for section, (sums, owned, values) in zip(sections, over(solved, sections), strict=True):
            self.lines[section.groups] += sums.reshape(-1, _GROUP_COLUMNS, SCENARIOS)
            self.owned[section.product_groups] += owned.reshape(-1, _OWNED_COLUMNS, SCENARIOS)
            self.values[section.value_groups] += values

    def add(self, other: BlockSums) -> None:
        """Add other sums, in place."""
        self.lines[:] += other.lines
        self.owned[:] += other.owned
        self.values[:] += other.values
        self.domestic[:] += other.domestic

    @property
    def finite(self) -> NDArray[np.bool_]:
        """Mark the scenarios whose sums are finite numbers; those of values are if all sums of lines are."""
        return np.asarray(np.isfinite(self.lines).all(axis=(0, 1)) & np.isfinite(self.owned).all(axis=(0, 1)))


def unbounded(scenario: int) -> InputError:
    """Make the error of a scenario without finite answer."""
    return invalid(
        "rates",
        f"scenario {scenario} of the block: the response to its change of duty is not finite.",
        fix="Lower the elasticity, or use the ces form of demand.",
        scenario=scenario,
    )


def padded(columns: Floats) -> Floats:
    """Repeat the last column (last axis) up to `SCENARIOS`."""
    missing = SCENARIOS - columns.shape[-1]
    if not missing:
        return np.ascontiguousarray(columns)
    return np.concatenate([columns, np.repeat(columns[..., -1:], missing, axis=-1)], axis=-1)
