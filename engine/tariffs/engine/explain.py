"""Why a layer is as it is, in one sentence rendered from the rule and its operands."""

from __future__ import annotations

from decimal import Decimal

from tariffs.engine.law.model import (
    ALUMINUM,
    COPPER,
    FULL_BASE,
    PROCESSING,
    REST,
    STEEL,
    TERMS,
    US,
    US_ABOVE,
)
from tariffs.engine.law.stacking import DISPLACED, IN_LIEU, NO_CONTENT, SUSPENDED, Layer
from tariffs.engine.rating import Priced

_PART_WORDS = {
    STEEL: "the steel content",
    ALUMINUM: "the aluminum content",
    COPPER: "the copper content",
    US: "the US content up to the cap",
    US_ABOVE: "the US content above the cap",
    REST: "the rest of the value",
    PROCESSING: "the value of repair or processing",
}


def percent(rate: Decimal) -> str:
    """A fraction as a percentage without needless zeros."""
    return f"{(rate * 100).normalize():f}%"


def why(priced: Priced, rule_texts: dict[str, str]) -> dict[str, str]:
    """The reason for a layer: `rule` (its id), `text` (a sentence) and the operands by name.

    Args:
        priced: the layer with its amounts.
        rule_texts: what each stacking rule says, by id.
    """
    layer = priced.layer
    acts = ", ".join(layer.row.acts)
    last = layer.steps[-1] if layer.steps else None
    found = {"rule": last.rule if last else acts, "acts": acts}
    if last and last.by:
        found["by"] = ", ".join(last.by)
    found["text"] = _sentence(priced, rule_texts)
    return found


def _sentence(priced: Priced, rule_texts: dict[str, str]) -> str:
    layer, row = priced.layer, priced.layer.row
    if layer.state == DISPLACED:
        last = layer.steps[-1]
        if last.rule == IN_LIEU:
            return f"Charged at 0: {', '.join(last.by)} is in lieu of the ordinary duty."
        text = rule_texts.get(last.rule) or last.rule
        return f"Displaced by {', '.join(last.by) or 'a declared fact'}: {text}."
    if layer.state == SUSPENDED:
        return f"On the books and suspended: {_statutory(layer)} is not collected."
    if any(step.rule == NO_CONTENT for step in layer.steps):
        return "Nothing to charge: the article has no content of this metal."
    conditions = " and ".join(condition.text for condition in row.conditions)
    given = f" because {conditions}" if conditions else ""
    if row.exempt:
        return f"Relieved under {priced.heading or 'its own terms'}{given}."
    return f"{_rate_words(priced)} on {_base_words(layer)}{given}."


def _statutory(layer: Layer) -> str:
    return percent(layer.row.rate) if layer.row.rate is not None else "the duty"


def _rate_words(priced: Priced) -> str:
    row = priced.layer.row
    if row.kind == "ordinary":
        return f"Ordinary rate {priced.ordinary.text or 'of the schedule'}" + (
            f" (program {priced.ordinary.program})" if priced.ordinary.program else ""
        )
    if row.kind == "topup_to":
        return (
            f"Topped up to {percent(row.rate or Decimal(0))} all-in: {percent(priced.rate or Decimal(0))} over the "
            f"ordinary {percent(priced.ordinary.rate)}"
        )
    if row.kind == "total":
        return f"{percent(row.rate or Decimal(0))} in lieu of the ordinary duty"
    if row.kind == "minimum_price" and row.price:
        return f"The shortfall to the minimum price of {row.price.usd} USD/{row.price.unit}"
    if row.kind == "specific":
        return f"{row.tiers[0].rate.usd} USD/{row.tiers[0].rate.unit}"
    return percent(row.rate or Decimal(0))


def _base_words(layer: Layer) -> str:
    weights = layer.weights
    if weights == FULL_BASE:
        return "the customs value"
    named = [part for part, weight in enumerate(weights) if weight]
    left_out = [part for part in TERMS["full"] if not weights[part]]
    if weights[REST] and len(left_out) < len(named):
        return "the customs value less " + " and ".join(_PART_WORDS[part] for part in left_out)
    return " and ".join(_PART_WORDS[part] for part in named)
