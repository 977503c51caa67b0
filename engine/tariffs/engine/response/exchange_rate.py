"""Move the dollar with the duties of a law: every exporter's price in dollars by one factor.

See docs/models/exchange_rate.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.law.notes import Note
from tariffs.engine.response.armington_draws import DrawnVolume
from tariffs.engine.response.constants import constants

NO_OFFSET = 0.0
"""Offset of a run that names none: the exchange rate stays."""
_NAME = "fx_offset"


def published_offset() -> float:
    """Look up the published offset: the part of a duty's mean effect on prices that the dollar takes off."""
    return constants()[_NAME][0]


def offset_facts(offset: float) -> dict[str, object]:
    """Describe the offset of a run for the provenance; empty without one."""
    if offset == NO_OFFSET:
        return {}
    value, source = constants()[_NAME]
    return {_NAME: {"value": offset, "source": source if offset == value else "given"}}


def mean_rise(value: F64, base_rate: F64, rate: F64) -> float:
    """Compute the mean rise of landed prices by duties alone, before any response: a fraction.

    The sums are exact, so that they have the same bits in any order.

    Args:
        value: customs value at the baseline, USD.
        base_rate: rate at the baseline.
        rate: rate of the law.
    """
    landed = math.fsum(value * (1.0 + base_rate))
    return math.fsum(value * (rate - base_rate)) / landed if landed else 0.0


class _Solver(Protocol):
    cell_of: I64

    def __call__(self, draws: Sequence[Any], room: Room = new_room) -> DrawnVolume: ...


@dataclass(frozen=True)
class DollarPrices:
    """Exporters' prices in dollars under the exchange rate that a law's duties bring.

    Exporters get the price in their own currency that a model gives; in dollars it is multiplied by a factor. For
    buyers a factor on the price before duty is one on 1 + t.

    Attributes:
        offset: part of the mean rise of landed prices that the dollar takes off.
        rise: that rise, a fraction.
        factor: per variety, 1 for goods that are prohibited, which nobody pays for.
    """

    offset: float
    rise: float
    factor: F64

    @classmethod
    def of(cls, offset: float, value: F64, base_rate: F64, rate: F64, closed: Bools) -> DollarPrices:
        """Compute the prices under the duties of a law.

        Args:
            offset: part of the mean rise of landed prices that the dollar takes off.
            value: customs value of each variety at the baseline, USD.
            base_rate: its rate at the baseline.
            rate: its rate under the law.
            closed: marks the varieties that are prohibited.
        """
        open_ = ~closed
        rise = mean_rise(value[open_], base_rate[open_], rate[open_])
        return cls(offset, rise, np.where(closed, 1.0, 1.0 - offset * rise))

    def note(self) -> Note:
        """Say how far the prices of exporters move."""
        fall = self.offset * self.rise
        text = (
            f"Exporters' prices in dollars move by {-fall:+.2%} with the exchange rate: {self.offset:g} of the mean "
            f"rise of landed prices by duties, {self.rise:.2%} of the goods of this table."
        )
        return Note("FX_OFFSET", text)

    def responding(self, rate: F64) -> F64:
        """Rate that has the effect on buyers of a rate and the exchange rate together."""
        # In this order a factor of 1 leaves the bits of the rate.
        shifted: F64 = rate + (1.0 + rate) * (self.factor - 1.0)
        return shifted

    def on_volume(self, volume: Any, product: I64) -> Any:
        """Put a model's volume at the responding rate in dollars.

        The model has the whole wedge as revenue; the part of it that is the exchange rate lowers what is paid abroad.

        Args:
            volume: value after of each variety, welfare of each product, and more.
            product: product of each variety.
        """
        gain = sums_of(product, (1.0 - self.factor) * volume.value, len(volume.welfare))
        return replace(volume, value=volume.value * self.factor, welfare=volume.welfare + gain)

    def on_draws(self, solve: _Solver, value: F64, product: I64) -> DollarDraws:
        """Put the draws of a solver at the responding rate in dollars; arguments per variety."""
        return DollarDraws(solve, self.factor, value, product)


class DollarDraws:
    """Solver of draws at the responding rate, with exporters' prices in dollars; a call is that of `ArmingtonDraws`.

    Args:
        solve: the solver.
        factor: factor on the price of each variety, one in a cell.
        value: customs value of each variety at the baseline, USD.
        product: product of each variety.

    Attributes:
        cell_of: the cell of each variety.
    """

    def __init__(self, solve: _Solver, factor: F64, value: F64, product: I64) -> None:
        self._solve = solve
        self.cell_of = solve.cell_of
        cells = int(self.cell_of.max(initial=-1)) + 1
        self._factor, self._product = np.ones(cells), np.zeros(cells, dtype=np.int64)
        self._factor[self.cell_of], self._product[self.cell_of] = factor, product
        self._gain = sums_of(self.cell_of, (1.0 - factor) * value, cells)

    def __call__(self, draws: Sequence[Any], room: Room = new_room) -> DrawnVolume:
        """Solve each of the draws in a room."""
        volume = self._solve(draws, room)
        products = volume.owned.shape[1]
        for place in range(len(draws)):
            paid = self._gain * volume.hats[:, 0, place] * volume.hats[:, 1, place]
            volume.owned[1, :, place] += sums_of(self._product, paid, products)
        volume.hats[:, 1] *= self._factor[:, None]
        return volume
