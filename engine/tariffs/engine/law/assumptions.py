"""Assumptions of a scenario beside the law: shares that limits let through, compliance, figures of a voyage.

No act states these figures. Each is kept by the measure it is about, so that a result can name its assumptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PortCalls:
    """A voyage under a port fee; figures that are None come from a sourced voyage of the law, if there is one.

    Attributes:
        kind: the kind of ship, one of the fee's.
        ship: the sourced voyage to start from, such as container or bulk; the usual one of the kind if empty.
        net_tons: net tonnage of the ship.
        teu: containers (TEU) landed over all fee-paying calls of the voyage.
        cargo_tons: metric tons landed over the same calls.
        containers: boxes landed at one call, for fees by container.
        calls: fee-paying calls of a voyage.
        share: the part of the cargo of the trade that comes on ships that pay, in [0, 1].
        usd_per_unit: US dollars for one unit of the fee's currency.
        source: where the figures are from.
    """

    kind: str
    ship: str = ""
    net_tons: Decimal | None = None
    teu: Decimal | None = None
    cargo_tons: Decimal | None = None
    containers: Decimal | None = None
    calls: Decimal | None = None
    share: Decimal | None = None
    usd_per_unit: Decimal | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Assumptions by measure id.

    Attributes:
        let_through: of limits, the share of the baseline quantity that licences let through, in [0, 1].
        compliance: of commitments to buy, the part that is fulfilled, in [0, 1].
        rents: of both, who earns or bears the premium: importer, exporter or government.
        port_calls: of port fees, the figures of a voyage.
    """

    let_through: Mapping[str, Decimal] = field(default_factory=dict)
    compliance: Mapping[str, Decimal] = field(default_factory=dict)
    rents: Mapping[str, str] = field(default_factory=dict)
    port_calls: Mapping[str, PortCalls] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """True if anything is assumed."""
        return bool(self.let_through or self.compliance or self.rents or self.port_calls)

    def under(self, other: Assumptions) -> Assumptions:
        """Merge with the assumptions of `other`, which take precedence measure by measure."""
        return Assumptions(
            {**self.let_through, **other.let_through},
            {**self.compliance, **other.compliance},
            {**self.rents, **other.rents},
            {**self.port_calls, **other.port_calls},
        )

    @property
    def quantities(self) -> tuple[tuple[str, str, Decimal | str], ...]:
        """Assumptions about quantities as a hashable value."""
        kinds: tuple[tuple[str, Mapping[str, Decimal | str]], ...] = (
            ("let_through", self.let_through),
            ("compliance", self.compliance),
            ("rents", self.rents),
        )
        return tuple((kind, name, value) for kind, values in kinds for name, value in sorted(values.items()))


NONE = Assumptions()
