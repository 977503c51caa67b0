"""`tariffs source`: origins of a product by landed cost a unit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column

from tariffs.client.cli import options, outputs
from tariffs.client.cli.commands import Output, UnderLaw, command, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.short_names import label_of
from tariffs.client.results.source import OriginCost, SourceResult, usd

EXAMPLES = examples(
    "tariffs source 9503.00.0073 --unit-cost 10 --origins CN,VN,MX,ID --today CN",
    "tariffs source 9503.00.0073 --unit-cost 10 -s base -s ieepa-upheld-truce-lapsed --today CN --units 5000",
    "tariffs source 9503.00.0073 --unit-cost 10 --start 2025-01-01 --end 2025-12-31 --origins CN,VN,MX",
    "tariffs source 9503.00.0073 --offers prices.csv --mode ocean",
)


@command
@with_options("parameters", "known_on", "switches", "min_confidence")
def source(
    client: UnderLaw,
    hts: Annotated[
        str, typer.Argument(metavar="HTS", help="HTS code of 4 to 10 digits, with or without dots.")
    ],
    unit_cost: Annotated[
        str | None,
        typer.Option("--unit-cost", metavar="USD", help="Price of a unit, of origins without an offer."),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DAY", help="Day of entry. Default: the law's as-of day."),
    ] = None,
    start: Annotated[
        str, typer.Option("--start", metavar="DAY", help="First day of a period, in place of --on.")
    ] = "",
    end: Annotated[str, typer.Option("--end", metavar="DAY", help="Last day of the period.")] = "",
    scenario: options.Scenarios = None,
    origins: Annotated[
        list[str] | None,
        typer.Option(
            "--origins",
            metavar="CC,CC,...|all",
            help="Origins to compare. Default: those of the offers, or all.",
        ),
    ] = None,
    offers: Annotated[
        Path | None,
        typer.Option(
            "--offers",
            metavar="FILE",
            help="Prices: a table of origin, unit_cost, freight and insurance a unit.",
        ),
    ] = None,
    today: Annotated[
        str, typer.Option("--today", metavar="CC", help="Origin the goods come from now, to compare with.")
    ] = "",
    units: Annotated[
        str, typer.Option("--units", metavar="N", help="Units of an entry, over which its fees are divided.")
    ] = "1",
    claim: Annotated[
        list[str] | None,
        typer.Option(
            "--claim", metavar="NAME=VALUE", help="Declared fact about the goods, such as usmca_share=1."
        ),
    ] = None,
    quantity: Annotated[
        str | None, typer.Option("--quantity", help="Quantity of a unit; required for specific rates.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Unit of the quantity: kg, no, W, ...")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="ocean|air|land", help="Mode of transport; decides fees.")
    ] = None,
    freight: Annotated[
        str | None, typer.Option("--freight", metavar="USD", help="Freight of a unit.")
    ] = None,
    insurance: Annotated[
        str | None, typer.Option("--insurance", metavar="USD", help="Insurance of a unit.")
    ] = None,
    wide: options.Wide = False,
    **given: Any,
) -> Output:
    """Rank the origins of a product by landed cost a unit, under the law and scenarios.

    The landed cost is price, freight, duty and fees. Amounts are for one unit of an entry of --units. Over a period
    they are means by days, under a mixture expected values. A planning estimate from prices that you give; it does not
    say where goods can be bought.
    """
    named = options.keys(origins or [])
    result = client.source(
        hts,
        unit_cost,
        on=on,
        start=start,
        end=end,
        scenarios=scenario or (),
        origins=() if named == ["all"] else named,
        offers=offers,
        today=today,
        units=units,
        claims=options.pairs(claim, "--claim"),
        quantity=quantity,
        unit=unit,
        mode=mode,
        freight=freight,
        insurance=insurance,
        **given,
    )
    document = outputs.document("source", result.to_json_dict())
    return Output(document, lambda: _print(result, today.upper(), wide=wide))


def _print(result: SourceResult, today: str, *, wide: bool) -> None:
    out = console()
    for one in result.scenarios:
        out.print(f"[bold]{escape(one.id)}[/bold]: {escape(one.answer(today))}")
        out.print()
        shown = one.origins if wide else one.largest(today)
        columns: list[str | Column] = [
            "origin",
            *right("rank", "price", "duty", "landed"),
            "landed if claimed",
        ]
        columns += right("premium to today's") if today else []
        out.print(text_table(columns, (_row(cost, today) for cost in shown)))
        if len(shown) < len(one.origins):
            out.print(
                f"[dim]The largest suppliers of 2024; --wide prints all {len(one.origins)} origins.[/dim]"
            )
        for text in one.changes:
            out.print(escape(text))
        out.print()
    if result.choice:
        out.print(escape(result.choice))
    print_footer(out, result.provenance)


def _row(cost: OriginCost, today: str) -> list[str]:
    name = label_of("origin", cost.origin)
    if cost.problem is not None or cost.landed is None:
        return [name, "", usd(cost.unit_cost), "", "", str(cost.problem or ""), *([""] if today else [])]
    rank = str(cost.rank) if cost.rank else "cannot enter"
    row = [name, rank, usd(cost.unit_cost), usd(cost.duty), usd(cost.landed), cost.if_declared]
    return row + ([_percent(cost.premium)] if today else [])


def _percent(share: Decimal | None) -> str:
    return "" if share is None else f"{100 * share:+.1f} %"
