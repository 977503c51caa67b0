"""Print the duty on one entry line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import cast

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from tariffs.client.cli.render.notes import print_footer, print_notes
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.quote import Quote
from tariffs.client.results.short_names import label_of

LANDED_WORDS = {
    "customs_value": "customs value",
    "mpf": "merchandise processing fee",
    "hmf": "harbor maintenance fee",
    "adcvd": "antidumping and countervailing duty",
}
"""Parts of the landed cost whose names are no words."""
_STYLES = {
    "applied": "green",
    "exempt": "dim",
    "displaced": "yellow",
    "suspended": "blue",
    "undetermined": "magenta",
    "prohibited": "bold red",
}


def print_brief(quote: Quote) -> None:
    """Print the sum of a line and the layers that charge something, without reasons, assumptions and headings."""
    out = console()
    _print_totals(out, quote)
    for layer in quote.layers:
        if layer.amount:
            title = f"{label_of('measure', layer.measure)} {_rate(layer.rate)}"
            out.print(escape(f"  {title} ({layer.heading}): {_money(layer.amount)}"))
    print_footer(out, quote.provenance)


def print_quote(quote: Quote, words: Callable[[str], str]) -> None:
    """Print the layers of a line, their sum, the headings to report, and the reasons if the answer has them.

    Args:
        quote: what to print.
        words: writes a text, such as the id of a measure, as it is shown.
    """
    out = console()
    rows = (
        (
            Text(layer.state, _STYLES.get(layer.state, "")),
            words(layer.measure),
            layer.heading,
            _rate(layer.rate),
            _money(layer.base),
            _money(layer.amount),
        )
        for layer in quote.layers
    )
    out.print(text_table(["state", "measure", "heading", *right("rate", "base", "amount")], rows))
    out.print()
    _print_totals(out, quote)
    for layer in quote.layers:
        reason = layer.why.get("text") or layer.why.get("rule")
        if reason:
            out.print(f"[dim]{escape(words(layer.measure))}: {escape(words(reason))}[/dim]")
    if any(layer.why for layer in quote.layers):
        for switch, value in cast("Mapping[str, str]", quote.provenance["switches"]).items():
            out.print(f"[dim]switch: {escape(switch)}={escape(value)}[/dim]")
    print_notes(out, [replace(note, message=words(note.message)) for note in quote.notes])
    assumed: dict[str, list[str]] = {}
    for fact, _, text in (assumption.partition(": ") for assumption in quote.assumptions):
        assumed.setdefault(text, []).append(fact)
    for text, facts in assumed.items():
        told = ": ".join(filter(None, ["assumed", ", ".join(facts), text]))
        out.print(f"[dim]{escape(told)}[/dim]")
    print_footer(out, quote.provenance)
    if quote.headings:
        _print_headings(out, quote)
    for measure in quote.considered:
        out.print(f"[dim]not {escape(words(measure.measure))}: {escape(words(measure.text))}[/dim]")


def _print_totals(out: Console, quote: Quote) -> None:
    if quote.prohibited:
        names = ", ".join(label_of("measure", one) for one in quote.prohibited)
        out.print(f"[bold]prohibited[/bold] by {escape(names)}: see the note")
    landed = _money(quote.landed["total"]) if "total" in quote.landed else "not known"
    out.print(f"assessed {_money(quote.assessed)}   owed {_money(quote.owed)}   landed {landed}")
    parts = [
        f"{LANDED_WORDS.get(name, name)} {_money(amount)}"
        for name, amount in quote.landed.items()
        if amount and name != "total"
    ]
    if parts:
        out.print(f"[dim]landed is {' + '.join(parts)}[/dim]")
    if (quote.min, quote.max) != (quote.assessed, quote.assessed):
        undeclared = ", ".join(quote.missing_claims)
        out.print(f"between {_money(quote.min)} and {_money(quote.max)}, depending on: {undeclared}")


def _print_headings(out: Console, quote: Quote) -> None:
    out.print("[dim]headings in the order of an entry summary:[/dim]")
    for line in quote.headings:
        out.print(f"[dim]  {escape(line.heading)}  {_money(line.amount)}[/dim]")


def _rate(rate: Decimal | None) -> str:
    return "" if rate is None else f"{round(rate * 100, 4).normalize():f} %"


def _money(amount: Decimal) -> str:
    return f"{amount:,}"
