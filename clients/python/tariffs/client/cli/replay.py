"""`tariffs replay`: run a written result again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tariffs.client._verbs.replay import Replay
from tariffs.client._verbs.replay import replay as run_again
from tariffs.client.cli.commands import Output, command
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.table import console
from tariffs.client.client import Client

EXAMPLES = examples(
    "tariffs impact -s truce-extended --on 2027-01-11 -o result.parquet && tariffs replay result.parquet",
)
_DIFFERS = 1


@command
def replay(
    client: Client,
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT", help="File that impact, timeline or sweep wrote with -o, --lines or --json."
        ),
    ],
    table: Annotated[
        Path | None, typer.Option("--table", help="Trade table, if its path has changed.")
    ] = None,
) -> Output:
    """Run a written result of impact, timeline or sweep again, and compare every number or name the changed inputs.

    Exit 0 if every number is the same bit for bit, 1 if not, 4 if the result was made under the law of another release.
    """
    outcome = run_again(client, result, table)
    return Output(outcome.to_json_dict(), lambda: _print(outcome), 0 if outcome.same else _DIFFERS)


def _print(outcome: Replay) -> None:
    out = console()
    if outcome.same:
        out.print(f"The same: {outcome.rows:,} rows, bit for bit.")
        return
    largest = outcome.largest
    out.print("Not the same." if largest is None else f"Not the same: by {largest:.2g} at most.")
    for text in outcome.changed or ("No input has changed.",):
        out.print(escape(text))
