"""Sort layers in the order in which CBP Form 7501 (entry summary) reports their headings.

The order is law data; it has no effect on any amount.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol, TypeVar

from tariffs.engine.law.law import Law

_PLACES_KEPT = 1024


class HasAuthority(Protocol):
    """Anything with a node of the authority tree."""

    @property
    def authority(self) -> str:
        """Node of the authority tree."""


Placed = TypeVar("Placed", bound=HasAuthority)


def in_reporting_order(law: Law, layers: Iterable[Placed]) -> list[Placed]:
    """Sort layers in the order of the entry summary; equal places keep the order of the law."""
    order = tuple(law.authorities.get("reporting", {}).get("order", ()))
    return sorted(layers, key=lambda layer: _place(layer.authority, order))


@lru_cache(maxsize=_PLACES_KEPT)
def _place(authority: str, order: tuple[str, ...]) -> int:
    """Place of the nearest ancestor of an authority that the order names; the last place without one."""
    parts = authority.split(".")
    for length in range(len(parts), 0, -1):
        node = ".".join(parts[:length])
        if node in order:
            return order.index(node)
    return len(order)
