"""Why a layer is as it is, in one sentence rendered from the rule and its operands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.describe_rows import describe_base, percent
from tariffs.engine.law.model import PROHIBITION, Row
from tariffs.engine.law.stacking import (
    APPLIED,
    DISPLACED,
    EXEMPT,
    IN_LIEU,
    NO_CONTENT,
    PROHIBITED,
    SUSPENDED,
    Layer,
    Step,
)
from tariffs.engine.rating.fits import PricedRow


def why(priced: PricedRow, rule_texts: dict[str, str]) -> dict[str, str]:
    """The reason for a layer: `rule` (its id), `text` (a sentence) and the operands by name.

    Operands: `acts` (the period and acts that made the row), `by` (the measures a stacking rule fired on), `if` (the
    conditions the row was chosen by), `base`, and `ordinary` (the rate that a floor is filled up from).

    Args:
        priced: the layer with its amounts.
        rule_texts: what each stacking rule says, by id.
    """
    layer = priced.layer
    acts = ", ".join(layer.row.acts)
    last = layer.steps[-1] if layer.steps else None
    found = {"rule": last.rule if last else acts, "acts": acts, "by": ", ".join(last.by) if last else ""}
    found["if"] = " and ".join(condition.words for condition in layer.row.conditions)
    if layer.state == APPLIED:
        found["base"] = describe_base(layer.weights)
    if layer.row.kind == "topup_to":
        found["ordinary"] = percent(priced.ordinary.rate)
    given = f" because {fact_words(layer.row, priced.assumed)}" if layer.row.conditions else ""
    found["text"] = _sentence(priced, rule_texts, given)
    return {name: text for name, text in found.items() if text}


def why_if(priced: PricedRow, rule_texts: dict[str, str]) -> dict[str, str]:
    """The reason for a layer that is charged only under facts that the line does not declare, as `why`."""
    text = f"Not charged as the line is declared. {otherwise(priced, rule_texts)}"
    return why(priced, rule_texts) | {"text": text}


def otherwise(priced: PricedRow, rule_texts: dict[str, str]) -> str:
    """The charge of a layer under facts that the line does not declare, as a sentence."""
    row = priced.layer.row
    facts = fact_words(row) if row.conditions else "other facts are declared"
    return f"If {facts}: {_sentence(priced, rule_texts, '')}"


def fact_words(row: Row, assumed: Sequence[Condition] = ()) -> str:
    """The conditions by which a row holds, as a clause; those `assumed` hold because the fact is not declared."""
    claimed = "not denied" if row.undeclared_applies else "claimed"
    return " and ".join(
        f"{condition.claim} is not declared, so taken as {condition.opposite}"
        if condition in assumed
        else _fact(condition, claimed)
        for condition in row.conditions
    )


def _fact(condition: Condition, claimed: str) -> str:
    if condition.op:
        return condition.words
    return f"{condition.claim} is {'not claimed' if condition.negated else claimed}"


def _sentence(priced: PricedRow, rule_texts: dict[str, str], given: str) -> str:
    layer, row = priced.layer, priced.layer.row
    if layer.state == DISPLACED:
        return _displaced(layer.steps[-1], rule_texts)
    if layer.state == PROHIBITED:
        bare = replace(row, conditions=tuple(c for c in row.conditions if not c.op))
        given = f" because {fact_words(bare)}" if bare.conditions else ""
        return f"Importation is prohibited{given}: the goods may not be entered, and no duty is computed on them."
    if layer.state == SUSPENDED and row.kind == PROHIBITION:
        return "On the books and suspended: the prohibition is not applied, and the goods may be entered."
    if layer.state == SUSPENDED:
        return f"On the books and suspended: {_statutory(layer)} is not collected."
    if any(step.rule == NO_CONTENT for step in layer.steps):
        return "Nothing to charge: the article has no content of this metal."
    if row.exempt:
        return f"Relieved under {priced.heading or 'its own terms'}{given}."
    if layer.state == EXEMPT:
        return f"Left out of the base: {describe_base(layer.weights)} is reported under {priced.heading} at 0{given}."
    void = " Assessed and not owed: the duty is void." if row.void else ""
    return f"{_rate_words(priced)} on {describe_base(layer.weights)}{given}.{_taken(layer, rule_texts)}{void}"


def _displaced(last: Step, rule_texts: dict[str, str]) -> str:
    if last.rule == IN_LIEU:
        return f"Charged at 0: {', '.join(last.by)} is in lieu of the ordinary duty."
    text = rule_texts.get(last.rule) or last.rule
    return f"Displaced by {', '.join(last.by) or 'a declared fact'}: {text}."


def _taken(layer: Layer, rule_texts: dict[str, str]) -> str:
    """What rules took of the base of a layer that is still charged."""
    found = []
    for step in layer.steps:
        by = f"{', '.join(step.by)}: " if step.by else ""
        found.append(f" {by}{rule_texts.get(step.rule) or step.rule}.")
    return "".join(found)


def _statutory(layer: Layer) -> str:
    return percent(layer.row.rate) if layer.row.rate is not None else "the duty"


def _rate_words(priced: PricedRow) -> str:
    words = _charged_words(priced)
    return f"{words}, what a suspension keeps," if priced.layer.row.kept else words


def _charged_words(priced: PricedRow) -> str:
    row = priced.layer.row
    if row.kind == "ordinary":
        column = "Column 2 rate" if row.column == "other" else "Ordinary rate"
        program = f" (program {priced.ordinary.program})" if priced.ordinary.program else ""
        return f"{column} {priced.ordinary.text or 'of the schedule'}{program}"
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
