"""`tariffs law changes`: what changes in a window of days, and which lines it hits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client._wire.frames import write_table
from tariffs.client.cli import options, outputs
from tariffs.client.cli.render.law import print_changes
from tariffs.client.errors import InvalidRequest

EXAMPLES = """
[bold]Examples[/bold]

  tariffs law changes --start 2025-11-01 --end 2025-11-30

  tariffs law changes --start 2026-11-24 --end 2027-01-31 my-lines.csv
"""


def changes(
    table: Annotated[
        Path | None,
        typer.Argument(metavar="TABLE", help="A trade table: which of its lines are hit, and by how much."),
    ] = None,
    start: Annotated[str, typer.Option("--start", metavar="DAY", help="First day.")] = "",
    end: Annotated[str, typer.Option("--end", metavar="DAY", help="Last day.")] = "",
    hts: Annotated[str, typer.Option("--hts", metavar="CODE", help="Only what reaches this code.")] = "",
    origin: Annotated[
        str, typer.Option("--origin", metavar="CC", help="Only what reaches this country.")
    ] = "",
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Ask about the built-in table of US imports.")
    ] = False,
    scenario: Annotated[
        str | None, typer.Option("--scenario", "-s", metavar="NAME_OR_FILE", help="Edits to the law.")
    ] = None,
    direction: options.Direction = "import",
    known_on: options.KnownOn = None,
    switch: options.Switches = None,
    min_conf: options.MinConf = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the lines hit to this .parquet or .csv file.")
    ] = None,
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """Acts that take effect, end or are published from --start to --end; with a table, which of its lines they hit.

    Each step is valued as if all lines entered at its instant. An act published after its effect has a step in what is
    known and one in time, so steps do not add up.
    """
    if embedded and table is not None:
        raise InvalidRequest("REQUEST_INVALID", "--embedded excludes TABLE.", fix="Give one of them.")
    if output is not None:
        options.writable(output)
    with options.connected(target, local) as client:
        result = client.changes(
            start,
            end,
            "embedded" if embedded else table,
            hts=hts,
            origin=origin,
            known_on=known_on,
            scenario=scenario,
            switches=options.pairs(switch, "--switch"),
            min_confidence=min_conf,
            direction=direction,
        )
    if output is not None:
        write_table(result.lines, output, result.provenance)
    path = outputs.write_refused(result.refused, outputs.refused_path(table), result.provenance)
    if as_json:
        print(json.dumps(result.to_json_dict(path)))
    else:
        print_changes(result)
    return 1 if result.refused.height else 0
