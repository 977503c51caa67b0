"""`tariffs source`: origins of a product by landed cost a unit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column

from tariffs.client.cli import options, outputs
from tariffs.client.cli.commands import CLAIM, LAW, UNIT, Output, Own, UnderLaw, command, with_options
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


_OFFERS = "Prices: a table of origin, unit_cost, freight and insurance a unit."


@command
@with_options(
    Own("--unit-cost", "USD", "Price of a unit, of origins without an offer."),
    Own("--on", "DAY", "Day of entry. Default: the law's as-of day."),
    Own("--start", "DAY", "First day of a period, in place of --on.", ""),
    Own("--end", "DAY", "Last day of the period.", ""),
    ...,
    Own("--offers", "FILE", _OFFERS, kind=Path | None),
    Own("--today", "CC", "Origin the goods come from now, to compare with.", ""),
    Own("--units", "N", "Units of an entry, over which its fees are divided.", "1"),
    CLAIM,
    Own("--quantity", None, "Quantity of a unit; required for specific rates."),
    UNIT,
    Own("--mode", "ocean|air|land", "Mode of transport; decides fees."),
    Own("--freight", "USD", "Freight of a unit."),
    Own("--insurance", "USD", "Insurance of a unit."),
    "parameters",
    *LAW,
)
def source(
    client: UnderLaw,
    hts: Annotated[
        str, typer.Argument(metavar="HTS", help="HTS code of 4 to 10 digits, with or without dots.")
    ],
    scenario: options.Scenarios = None,
    origins: Annotated[
        list[str] | None,
        typer.Option(
            "--origins",
            metavar="CC,CC,...|all",
            help="Origins to compare. Default: those of the offers, or all.",
        ),
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
    result = client.source(hts, scenarios=scenario or (), origins=() if named == ["all"] else named, **given)
    document = outputs.document("source", result.to_json_dict())
    return Output(document, lambda: _print(result, given["today"].upper(), wide=wide))


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
