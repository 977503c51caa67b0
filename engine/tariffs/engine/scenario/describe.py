"""Describe changes and assumptions of a scenario in words, for attributions and differences."""

from __future__ import annotations

from decimal import Decimal

from tariffs.engine.law.amendments import Change, Selector
from tariffs.engine.law.assumptions import Assumptions, PortCalls
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.model import Scope


def describe_change(change: Change) -> str:
    """Describe a change in one line, such as `set_rate fl301 for CN to 20% from 2027-01-01`."""
    parts = [change.op, _describe_target(change), *_describe_values(change), *_describe_dates(change)]
    return " ".join(part for part in parts if part)


def describe_step(points: Decimal) -> str:
    """Describe a step of a rate in percentage points, such as `+10pp`."""
    return f"{(points * 100).normalize():+f}pp"


def describe_assumptions(assumptions: Assumptions) -> dict[str, str]:
    """Describe each assumption in a few words, by its key and measure."""
    shares = {f"let_through {name}": percent(share) for name, share in assumptions.let_through.items()}
    shares |= {f"compliance {name}": percent(share) for name, share in assumptions.compliance.items()}
    shares |= {f"rents {name}": holder for name, holder in assumptions.rents.items()}
    return shares | {
        f"port_calls {name}": _describe_voyage(calls) for name, calls in assumptions.port_calls.items()
    }


def _describe_voyage(calls: PortCalls) -> str:
    figures = (
        (calls.net_tons, "net tons"),
        (calls.teu, "TEU"),
        (calls.cargo_tons, "tons of cargo"),
        (calls.containers, "containers a call"),
        (calls.calls, "calls"),
        (calls.usd_per_unit, "USD per unit of currency"),
    )
    amounts = [f"{figure:,} {word}" for figure, word in figures if figure is not None]
    share = [f"{percent(calls.share)} of the cargo"] if calls.share is not None else []
    return ", ".join([" ".join(filter(None, (calls.kind, calls.ship, "ships"))), *amounts, *share])


def _describe_target(change: Change) -> str:
    if change.op == "add":
        return str(change.measure.get("id", ""))
    named = change.name or change.rule or change.claim or _describe_selector(change.selector)
    scope = change.goods if change.selector.scope.is_any else change.selector.scope
    return f"{named} {_describe_scope(scope)}".strip()


def _describe_selector(selector: Selector) -> str:
    return ", ".join((*selector.ids, selector.authority, selector.heading)).strip(", ")


def _describe_scope(scope: Scope) -> str:
    words = [word for names in (*scope.origins, *scope.products) for word in sorted(names)]
    without = sorted(scope.not_origins | scope.not_products)
    shown = f"for {_first_few(words)}" if words else ""
    return f"{shown} without {_first_few(without)}".strip() if without else shown


def _first_few(words: list[str]) -> str:
    more = f" and {len(words) - 3} more" if len(words) > 3 else ""
    return ", ".join(words[:3]) + more


def _describe_values(change: Change) -> list[str]:
    step = change.step
    by = (describe_step(step.points) if step.points else f"x{step.factor.normalize():f}") if step else ""
    return [
        *([f"to {percent(change.rate)}"] if change.rate is not None else []),
        *([f"by {by}"] if by else []),
        *([f"keeping {percent(change.kept)}"] if change.kept is not None else []),
        *([f"to {percent(change.share)}"] if change.share is not None else []),
        *([f"to at most {change.limit:,f} USD"] if change.limit is not None else []),
        *([f"to at least {change.floor:,f} USD"] if change.floor is not None else []),
        *([f"rents of the {change.rents}"] if change.rents else []),
        *([f"to {change.value}"] if change.value else []),
        *([f"by {change.measure.get('id', '')}"] if change.op == "replace" else []),
    ]


def _describe_dates(change: Change) -> list[str]:
    named = (("from", change.start), ("until", change.until), ("to", change.to))
    return [f"{word} {text[:10]}" for word, text in named if text]
