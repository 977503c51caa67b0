"""Describe rows and acts of the law in words, for lists of changes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tariffs.engine.law.amendments import OPS, Change
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.model import PROHIBITION, Row, Scope


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
