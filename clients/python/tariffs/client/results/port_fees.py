"""Port fees per container and ton."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tariffs.client.results.json_values import Plain
from tariffs.client.results.quote import Provenance


@dataclass(frozen=True, slots=True)
class VoyageFigure:
    """Figure behind a fee; `confidence` is A, B, C or U of its source, empty for a figure of the caller."""

    name: str
    value: Decimal
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class PortFee(Plain):
    """Cost of a fee on a voyage, in US dollars.

    Attributes:
        measure: the fee's measure.
        kind: kind of ship the fee is on.
        ship: sourced voyage it is taken from; empty for a ship of the caller's.
        suspended: in force but not collected on this day; every amount is then 0.
        paying_calls: calls that pay.
        per_call: fee of one paying call.
        total: fee of the voyage.
        per_teu: per container (TEU) landed; None if none is known to be.
        per_ton: per metric ton landed; None if none is known to be.
        teu_of_trade: per TEU over all cargo of the trade, on paying ships and others; None without a share.
        ton_of_trade: the same per metric ton.
        figures: figures behind the fee, each with its source.
        citations: legal sources of the fee.
    """

    measure: str
    kind: str
    ship: str
    suspended: bool
    paying_calls: int
    per_call: Decimal
    total: Decimal
    per_teu: Decimal | None
    per_ton: Decimal | None
    teu_of_trade: Decimal | None
    ton_of_trade: Decimal | None
    figures: tuple[VoyageFigure, ...]
    citations: tuple[str, ...]

    @property
    def standing(self) -> str:
        """Status of the fee: `collected`, `suspended` or `not in force`."""
        if self.suspended:
            return "suspended"
        return "collected" if self.paying_calls else "not in force"

    def to_json_dict(self) -> dict[str, object]:
        """Convert to plain data: amounts as decimal text, and the status."""
        return Plain.to_json_dict(self) | {"standing": self.standing}


@dataclass(frozen=True, slots=True)
class PortFees(Plain):
    """Port fees, and the inputs needed to reproduce them."""

    fees: tuple[PortFee, ...]
    provenance: Provenance
