"""Move the dollar with the duties of a law: every exporter's price in dollars by one factor.

See docs/models/exchange_rate.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.law.notes import Note
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


@dataclass(frozen=True)
class DollarPrices:
    """Exporters' prices in dollars under the exchange rate that a law's duties bring.

    Exporters get the price in their own currency that a model gives; in dollars it is multiplied by a factor. For
    buyers a factor on the price before duty is one on 1 + t.

    Attributes:
        offset: part of the mean rise of landed prices that the dollar takes off.
        rise: that rise by duties alone, before any response, a fraction.
        factor: per variety, 1 for goods that are prohibited, which nobody pays for.
    """

    offset: float
    rise: float
    factor: F64

    @classmethod
    def of(cls, offset: float, value: F64, base_rate: F64, rate: F64, prohibited: Bools) -> DollarPrices:
        """Compute the prices under the rates of a law; exact sums have the same bits in any order of varieties."""
        value, before, after = (each[~prohibited] for each in (value, base_rate, rate))
        landed = math.fsum(value * (1.0 + before))
        rise = math.fsum(value * (after - before)) / landed if landed else 0.0
        return cls(offset, rise, np.where(prohibited, 1.0, 1.0 - offset * rise))

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
        return rate + (1.0 + rate) * (self.factor - 1.0)

    def on_volume(self, volume: Any, product: I64) -> Any:
        """Put a model's volume at the responding rate in dollars.

        The model has the whole wedge as revenue; the part of it that is the exchange rate lowers what is paid abroad.
        The volume has value after of each variety, and welfare of each product.
        """
        gain = sums_of(product, (1.0 - self.factor) * volume.value, len(volume.welfare))
        return replace(volume, value=volume.value * self.factor, welfare=volume.welfare + gain)
