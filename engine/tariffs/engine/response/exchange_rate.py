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
    def of(cls, offset: float, value: F64, base_rate: F64, rate: F64, prohibited: Bools) -> DollarPrices:
        """Compute the prices under the duties of a law.

        Args:
            offset: part of the mean rise of landed prices that the dollar takes off.
            value: customs value of each variety at the baseline, USD.
            base_rate: its rate at the baseline.
            rate: its rate under the law.
            prohibited: marks the varieties that are prohibited.
        """
        open_ = ~prohibited
        rise = mean_rise(value[open_], base_rate[open_], rate[open_])
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
