"""Sort layers in the order in which CBP Form 7501 (entry summary) reports their headings.

The order is law data; it has no effect on any amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from tariffs.engine.law.law import Law


class HasAuthority(Protocol):
    """Anything with a node of the authority tree."""

    @property
    def authority(self) -> str:
        """Node of the authority tree."""


Placed = TypeVar("Placed", bound=HasAuthority)


def in_reporting_order(law: Law, layers: Iterable[Placed]) -> list[Placed]:
    """Sort layers in the order of the entry summary; equal places keep the order of the law."""
    return in_order(reporting_order(law), layers)


def reporting_order(law: Law) -> tuple[str, ...]:
    """Nodes of the authority tree in the order of the entry summary."""
    return tuple(law.authorities.get("reporting", {}).get("order", ()))


def in_order(order: Sequence[str], layers: Iterable[Placed]) -> list[Placed]:
    """Sort layers by the order of their nodes; equal places keep the order given."""
    return sorted(layers, key=lambda layer: _place(layer.authority, order))


def _place(authority: str, order: Sequence[str]) -> int:
    """Place of the nearest ancestor of an authority that the order names; the last place without one."""
    parts = authority.split(".")
    for length in range(len(parts), 0, -1):
        node = ".".join(parts[:length])
        if node in order:
            return order.index(node)
    return len(order)
