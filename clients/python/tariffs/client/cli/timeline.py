"""`tariffs timeline`: scenarios over a period."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client._wire.frames import write_table
from tariffs.client.cli import options
from tariffs.client.cli.render.impact import print_timeline

EXAMPLES = """
[bold]Examples[/bold]

  tariffs timeline -s base -s truce-extended --start 2026-11-01 --end 2027-12-31 --response none

  tariffs timeline -s base --start 2025-01-01 --end 2026-12-31 --by authority --known-on entry -o days.parquet
"""


def timeline(
    start: Annotated[str, typer.Option("--start", metavar="DAY", help="First day.")],
    end: Annotated[str, typer.Option("--end", metavar="DAY", help="Last day.")],
    table: Annotated[
        Path | None,
        typer.Argument(
            metavar="TABLE",
            help="Parquet, Arrow or CSV file; - is stdin. Default: US imports of 2024; of exports none.",
        ),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario", "-s", metavar="NAME_OR_FILE", help="Scenario; may be repeated. Default: base."
        ),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="DAY", help="Day the table's values belong to.")
    ] = None,
    response: Annotated[
        str,
        typer.Option("--response", metavar="armington|passthrough|smart|none", help="How trade responds."),
    ] = "armington",
    horizon: options.Horizon = "short",
    parameters: Annotated[
        str | None,
        typer.Option("--set", metavar="low|high|FILE", help="Parameters. Default: the central set."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="KEYS", help="Groups: origin,authority,hts2,... Default: origin."),
    ] = None,
    direction: options.Direction = "import",
    date_format: options.DateFormat = "",
    known_on: options.KnownOn = None,
    switch: options.Switches = None,
    min_conf: options.MinConf = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the segment rows to this .parquet or .csv file."),
    ] = None,
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """What scenarios do to a trade table on every day of a period.

    Days on which the law stands alike form a segment. Exit 1 if rows were refused.
    """
    if output is not None:
        options.writable(output)
    switches = options.pairs(switch, "--switch")
    with options.connected(target, local) as client:
        result = client.timeline(
            table and options.source(table),
            scenario or ["base"],
            start=start,
            end=end,
            by=options.keys(by or ["origin"]),
            baseline=baseline,
            response=response,
            horizon=horizon,
            parameters=parameters,
            known_on=known_on,
            switches=switches,
            min_confidence=min_conf,
            direction=direction,
            date_format=date_format,
            progress=True,
        )
    if output is not None:
        write_table(result.segments, output, result.provenance)
    if as_json:
        print(json.dumps(result.to_json_dict()))
    else:
        print_timeline(result)
    return 1 if result.refused.height else 0
