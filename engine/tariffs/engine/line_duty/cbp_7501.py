"""Headings claimed on CBP Form 7501 (entry summary), with their amounts; headings with an amount of 0 included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from tariffs.engine.base.named_tuples import maker
from tariffs.engine.law.law import Law
from tariffs.engine.law.stacking import APPLIED, DISPLACED, EXEMPT, IN_LIEU
from tariffs.engine.line_duty.class_profile import ClassProfile
from tariffs.engine.line_duty.pricing import NOTHING
from tariffs.engine.line_duty.rounding import QuoteLayer
from tariffs.engine.rating.fits import dotted


class HeadingLine(NamedTuple):
    """Heading on an entry summary; `rate` is None if not ad valorem or not the same for all merged layers."""

    heading: str
    measures: tuple[str, ...]
    rate: Decimal | None
    base: Decimal
    amount: Decimal


_heading_line = maker(HeadingLine)


def headings_claimed(law: Law, layers: Iterable[QuoteLayer], profile: ClassProfile) -> list[HeadingLine]:
    """List the headings of an entry line in reporting order, duplicates merged.

    A chapter 98 claim is reported first. Goods that are prohibited as a whole have no headings.

    Args:
        layers: the layers of the line, in reporting order.
    """
    if profile.prohibited.whole:
        return []
    lines: dict[str, HeadingLine] = {}
    for claim in law.authorities.get("reporting", {}).get("claims", ()):
        heading = profile.facts.get(claim)
        if heading:
            text = dotted(str(heading).replace(".", ""))
            lines[text] = HeadingLine(text, (), None, NOTHING, NOTHING)
    for layer in layers:
        heading, state = layer.heading, layer.assumed_state
        if not heading or (state != APPLIED and not _is_claimed(layer, profile.rule_headings)):
            continue
        priced, line = layer.priced, lines.get(heading)
        if line is None:
            lines[heading] = _heading_line((heading, (priced.key[0],), priced.rate, layer.base, layer.amount))
        else:
            lines[heading] = _merged(line, layer)
    return list(lines.values())


def _is_claimed(layer: QuoteLayer, applied_rules: Mapping[str, str]) -> bool:
    """Test whether a heading is claimed on the entry: a displaced one only where the rule has a heading for it."""
    if layer.assumed_state == DISPLACED:
        return layer.rule == IN_LIEU or bool(applied_rules.get(layer.rule))
    return layer.assumed_state in {APPLIED, EXEMPT} or layer.amount > 0


def _merged(line: HeadingLine, layer: QuoteLayer) -> HeadingLine:
    return HeadingLine(
        layer.heading,
        tuple(dict.fromkeys((*line.measures, layer.measure))),
        line.rate if line.rate == layer.rate else None,
        line.base + layer.base,
        line.amount + layer.amount,
    )
