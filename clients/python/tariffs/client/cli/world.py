"""`tariffs world`: the world in general equilibrium."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from tariffs.client._verbs.world import NUMBERS
from tariffs.client._wire.frames import write_file
from tariffs.client.cli import options, outputs
from tariffs.client.cli.commands import LAW, Output, Own, UnderLaw, command, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.notes import print_footer, print_notes
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.amounts import percent
from tariffs.client.results.world import World, economies

EXAMPLES = examples(
    "tariffs world -s base --on 2026-11-24 --retaliation law",
    "tariffs world --tariffs tariffs.csv --rebate lump_sum --retaliation optimal --json",
    "tariffs world --tariffs tariffs.csv --set destination_share=0 --set price_elasticity=1",
    "tariffs world --model sectors --trade DIR --tariffs tariffs.csv",
    "tariffs world --best USA --best CHN",
)
_MORE = "labour, scale, firm_elasticity, destination_share, price_elasticity or retaliation_rate; may be repeated."
_DEFICITS = "Default: transfers of one sector, zero of many."
_RETALIATION = "What partners charge on goods of the United States."
_BEST = "Let it choose its best uniform tariff: USA, or DEU+FRA; twice: a Nash point."


@command
@with_options(
    ...,
    Own("--model", "one_sector|sectors", "Default: one_sector.", ""),
    Own("--elasticity", "EPS", "Trade elasticity. Default: 4.", kind=float | None),
    Own("--pass-through", "PHI", "To consumers. Default: 1.", kind=float | None),
    Own("--set", "NAME=NUMBER", _MORE, kind=list[str] | None, argument="more"),
    Own("--rebate", "income_tax|lump_sum", "Use of revenue. Default: income_tax.", ""),
    Own("--deficits", "transfers|balanced_with_us|zero", _DEFICITS, ""),
    Own("--retaliation", "none|law|reciprocal|optimal", _RETALIATION, ""),
    Own("--trade", "DIR", "Table of the world. Default: 194 countries, 2023.", kind=Path | None),
    Own("--best", "COUNTRY", _BEST, kind=list[str] | None, argument="players"),
    *LAW,
    "parameters",
    "reaction",
    "draws",
)
def world(
    client: UnderLaw,
    scenario: options.Scenario = None,
    on: options.On = None,
    tariffs: Annotated[
        Path | None,
        typer.Option(
            "--tariffs",
            metavar="FILE",
            help="In the place of a scenario: importer, exporter (alpha-3), rate and sector.",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", metavar="N", min=1, help="Print the N largest economies.")
    ] = 20,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write all countries as .parquet or .csv.")
    ] = None,
    **given: Any,
) -> Output:
    """Solve the world in general equilibrium: welfare, wages, prices, employment and trade of all countries.

    A scenario's tariffs are the changes of the mean duty by partner since 2025-01-01, at the weights of 2024.
    """
    if output is not None:
        options.writable(output)
    more = options.pairs(given.pop("more", None), "--set")
    numbers = {name: _number(name, text) for name, text in more.items()}
    named = scenario if scenario or tariffs else "base"
    result = client.world(named, on=on or "", tariffs=tariffs, **{**given, **numbers})
    if output is not None:
        write_file(result.countries, output, dict(result.provenance))
    return Output(outputs.document("world", result.to_json_dict()), lambda: _print(result, top))


def _number(name: str, text: str) -> float:
    try:
        return float(dict.fromkeys(NUMBERS, text)[name])
    except (KeyError, ValueError):
        fix = f"Give a number for one of: {', '.join(NUMBERS)}."
        raise InvalidRequest("PARAMETER_INVALID", f"--set {name}={text}.", field="--set", fix=fix) from None


def _print(result: World, top: int) -> None:
    out = console()
    table = economies(result.countries, shown=top)
    out.print(text_table([table.heads[0], *right(*table.heads[1:-1]), table.heads[-1]], table.rows))
    out.print(f"[dim]{table.caption}. Largest residual {result.residual:.1e} of income.[/dim]")
    for name, rate in result.rates.items():
        out.print(f"best uniform tariff of {escape(name)}: {percent(rate)} %")
    print_notes(out, result.notes)
    print_footer(out, result.provenance)
