"""`tariffs options`: lawful ways to pay less duty on a line."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column

from tariffs.client.cli import options as common
from tariffs.client.cli import outputs
from tariffs.client.cli.commands import Output, UnderLaw, command, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.duty_options import OPTION_TITLES, DutyOption, OptionsResult, ScenarioOptions
from tariffs.client.results.short_names import spelled_out

_FOLDED = {"needs_fact": "Not computed without a fact", "no_gain": "Saves nothing (--wide has the reasons)"}
"""Titles of the options that are listed by name alone, by state."""
EXAMPLES = examples(
    "tariffs options 9503.00.0073 --origin CN --date 2025-04-20 --value 10000 --withdrawal 2025-06-20",
    "tariffs options 8471.30.0100 --origin MX --date 2026-06-20 --value 10000 --fact usmca_share=1",
    "tariffs options 9503.00.0073 --origin VN --value 50000 --export-share 40% --first-sale-value 38000 --rate 6%",
    "tariffs options 9503.00.0073 --origin CN --value 10000 --export-share 1 -s ieepa-upheld-truce-lapsed",
)


@command
@with_options("parameters", "known_on", "switches", "min_confidence")
def options(
    client: UnderLaw,
    hts: Annotated[
        str, typer.Argument(metavar="HTS", help="HTS code of 4 to 10 digits, with or without dots.")
    ],
    origin: Annotated[str, typer.Option("--origin", metavar="CC", help="Country of origin.")] = "",
    date: Annotated[
        str | None,
        typer.Option(
            "--date", metavar="DAY", help="Day of the ordinary entry. Default: the law's as-of day."
        ),
    ] = None,
    value: Annotated[str, typer.Option("--value", metavar="USD", help="Customs value of the line.")] = "",
    scenario: common.Scenarios = None,
    admission: Annotated[
        str | None,
        typer.Option(
            "--admission",
            metavar="DAY",
            help="Day of admission to a zone or bonded warehouse. Default: --date.",
        ),
    ] = None,
    withdrawal: Annotated[
        str | None,
        typer.Option("--withdrawal", metavar="DAY", help="Day of withdrawal from it. Default: --date."),
    ] = None,
    export_share: Annotated[
        str | None,
        typer.Option("--export-share", metavar="SHARE", help="Share that is exported or destroyed."),
    ] = None,
    first_sale_value: Annotated[
        str | None,
        typer.Option("--first-sale-value", metavar="USD", help="Price of an earlier sale for export here."),
    ] = None,
    us_content: Annotated[
        str | None,
        typer.Option("--us-content", metavar="USD", help="Cost of components made in the United States."),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            "--rate",
            metavar="RATE",
            help="Yearly interest for what is paid later; without it none is assumed.",
        ),
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option("--fact", metavar="NAME=VALUE", help="Another fact, as the answer names it."),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="NAME=VALUE", help="Declared fact of the ordinary entry."),
    ] = None,
    quantity: Annotated[
        str | None, typer.Option("--quantity", help="Quantity; required for specific rates.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Unit of the quantity: kg, no, W, ...")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="ocean|air|land", help="Mode of transport; decides fees.")
    ] = None,
    wide: common.Wide = False,
    **given: Any,
) -> Output:
    """List lawful ways to pay less duty on a line, with their saving, catch and papers.

    Zones, bonded warehouses, drawback, first sale, chapter 98, preferences, refunds and days of payment: each priced
    alone by quoting the line, and the best set as a whole, so that no dollar counts twice. What needs a fact that is
    not given is named and not computed. A planning estimate; not a ruling or advice.
    """
    named = {
        "admission": admission,
        "withdrawal": withdrawal,
        "export_share": export_share,
        "first_sale_value": first_sale_value,
        "us_content": us_content,
        "rate": rate,
    }
    facts = {name: text for name, text in named.items() if text is not None}
    result = client.options(
        hts,
        origin,
        date,
        value,
        facts=common.pairs(fact, "--fact", facts),
        scenarios=scenario or (),
        claims=common.pairs(claim, "--claim"),
        quantity=quantity,
        unit=unit,
        mode=mode,
        **given,
    )
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
