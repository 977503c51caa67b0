"""`tariffs law validate`: effective rates of the law compared with published rates, and checks of its data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tariffs.client.cli import options
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.errors import module_of
from tariffs.client.results.headline import USMCA_SWITCH

_FAULT = 4
_TOP_ORIGINS = 6


def validate(
    dates: Annotated[
        list[str] | None, typer.Option("--on", metavar="DAY", help="Compute this day only; may be repeated.")
    ] = None,
    as_json: options.Json = False,
) -> int:
    """Compare effective rates of the law by day, authority and origin with published rates, and check the law data.

    Rates are without trade response, on imports of 2024, under the law of this installation.
    """
    engine = module_of("server", "tariffs.engine.validation.effective_rates")
    report: dict[str, Any] = engine.validate_days(dates or []).to_dict()
    if as_json:
        print(json.dumps(report))
    else:
        _print(console(), report)
    return 0 if report["ok"] else _FAULT


def _print(out: Console, report: Mapping[str, Any]) -> None:
    claims = report["claim_shares"].get(USMCA_SWITCH, "none")
    out.print(
        f"law {report['law_version']}, percent of the customs value of 2024 imports; USMCA claims of {claims}\n"
    )
    out.print(_days(report["days"]))
    if report["published"]:
        out.print()
        out.print(_published(report["published"]))
    out.print()
    out.print(_preferences(report["preferences"]))
    out.print()
    for kind, counts in report["confidence"].items():
        out.print(f"{kind}: " + ", ".join(f"{count} {conf}" for conf, count in counts.items()))
    for check in report["checks"]:
        names = f": {escape(', '.join(check['names']))}" if check["names"] else ""
        out.print(f"{'ok   ' if check['ok'] else 'FAULT'} {check['text']}{names}")


def _days(days: Sequence[Mapping[str, Any]]) -> Table:
    rows = (
        (
            day["date"],
            _percent(day["effective_rate"]),
            _percent(day["owed_rate"]),
            "-".join(_percent(bound, 1) for bound in day["range"] or ()),
            "" if day["in_range"] else "OUT",
            _listed(day["by_authority"]),
            _listed(dict(list(day["by_origin"].items())[:_TOP_ORIGINS])),
        )
        for day in days
    )
    return text_table(["day", *right("rate", "owed", "expected"), "", "by authority", "by origin"], rows)


def _published(figures: Sequence[Mapping[str, Any]]) -> Table:
    rows = (
        (
            one["id"],
            one["date"],
            one["view"],
            _percent(one["published"]),
            _percent(one["found"]),
            f"{100 * one['difference']:+.2f}",
            "" if one["within"] else one["reason"] or "NO REASON KNOWN",
        )
        for one in figures
    )
    numbers = right("published", "ours", "difference")
    return text_table(["figure", "day", "view", *numbers, "reason"], rows)


def _preferences(shares: Sequence[Mapping[str, Any]]) -> Table:
    rows = (
        (
            one["origin"],
            f"{one['due'] / 1e6:,.0f}",
            _percent(one["share"], 1),
            _percent(one["paid"], 1),
            f"{100 * (one['share'] - one['paid']):+.1f}",
        )
        for one in shares
    )
    columns = right("ordinary duty due, m USD", "relief in tables", "as paid in 2024", "difference")
    return text_table(["preference", *columns], rows)


def _listed(rates: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {_percent(rate)}" for name, rate in rates.items())


def _percent(rate: float, digits: int = 2) -> str:
    return f"{100 * rate:.{digits}f}"
