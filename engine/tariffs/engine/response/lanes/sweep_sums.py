"""Sums of lanes by group, as `LaneSweep` answers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.errors import InputError
from tariffs.engine.response.inputs import Floats, invalid
from tariffs.engine.response.lanes.lane_sections import LaneSums


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

    def lane(self, place: int) -> SweepSums:
        """Select the sums of one lane."""
        names = self.__dataclass_fields__
        return SweepSums(*(getattr(self, name)[..., place : place + 1] for name in names))


def side_by_side(blocks: Sequence[SweepSums]) -> SweepSums:
    """Put the lanes of blocks one after another."""
    names = SweepSums.__dataclass_fields__
    return SweepSums(*(np.concatenate([getattr(block, name) for block in blocks], axis=-1) for name in names))


def answer(sums: LaneSums, domestic: Floats, before: Floats) -> SweepSums:
    """Arrange sums and domestic goods of a block, given customs value at the baseline by group.

    Raises:
        InputError: PARAMETER_INVALID: a lane without finite answer.
    """
    # Sums of values are finite if all sums of lines are.
    finite = np.isfinite(sums.lines).all(axis=(0, 1)) & np.isfinite(sums.owned).all(axis=(0, 1))
    if not finite.all():
        raise unbounded(int(np.argmin(finite)))
    value, duty, charges, creation, quantity, base_duty, _ = np.moveaxis(sums.lines, 1, 0)
    surplus, welfare = np.moveaxis(sums.owned, 1, 0)
    diversion = quantity - before[:, None] - creation
    return SweepSums(
        value,
        duty,
        charges,
        quantity,
        base_duty,
        creation,
        diversion,
        surplus,
        welfare,
        sums.values,
        domestic,
    )


def unbounded(scenario: int) -> InputError:
    """Make the error of a scenario without finite answer."""
    return invalid(
        "rates",
        f"scenario {scenario} of the block: the response to its change of duty is not finite.",
        fix="Lower the elasticity, or use the ces form of demand.",
        scenario=scenario,
    )
