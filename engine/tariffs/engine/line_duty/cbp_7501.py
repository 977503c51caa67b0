"""Layers as an entry summary reports them: every heading claimed, zero ones too, in the order of the form.

The order is law data (`law/authorities.yaml`); it has no effect on any amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, TypeVar

from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.law import Law
from tariffs.engine.law.stacking import DISPLACED, IN_LIEU
from tariffs.engine.rating.fits import dotted

ZERO = Decimal(0)


class Reported(Protocol):
    """What a layer must tell to be reported."""

    @property
    def measure(self) -> str:
        """Id of the measure."""

    @property
    def authority(self) -> str:
        """Node of the authority tree."""

    @property
    def heading(self) -> str:
        """Heading, or the schedule line of the ordinary duty."""

    @property
    def standing(self) -> str:
        """State with undeclared facts taken as they are assumed."""

    @property
    def rate(self) -> Decimal | None:
        """Fraction, None if not ad valorem."""

    @property
    def base(self) -> Decimal:
        """Dollars."""

    @property
    def amount(self) -> Decimal:
        """Dollars."""

    @property
    def rule(self) -> str:
        """Id of the last stacking rule that touched the layer; empty if none did."""


class HasAuthority(Protocol):
    """What a layer must tell to be put in its place."""

    @property
    def authority(self) -> str:
        """Node of the authority tree."""


Placed = TypeVar("Placed", bound=HasAuthority)


@dataclass(frozen=True, slots=True)
class HeadingLine:
    """One heading as reported on an entry summary: `rate` is None if not ad valorem or not the same throughout."""

    heading: str
    measures: tuple[str, ...]
    rate: Decimal | None
    base: Decimal
    amount: Decimal


def in_reporting_order(law: Law, layers: Iterable[Placed]) -> list[Placed]:
    """Layers in the order of an entry summary; those of one place stay in the order of the law."""
    return in_order(reporting_order(law), layers)


def reporting_order(law: Law) -> tuple[str, ...]:
    """Nodes of the authority tree in the order of an entry summary."""
    return tuple(law.authorities.get("reporting", {}).get("order", ()))


def in_order(order: Sequence[str], layers: Iterable[Placed]) -> list[Placed]:
    """Layers in the order of their nodes; those of one place stay in the order given."""
    return sorted(layers, key=lambda layer: _place(layer.authority, order))


def _place(authority: str, order: Sequence[str]) -> int:
    """The place of the nearest node above an authority that the order names; the last place if none is."""
    parts = authority.split(".")
    for length in range(len(parts), 0, -1):
        node = ".".join(parts[:length])
        if node in order:
            return order.index(node)
    return len(order)


def headings_claimed(
    law: Law, layers: Iterable[Reported], facts: Mapping[str, Fact], applied_rules: Mapping[str, str]
) -> list[HeadingLine]:
    """The headings of an entry line in order, duplicates merged.

    Args:
        law: the law.
        layers: the layers of the line.
        facts: the declared facts; a chapter-98 claim is reported first.
        applied_rules: the heading each stacking rule reports on what it displaces, by rule id.
    """
    lines: dict[str, HeadingLine] = {}
    for claim in law.authorities.get("reporting", {}).get("claims", ()):
        heading = facts.get(claim)
        if heading:
            text = dotted(str(heading).replace(".", ""))
            lines[text] = HeadingLine(text, (), None, ZERO, ZERO)
    for layer in in_reporting_order(law, layers):
        if layer.heading and _is_claimed(layer, applied_rules):
            lines[layer.heading] = _merged(lines.get(layer.heading), layer)
    return list(lines.values())


def _is_claimed(layer: Reported, applied_rules: Mapping[str, str]) -> bool:
    """Whether a layer's heading stands on the entry: a displaced one only where the rule has a heading for it."""
    if layer.standing == DISPLACED:
        return layer.rule == IN_LIEU or bool(applied_rules.get(layer.rule))
    return layer.standing in {"applied", "exempt"} or layer.amount > 0


def _merged(line: HeadingLine | None, layer: Reported) -> HeadingLine:
    if line is None:
        return HeadingLine(layer.heading, (layer.measure,), layer.rate, layer.base, layer.amount)
    return HeadingLine(
        layer.heading,
        tuple(dict.fromkeys((*line.measures, layer.measure))),
        line.rate if line.rate == layer.rate else None,
        line.base + layer.base,
        line.amount + layer.amount,
    )
