"""Changes and rates in words, for attributions and differences."""

from __future__ import annotations

from tariffs.engine.law.amendments import Change, Selector
from tariffs.engine.law.assumptions import Assumptions, PortCalls
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.model import Scope


def describe_change(change: Change) -> str:
    """A change in one line, such as `set_rate fl301 for CN to 20% from 2027-01-01`."""
    parts = [change.op, _object(change), *_values(change), *_dates(change)]
    return " ".join(part for part in parts if part)


def assumed(assumptions: Assumptions) -> dict[str, str]:
    """Each assumption in a few words, by what it is about."""
    found = {f"let_through {name}": percent(share) for name, share in assumptions.let_through.items()}
    found |= {f"compliance {name}": percent(share) for name, share in assumptions.compliance.items()}
    return found | {f"port_calls {name}": _voyage(calls) for name, calls in assumptions.port_calls.items()}


def _voyage(calls: PortCalls) -> str:
    figures = (
        (calls.net_tons, "net tons"),
        (calls.teu, "TEU"),
        (calls.cargo_tons, "tons of cargo"),
        (calls.containers, "containers a call"),
        (calls.calls, "calls"),
        (calls.usd_per_unit, "USD per unit of currency"),
    )
    said = [f"{figure:,} {word}" for figure, word in figures if figure is not None]
    share = [f"{percent(calls.share)} of the cargo"] if calls.share is not None else []
    return ", ".join([" ".join(filter(None, (calls.kind, calls.ship, "ships"))), *said, *share])


def _object(change: Change) -> str:
    if change.op == "add":
        return str(change.measure.get("id", ""))
    named = change.name or change.rule or change.claim or _selected(change.selector)
    scope = change.goods if change.selector.scope.is_any else change.selector.scope
    return f"{named} {_for(scope)}".strip()


def _selected(selector: Selector) -> str:
    return ", ".join((*selector.ids, selector.authority, selector.heading)).strip(", ")


def _for(scope: Scope) -> str:
    words = [word for names in (*scope.origins, *scope.products) for word in sorted(names)]
    without = sorted(scope.not_origins | scope.not_products)
    shown = f"for {_short(words)}" if words else ""
    return f"{shown} without {_short(without)}".strip() if without else shown


def _short(words: list[str]) -> str:
    more = f" and {len(words) - 3} more" if len(words) > 3 else ""
    return ", ".join(words[:3]) + more


def _values(change: Change) -> list[str]:
    found = []
    if change.rate is not None:
        found.append(f"to {percent(change.rate)}")
    if change.step is not None:
        points, factor = change.step.points, change.step.factor
        found.append(f"by {points * 100:+f}pp".rstrip("0") if points else f"by x{factor.normalize():f}")
    if change.kept is not None:
        found.append(f"keeping {percent(change.kept)}")
    if change.share is not None:
        found.append(f"to {percent(change.share)}")
    if change.floor is not None:
        found.append(f"to at least {change.floor:,f} USD")
    if change.value:
        found.append(f"to {change.value}")
    if change.op == "replace":
        found.append(f"by {change.measure.get('id', '')}")
    return found


def _dates(change: Change) -> list[str]:
    named = (("from", change.start), ("until", change.until), ("to", change.to))
    return [f"{word} {text[:10]}" for word, text in named if text]
