"""`tariffs options`: lawful ways to pay less duty on a line."""

from __future__ import annotations

from decimal import Decimal
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
from tariffs.client.results.duty_options import DutyOption, OptionsResult, ScenarioOptions

EXAMPLES = examples(
    "tariffs options 9503.00.0073 --origin CN --date 2025-04-20 --value 10000 --withdrawal 2025-06-20",
    "tariffs options 8471.30.0100 --origin MX --date 2026-06-20 --value 10000 --fact usmca_share=1",
    "tariffs options 9503.00.0073 --origin VN --value 50000 --export-share 40% --first-sale-value 38000 --rate 6%",
    "tariffs options 9503.00.0073 --origin CN --value 10000 --export-share 1 -s ieepa-upheld-truce-lapsed",
)
_STATES = {
    "saves": "saves",
    "no_gain": "saves nothing",
    "needs_fact": "needs a fact",
    "closed": "not open",
}


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
    facts = {fact.name: fact.text for fact in result.facts}
    missing = dict.fromkeys(
        name
        for one in result.scenarios
        for option in one.options
        for name in (*option.missing_facts, *option.would_change)
    )
    if missing:
        out.print("Facts that would change the answer (--fact NAME=VALUE):")
        out.print(text_table(["fact", "meaning"], ([name, escape(facts[name])] for name in missing)))
        out.print()
    out.print("Not a ruling or advice. Costs of zones, warehouses, bonds and brokers are not counted.")
    print_footer(out, result.provenance)


def _print_scenario(out: Console, one: ScenarioOptions, *, wide: bool) -> None:
    ordinary = one.ordinary
    out.print(
        f"[bold]{escape(one.id)}[/bold]: an ordinary entry pays {_usd(ordinary.duty)} duty and "
        f"{_usd(ordinary.fees)} fees."
    )
    out.print(_best(one))
    out.print()
    columns: list[str | Column] = ["option", "state", *right("pays", "saves", "paid later"), "why"]
    out.print(text_table(columns, map(_row, one.options)))
    out.print()
    for option in one.options if wide else (each for each in one.options if each.state == "saves"):
        out.print(f"[bold]{escape(option.title)}[/bold]")
        out.print(f"  Catch: {escape(option.catch)}")
        out.print(f"  Papers: {escape('; '.join(option.papers))}.")
        out.print(f"  [dim]{escape('; '.join(option.citations))}[/dim]")
        out.print()


def _best(one: ScenarioOptions) -> str:
    titles = {option.id: option.title for option in one.options}
    if not one.best.options:
        return "No option pays less on the facts given."
    names = "; ".join(escape(titles[name]) for name in one.best.options)
    cash = one.best.cost.cash
    later = f", and {_usd(cash)} for paying later" if cash else ""
    return f"The best lawful set saves {_usd(one.best.saving)}{later}: {names}."


def _row(option: DutyOption) -> list[str]:
    cost = option.cost
    net = None if cost is None else cost.duty + cost.fees - cost.refunded - cost.drawback
    saving = _usd(option.saving)
    if option.saving_if is not None:
        saving = f"{_usd(option.saving_if)} if so"
    later = _usd(cost.cash) if cost is not None and cost.cash else ""
    return [escape(option.title), _STATES[option.state], _usd(net), saving, later, escape(option.why)]


def _usd(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"
