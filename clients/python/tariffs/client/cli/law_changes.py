"""`tariffs law changes`: changes of the law in a period, and the lines they affect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.frames import write_table
from tariffs.client.cli import options, outputs
from tariffs.client.cli.commands import LAW, Output, Own, UnderLaw, with_options
from tariffs.client.cli.render.law import print_changes
from tariffs.client.errors import InvalidRequest


@with_options(
    Own("--start", "DAY", "First day.", ""),
    Own("--end", "DAY", "Last day.", ""),
    Own("--hts", "CODE", "List changes for this HTS code only.", ""),
    Own("--origin", "CC", "List changes for this country only.", ""),
    "direction",
    "to",
    *LAW,
)
def changes(
    client: UnderLaw,
    table: Annotated[
        Path | None,
        typer.Argument(
            metavar="TABLE",
            help="Trade table: list the changes that reach its lines, and the change of their duty.",
        ),
    ] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Use the built-in table of US imports of 2024.")
    ] = False,
    scenario: options.Scenario = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the affected lines to this .parquet or .csv file."),
    ] = None,
    **given: Any,
) -> Output:
    """List acts that take effect, end or are published from --start to --end, and the lines of a table they affect.

    The duty before and after each step is computed as if all lines entered at that time. An act published after its
    effect has two steps, on publication and on effect, so the steps do not add up.
    """
    if embedded and table is not None:
        raise InvalidRequest(
            "REQUEST_INVALID", "--embedded and TABLE cannot be combined.", fix="Give one of them."
        )
    if output is not None:
        options.writable(output)
    result = client.changes(lines="embedded" if embedded else table, scenario=scenario, **given)
    if output is not None:
        write_table(result.lines, output, result.provenance)
    path = outputs.write_refused(result.refused, outputs.refused_path(table), result.provenance)
    document = outputs.document("changes", result.to_json_dict(path))
    return Output(document, lambda: print_changes(result), 1 if result.refused.height else 0)
