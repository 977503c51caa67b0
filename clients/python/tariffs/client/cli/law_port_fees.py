"""`tariffs law port-fees`: port fees per container and ton."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.markup import escape

from tariffs.client.cli.commands import Output, Own, UnderLaw, with_options
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.port_fees import PortFee, PortFees

_VOYAGE = (
    Own("--kind", "KIND", "Kind of ship: operated, built, vehicle_carrier or linked.", ""),
    Own("--ship", "SHIP", "Voyage of a public source to start from: container, bulk, vehicle.", ""),
    Own("--net-tons", "NUMBER", "Net tonnage of the ship."),
    Own("--teu", "NUMBER", "Containers (TEU) landed on the voyage."),
    Own("--cargo-tons", "NUMBER", "Metric tons landed on the voyage."),
    Own("--containers", "NUMBER", "Boxes landed at one call, for fees per container."),
    Own("--calls", "NUMBER", "Number of calls of the voyage that pay the fee."),
    Own("--share", "NUMBER", "Share of the trade's cargo on ships that pay: 20% or 0.2."),
    Own("--usd-per-unit", "NUMBER", "US dollars for one unit of the fee's currency."),
    Own("--source", "TEXT", "Source of your figures.", ""),
)


@with_options(*_VOYAGE, "known_on", "switches")
def port_fees(
    client: UnderLaw,
    on: Annotated[str, typer.Option("--on", metavar="DAY", help="Date or time of the port call.")] = "",
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            "-s",
            metavar="NAME_OR_FILE",
            help="Scenario, or *.yaml file; its voyages replace those of public sources.",
        ),
    ] = None,
    **given: Any,
) -> Output:
    """Compute port fees per container and ton, for your own voyage or for voyages from public sources.

    Fees are paid by ships, not on goods: results of `tariffs impact` do not include them.
    """
    result = client.port_fees(on, scenario=scenario, **given)
    return Output(result.to_json_dict(), lambda: _print(result))


def _print(result: PortFees) -> None:
    out = console()
    amounts = right("per call", "a voyage", "per TEU", "per ton", "TEU of trade", "ton of trade")
    out.print(text_table(["fee", "kind", "ship", "status", *amounts], map(_row, result.fees)))
    out.print(
        "[dim]US dollars. `of trade`: spread over all cargo of the trade, whether its ships pay or not.[/dim]"
    )
    out.print()
    for fee in result.fees:
        out.print(escape(f"{fee.measure} {fee.kind} {fee.ship or 'your own'}: {'; '.join(fee.citations)}"))
        for one in fee.figures:
            conf = f" ({one.confidence})" if one.confidence else ""
            out.print(f"  [dim]{one.name} {one.value:,f}: {escape(one.source)}{conf}[/dim]")
    print_footer(out, result.provenance)


def _row(fee: PortFee) -> list[str]:
    costs = (fee.per_call, fee.total, fee.per_teu, fee.per_ton, fee.teu_of_trade, fee.ton_of_trade)
    return [fee.measure, fee.kind, fee.ship or "your own", fee.standing, *map(_amount, costs)]


def _amount(cost: Decimal | None) -> str:
    return "" if cost is None else f"{cost:,.2f}"
