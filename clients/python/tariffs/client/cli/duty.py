"""`tariffs duty`: one entry line."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tariffs.client.cli import options, render

EXAMPLES = """
[bold]Examples[/bold]

  tariffs duty 9503.00.0073 --origin CN --date 2025-11-10 --value 10000

  tariffs duty 7318.15.8066 --origin CA --date 2025-05-20 --value 10000 --claim usmca_share=1 --json

  tariffs duty 9503.00.0073 --origin CN --date 2026-11-24 --value 10000 -s ieepa-upheld-truce-lapsed
"""


def duty(
    hts: Annotated[
        str, typer.Argument(metavar="HTS", help="HTS code of 4 to 10 digits, with or without dots.")
    ],
    origin: Annotated[str, typer.Option("--origin", metavar="CC", help="Country of origin, ISO alpha-2.")],
    value: Annotated[str, typer.Option("--value", metavar="USD", help="Customs value.")],
    date: Annotated[
        str | None,
        typer.Option("--date", metavar="DAY", help="Entry day or instant. Default: the law's as-of day."),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="NAME=VALUE", help="A fact declared about the goods."),
    ] = None,
    quantity: Annotated[
        str | None, typer.Option("--quantity", help="Quantity; specific rates need it.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Its unit: kg, no, W, ...")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="ocean|air|land", help="It decides fees.")
    ] = None,
    freight: Annotated[
        str | None, typer.Option("--freight", metavar="USD", help="For the landed cost.")
    ] = None,
    insurance: Annotated[
        str | None, typer.Option("--insurance", metavar="USD", help="For the landed cost.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", "-s", metavar="NAME_OR_FILE", help="Edits to the law.")
    ] = None,
    known_on: options.KnownOn = None,
    switch: options.Switches = None,
    min_conf: options.MinConf = "",
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """The duty on one entry line: every layer named, cited and explained."""
    claims, switches = options.pairs(claim, "--claim"), options.pairs(switch, "--switch")
    with options.connected(target, local) as client:
        quote = client.duty(
            hts,
            origin,
            date,
            value,
            claims,
            quantity=quantity,
            unit=unit,
            mode=mode,
            freight=freight,
            insurance=insurance,
            scenario=scenario,
            known_on=known_on,
            switches=switches,
            min_confidence=min_conf,
        )
    if as_json:
        print(json.dumps(quote.to_json_dict()))
    else:
        render.quote(quote)
    return 0
