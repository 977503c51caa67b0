"""`tariffs runs`: runs that a server computes without their caller."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tariffs.client._verbs.run_handle import RunStatus
from tariffs.client._wire.frames import write_table
from tariffs.client.cli import options, outputs, render
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.impact import ImpactResult

app = typer.Typer(
    help="Long runs: begin one with `tariffs impact --detach`; see how it stands, end it, read its result.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the run, such as operations/4f0c...")]


@app.command("list")
def list_runs(
    target: options.Target = None, local: options.Local = False, as_json: options.Json = False
) -> int:
    """Your runs, the newest first."""
    with options.connected(target, local) as client:
        found = client.runs()
    if as_json:
        print(json.dumps({"runs": [one.to_json_dict() for one in found]}))
    else:
        render.console().print(_table(found))
    return 0


@app.command("show", epilog="[bold]Example[/bold]\n\n  tariffs runs show operations/4f0c... --wait")
def show(
    name: Name,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """How a run stands."""
    with options.connected(target, local) as client:
        run = client.run(name)
        status = run.wait(progress=True) if wait else run.status()
    _tell(status, as_json)
    return 0


@app.command("cancel")
def cancel(
    name: Name, target: options.Target = None, local: options.Local = False, as_json: options.Json = False
) -> int:
    """Ask for the end of a run; one that has ended stays as it is."""
    with options.connected(target, local) as client:
        run = client.run(name)
        run.cancel()
        status = run.status()
    _tell(status, as_json)
    return 0


@app.command(
    "result", epilog="[bold]Example[/bold]\n\n  tariffs runs result operations/4f0c... -o groups.parquet"
)
def result(
    name: Name,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the group rows to this .parquet or .csv file."),
    ] = None,
    refused: Annotated[Path | None, typer.Option("--refused", help="Write refused rows here.")] = None,
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """The result of a run, as `impact` or `timeline` tells it; waits for what is not computed yet."""
    for path in filter(None, (output, refused)):
        options.writable(path)
    with options.connected(target, local) as client:
        found = client.run(name).result(progress=True)
    if output is not None:
        rows = found.groups if isinstance(found, ImpactResult) else found.segments
        write_table(rows, output, found.provenance)
    refused_path = outputs.write_refused(
        found.refused, refused or outputs.refused_path(None), found.provenance
    )
    if as_json:
        print(json.dumps(found.to_json_dict(refused_path)))
    elif isinstance(found, ImpactResult):
        render.impact(found)
    else:
        render.timeline(found)
    return 1 if found.refused.height else 0


def begun(name: str, as_json: bool) -> None:
    """Tell the name of a run that goes on alone."""
    if as_json:
        print(json.dumps({"name": name}))
    else:
        print(name)


def attached(paths: Sequence[Path | None]) -> None:
    """See that a run that goes on alone is asked to write nothing here; raises InvalidRequest."""
    if any(paths):
        raise InvalidRequest(
            "REQUEST_INVALID",
            "A run that goes on alone writes no file.",
            field="--detach",
            fix="Leave the files out, and read the result with `tariffs runs result NAME -o FILE`.",
        )


def _tell(status: RunStatus, as_json: bool) -> None:
    if as_json:
        print(json.dumps(status.to_json_dict()))
        return
    render.console().print(_table([status]))
    if status.error is not None:
        print(f"{status.error.reason}: {status.error}")


def _table(found: Sequence[RunStatus]) -> Table:
    table = Table("run", "state", "done", "parts", "begun", "stage", box=None, pad_edge=False)
    for one in found:
        parts = f"{one.finished_parts}/{one.total_parts}"
        row = (one.name, one.state, f"{one.fraction:.0%}", parts, one.create_time[:19], one.stage)
        table.add_row(*map(escape, row))
    return table
