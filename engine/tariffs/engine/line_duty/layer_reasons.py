"""Render the reason for a layer as one sentence from its rule and operands."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal

from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.describe_rows import describe_base, percent
from tariffs.engine.law.law import REVIVE
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
from tariffs.engine.line_duty.pricing import PricedRow


def why(priced: PricedRow, rule_texts: Mapping[str, str]) -> dict[str, str]:
    """Build the reason for a layer: `rule` (its id), `text` (a sentence) and the operands by name.

    Operands: `acts` (the period and acts that made the row), `by` (the measures that triggered a stacking rule), `if`
    (the conditions of the row), `base`, and `ordinary` (the ordinary rate under a top-up).

    Args:
        rule_texts: the texts of the stacking rules, by id.
    """
    layer = priced.layer
    acts = ", ".join(layer.row.acts)
    last = layer.steps[-1] if layer.steps else None
    reason = {"rule": last.rule if last else acts, "acts": acts, "by": ", ".join(last.by) if last else ""}
    reason["if"] = " and ".join(condition.words for condition in layer.row.conditions)
    if layer.state == APPLIED:
        reason["base"] = describe_base(layer.weights)
    if layer.row.kind == "topup_to":
        reason["ordinary"] = percent(priced.ordinary.rate)
    because = f" because {fact_words(layer.row, priced.row.assumed)}" if layer.row.conditions else ""
    reason["text"] = _sentence(priced, rule_texts, because)
    return {name: text for name, text in reason.items() if text}


def wording(priced: PricedRow) -> Hashable | None:
    """Return a value that is equal for rows with the same sentences; None if the layer is that of the line alone."""
    row, layer, key, _, _, _, _, ordinary = priced
    if layer is not row.layer:
        return None
    # What is charged names neither its heading nor, at the ordinary rate, the rate that a quantity gives.
    heading = "" if layer.state == APPLIED and not layer.row.exempt else key[1]
    shown = ordinary[1:] if layer.row.kind == "ordinary" else ordinary
    return row.number, heading, shown


def why_if(priced: PricedRow, rule_texts: Mapping[str, str]) -> dict[str, str]:
    """Build the reason for a layer that is charged only under facts that the line does not declare, as `why`."""
    text = f"Not charged as the line is declared. {otherwise(priced, rule_texts)}"
    return why(priced, rule_texts) | {"text": text}


def with_switches(reason: Mapping[str, str], switches: Mapping[str, str], *, revived: bool) -> dict[str, str]:
    """Complete the reason for a layer by the switches that decide it, also as the operand `switch`.

    Args:
        switches: the switches that the period of the measure exists under, with their values.
        revived: whether the layer is owed beyond what is assessed, because a void duty had displaced it.
    """
    named = {**switches, REVIVE: "on"} if revived else switches
    text = reason["text"] + "".join(f" Switch {name} is {value}." for name, value in switches.items())
    if revived:
        text += f" Owed without the void duty: switch {REVIVE} is on."
    return {**reason, "text": text, "switch": ", ".join(f"{name}={value}" for name, value in named.items())}


def otherwise(priced: PricedRow, rule_texts: Mapping[str, str]) -> str:
    """Describe the charge of a layer under facts that the line does not declare."""
    row = priced.layer.row
    facts = fact_words(row) if row.conditions else "other facts are declared"
    return f"If {facts}: {_sentence(priced, rule_texts, '')}"


def fact_words(row: Row, assumed: Sequence[Condition] = ()) -> str:
    """Describe the conditions of a row as a clause; those `assumed` hold because the fact is not declared."""
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


def _sentence(priced: PricedRow, rule_texts: Mapping[str, str], because: str) -> str:
    layer, row = priced.layer, priced.layer.row
    if layer.state == DISPLACED:
        return _displaced(layer.steps[-1], rule_texts)
    if layer.state == PROHIBITED:
        bare = row._replace(conditions=tuple(c for c in row.conditions if not c.op))
        because = f" because {fact_words(bare)}" if bare.conditions else ""
        return f"Importation is prohibited{because}: the goods may not be entered, and no duty is computed on them."
    if layer.state == SUSPENDED and row.kind == PROHIBITION:
        return "Suspended: the prohibition is not applied, and the goods may be entered."
    if layer.state == SUSPENDED:
        return f"Suspended: {_statutory(layer)} is not collected."
    if any(step.rule == NO_CONTENT for step in layer.steps):
        return "Not charged: the article has no content of this metal."
    if row.exempt:
        return f"Exempt under {priced.heading or 'the terms of the measure'}{because}."
    if layer.state == EXEMPT:
        base = describe_base(layer.weights)
        return f"Excluded from the base: {base} is reported under {priced.heading} at 0{because}."
    void = " Assessed and not owed: the duty is void." if row.void else ""
    return f"{_rate_words(priced)} on {describe_base(layer.weights)}{because}.{_reductions(layer, rule_texts)}{void}"


def _displaced(last: Step, rule_texts: Mapping[str, str]) -> str:
    if last.rule == IN_LIEU:
        return f"Charged at 0: {', '.join(last.by)} is in lieu of the ordinary duty."
    text = rule_texts.get(last.rule) or last.rule
    return f"Displaced by {', '.join(last.by) or 'a declared fact'}: {text}."


def _reductions(layer: Layer, rule_texts: Mapping[str, str]) -> str:
    """Describe how stacking rules reduced the base of a charged layer."""
    sentences = []
    for step in layer.steps:
        by = f"{', '.join(step.by)}: " if step.by else ""
        sentences.append(f" {by}{rule_texts.get(step.rule) or step.rule}.")
    return "".join(sentences)


def _statutory(layer: Layer) -> str:
    return percent(layer.row.rate) if layer.row.rate is not None else "the duty"


def _rate_words(priced: PricedRow) -> str:
    words = _charged_words(priced)
    return f"{words}, kept during a suspension," if priced.layer.row.kept else words


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
