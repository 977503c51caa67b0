"""`tariffs replay`: run a written result again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tariffs.client._verbs.replay import Replay
from tariffs.client._verbs.replay import replay as run_again
from tariffs.client.cli import options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.table import console

EXAMPLES = examples(
    "tariffs impact -s truce-extended --on 2027-01-11 -o result.parquet && tariffs replay result.parquet",
)
_DIFFERS = 1


def replay(
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT", help="File that impact, timeline or sweep wrote with -o, --lines or --json."
        ),
    ],
    table: Annotated[
        Path | None, typer.Option("--table", help="Trade table, if its path has changed.")
    ] = None,
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """Run a written result of impact, timeline or sweep again, and compare every number or name the changed inputs.

    Exit 0 if every number is the same bit for bit, 1 if not, 4 if the result was made under the law of another release.
    """
    with options.connected(target, local) as client:
        outcome = run_again(client, result, table)
    if as_json:
        print(json.dumps(outcome.to_json_dict()))
    else:
        _print(outcome)
    return 0 if outcome.same else _DIFFERS


def _print(outcome: Replay) -> None:
    out = console()
    if outcome.same:
        out.print(f"The same: {outcome.rows:,} rows, bit for bit.")
        return
    largest = outcome.largest
    out.print("Not the same." if largest is None else f"Not the same: by {largest:.2g} at most.")
    for text in outcome.changed or ("No input has changed.",):
        out.print(escape(text))
