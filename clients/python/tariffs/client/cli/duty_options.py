"""`tariffs options`: lawful ways to pay less duty on a line."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column

from tariffs.client.cli import options as common
from tariffs.client.cli import outputs
from tariffs.client.cli.commands import LAW, UNIT, Output, Own, UnderLaw, command, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.duty_options import OPTION_TITLES, DutyOption, OptionsResult, ScenarioOptions
from tariffs.client.results.short_names import spelled_out
from tariffs.run_spec.option import Kind

_FOLDED = {"needs_fact": "Not computed without a fact", "no_gain": "Saves nothing (--wide has the reasons)"}
"""Titles of the options that are listed by name alone, by state."""
EXAMPLES = examples(
    "tariffs options 9503.00.0073 --origin CN --date 2025-04-20 --value 10000 --withdrawal 2025-06-20",
    "tariffs options 8471.30.0100 --origin MX --date 2026-06-20 --value 10000 --fact usmca_share=1",
    "tariffs options 9503.00.0073 --origin VN --value 50000 --export-share 40% --first-sale-value 38000 --rate 6%",
    "tariffs options 9503.00.0073 --origin CN --value 10000 --export-share 1 -s ieepa-upheld-truce-lapsed",
)


_FACTS = (
    Own("--admission", "DAY", "Day of admission to a zone or bonded warehouse. Default: --date."),
    Own("--withdrawal", "DAY", "Day of withdrawal from it. Default: --date."),
    Own("--export-share", "SHARE", "Share that is exported or destroyed."),
    Own("--first-sale-value", "USD", "Price of an earlier sale for export here."),
    Own("--us-content", "USD", "Cost of components made in the United States."),
    Own("--rate", "RATE", "Yearly interest for what is paid later; without it none is assumed."),
)
"""Facts that have an option."""
_CLAIM = "Declared fact of the ordinary entry."


@command
@with_options(
    Own("--origin", "CC", "Country of origin.", ""),
    Own("--date", "DAY", "Day of the ordinary entry. Default: the law's as-of day.", argument="entry_date"),
    Own("--value", "USD", "Customs value of the line.", ""),
    ...,
    *_FACTS,
    Own("--fact", "NAME=VALUE", "Another fact, as the answer names it.", kind=list[str] | None),
    Own("--claim", "NAME=VALUE", _CLAIM, kind=Kind.PAIRS, argument="claims"),
    Own("--quantity", None, "Quantity; required for specific rates."),
    UNIT,
    Own("--mode", "ocean|air|land", "Mode of transport; decides fees."),
    "parameters",
    *LAW,
)
def options(
    client: UnderLaw,
    hts: Annotated[
        str, typer.Argument(metavar="HTS", help="HTS code of 4 to 10 digits, with or without dots.")
    ],
    scenario: common.Scenarios = None,
    wide: common.Wide = False,
    **given: Any,
) -> Output:
    """List lawful ways to pay less duty on a line, with their saving, catch and papers.

    Zones, bonded warehouses, drawback, first sale, chapter 98, preferences, refunds and days of payment: each priced
    alone by quoting the line, and the best set as a whole, so that no dollar counts twice. What needs a fact that is
    not given is named and not computed. A planning estimate; not a ruling or advice.
    """
    facts = {one.name: given.pop(one.name) for one in _FACTS if one.name in given}
    facts = common.pairs(given.pop("fact", None), "--fact", facts)
    result = client.options(hts, facts=facts, scenarios=scenario or (), **given)
    document = outputs.document("options", result.to_json_dict())
    return Output(document, lambda: _print(result, wide=wide))


def _print(result: OptionsResult, *, wide: bool) -> None:
    out = console()
    for one in result.scenarios:
        _print_scenario(out, one, wide=wide)
    if result.open_facts:
        out.print("Facts that would change the answer (--fact NAME=VALUE):")
        out.print(text_table(["fact", "meaning"], ([one.name, one.text] for one in result.open_facts)))
        out.print()
    out.print("Not a ruling or advice. Costs of zones, warehouses, bonds and brokers are not counted.")
    print_footer(out, result.provenance)


def _is_shown(option: DutyOption) -> bool:
    """Test whether an option has a saving, or is closed whatever the facts."""
    return bool(option.saving or option.saving_if) or option.state not in _FOLDED


def _print_scenario(out: Console, one: ScenarioOptions, *, wide: bool) -> None:
    first, best = one.sentences
    out.print(f"[bold]{escape(one.id)}[/bold]: {first[0].lower()}{escape(first[1:])}")
    out.print(escape(best))
    out.print()
    words, state, *amounts, why = OPTION_TITLES
    columns: list[str | Column] = [words, state, *right(*amounts), why]
    shown = [option for option in one.options if wide or _is_shown(option)]
    if shown:
        cells = ([*option.cells[:-1], spelled_out(option.why)] for option in shown)
        out.print(text_table(columns, cells))
        out.print()
    for state, title in _FOLDED.items():
        names = [option.title for option in one.options if option.state == state and option not in shown]
        if names:
            out.print(escape(f"{title}: {'; '.join(names)}."))
            out.print()
    for option in one.options if wide else (each for each in one.options if each.state == "saves"):
        out.print(f"[bold]{escape(option.title)}[/bold]")
        out.print(f"  Catch: {escape(option.catch)}")
        out.print(f"  Papers: {escape('; '.join(option.papers))}.")
        out.print(f"  [dim]{escape('; '.join(option.citations))}[/dim]")
        out.print()
