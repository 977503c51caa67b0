"""Describe rows and acts of measures in words: goods, charge, base, dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from tariffs.engine.law.amendments import OPS, Change
from tariffs.engine.law.model import (
    ALUMINUM,
    COPPER,
    FULL_BASE,
    PROCESSING,
    PROHIBITION,
    REST,
    STEEL,
    TERMS,
    US,
    US_ABOVE,
    Row,
    Scope,
    Tier,
    Weights,
)

ALL_GOODS = "all goods"
_SHOWN = 6
_PART_WORDS = {
    STEEL: "the steel content",
    ALUMINUM: "the aluminum content",
    COPPER: "the copper content",
    US: "the US content up to the cap",
    US_ABOVE: "the US content above the cap",
    REST: "the rest of the value",
    PROCESSING: "the value of repair or processing",
}
_US_WHOLE = "the US content"


def percent(rate: Decimal) -> str:
    """Format a fraction as a percentage without trailing zeros."""
    return f"{(rate * 100).normalize():f}%"


def describe_goods(scope: Scope) -> str:
    """Describe origins and products of a scope, such as `CN of 9503 without 9503.00.0073`; lists by name."""
    origins = " and ".join(_names(names) for names in scope.origins)
    products = " and of ".join(_names(names) for names in scope.products)
    without = _names(scope.not_origins | scope.not_products)
    words = " ".join(filter(None, (origins, f"of {products}" if products and origins else products)))
    return f"{words or ALL_GOODS} without {without}" if without else words or ALL_GOODS


def describe_charge(row: Row) -> str:
    """Describe the charge of a row, such as `25%`, `up to 15% all-in` or `0.22 USD/W`."""
    if row.absent:
        return "nothing"
    if row.kind == "ordinary":
        return f"the ordinary rate, column {row.column}"
    if row.price is not None:
        return f"the shortfall to {row.price.usd} USD/{row.price.unit}"
    if row.tiers:
        return _tier_words(row.tiers)
    if row.rate is None:
        return "imports are prohibited"
    if row.exempt:
        return "free"
    forms = {"topup_to": "up to {} all-in", "total": "{} in lieu of the ordinary duty"}
    return forms.get(row.kind, "{}").format(percent(row.rate))


def _tier_words(tiers: Sequence[Tier]) -> str:
    said = [
        f"{tier.rate.usd} USD/{tier.rate.unit}"
        + (f" up to {tier.up_to:,f}" if tier.up_to is not None else "")
        for tier in tiers
    ]
    return ", then ".join(said)


def describe_base(weights: Weights) -> str:
    """Describe a base: the customs value, parts of it, or the value less parts."""
    if weights == FULL_BASE:
        return "the customs value"
    left_out = [part for part in TERMS["full"] if not weights[part]]
    named = [part for part, weight in enumerate(weights) if weight]
    if weights[REST] and len(left_out) < len(named):
        return "the customs value less " + _parts(left_out)
    return _parts(named)


def _parts(parts: Sequence[int]) -> str:
    both = {US, US_ABOVE} <= set(parts)
    words = [_PART_WORDS[part] for part in parts if not (both and part in {US, US_ABOVE})]
    return " and ".join([*words, _US_WHOLE] if both else words)


def _names(names: Iterable[str]) -> str:
    """Join names in order, codes with dots, the first of many."""
    shown = [_dotted(name) for name in sorted(names)]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def _dotted(name: str) -> str:
    if not name.isdigit() or len(name) <= len("9503"):
        return name
    return ".".join(part for part in (name[:4], name[4:6], name[6:]) if part)


def describe_row_list(rows: Sequence[Row]) -> str:
    """Summarize the rates of rows."""
    rates = sorted({row.rate for row in rows if row.rate is not None and not row.exempt})
    kinds = {row.kind for row in rows if not row.exempt}
    if PROHIBITION in kinds:
        return "importation is prohibited"
    if not rates:
        return "duty per unit" if kinds & {"specific", "minimum_price"} else "the rates of the schedule"
    span = percent(rates[0]) if len(rates) == 1 else f"{percent(rates[0])} to {percent(rates[-1])}"
    if kinds == {"topup_to"}:
        return f"topped up to {span}"
    return f"{span} in lieu of the ordinary duty" if kinds == {"total"} else span


def describe_act(change: Change) -> str:
    """Describe an act: its verb, goods, dates and rates."""
    words = [f"{change.op}: {OPS[change.op].text}", *scope_words(change.selector.scope)]
    rates: list[tuple[str, Decimal | None]] = [("rate", change.rate), ("keeping", change.kept)]
    words += [f"{name} {percent(rate)}" for name, rate in rates if rate is not None]
    days = ("from", change.start), ("until", change.until), ("to", change.to)
    words += [f"{name} {day}" for name, day in days if day]
    words += ["from the beginning"] if change.from_beginning else []
    others = ("collection stops", change.collection_stop), ("heading", change.heading)
    return "; ".join([*words, *(f"{name} {value}" for name, value in others if value)])


def scope_words(scope: Scope) -> list[str]:
    """Describe the goods of a scope, a part for each of its limits."""
    words = [f"origins {_some(names)}" for names in scope.origins]
    words += [f"products {_some(names)}" for names in scope.products]
    words += [f"without {_some(names)}" for names in (scope.not_origins, scope.not_products) if names]
    return words


def _some(names: frozenset[str]) -> str:
    ordered, shown = sorted(names), 6
    return ", ".join(ordered[:shown]) + (f" and {len(ordered) - shown} more" if len(ordered) > shown else "")
