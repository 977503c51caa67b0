"""`tariffs runs`: long runs on a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from tariffs.client._verbs.run_handle import RunStatus
from tariffs.client.cli import options
from tariffs.client.cli.commands import Output, add, shared
from tariffs.client.cli.render.table import console, text_table
from tariffs.client.cli.run_command import Asked, with_result_options
from tariffs.client.client import Client
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.sweep import Sweep

app = typer.Typer(no_args_is_help=True)
_KINDS = {ImpactResult: "impact", TimelineResult: "timeline", Sweep: "sweep"}
_SECONDS = len("2026-11-24T12:00:00")
_HANDLE = len("tables/") + 12
_TITLES = ("run", "state", "done", "parts", "started", "scenarios", "table", "owner", "stage")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the run, such as operations/4f0c...")]


@add(app, "list", "tariffs runs list --target localhost:50051")
def list_runs(client: Client, all_owners: options.AllOwners = False) -> Output:
    """List your runs and those shared with you, the newest first."""
    statuses = client.runs(all_owners=all_owners)
    return Output({"runs": statuses}, lambda: _print(statuses))


@add(app, "show", "tariffs runs show operations/4f0c... --wait")
def show(
    client: Client,
    name: Name,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the run has ended.")] = False,
) -> Output:
    """Show the status of a run."""
    run = client.run(name)
    return _status(run.wait(progress=True) if wait else run.status())


@add(app, "share", "tariffs runs share operations/4f0c... trade-desk")
def share(client: Client, name: Name, group: options.Group = "") -> Output:
    """Share a run and its result with one of your groups; without a group with nobody."""
    return shared(client.run(name).share(group))


@add(app, "cancel", "tariffs runs cancel operations/4f0c...")
def cancel(client: Client, name: Name) -> Output:
    """Cancel a run; one that has ended stays as it is."""
    run = client.run(name)
    run.cancel()
    return _status(run.status())


@add(app, "result", "tariffs runs result operations/4f0c... -o groups.parquet")
@with_result_options
def show_result(client: Client, name: Name, asked: Asked) -> Output:
    """Print the result of a run, as `impact`, `timeline` or `sweep` prints it; waits until all of it is computed."""
    result = client.run(name).result(progress=True)
    rows = result.segments if isinstance(result, TimelineResult) else result.groups
    return asked.answer(client, _KINDS[type(result)], result, rows)


def _status(status: RunStatus) -> Output:
    def show() -> None:
        _print([status])
        if status.error is not None:
            print(f"{status.error.reason}: {status.error}")

    return Output(status.to_json_dict(), show)


def _print(statuses: Sequence[RunStatus]) -> None:
    rows = (
        (
            one.name,
            one.state,
            f"{one.fraction:.0%}",
            f"{one.finished_parts}/{one.total_parts}",
            one.create_time[:_SECONDS],
            ", ".join(one.scenarios),
            _short(one.table),
            one.owner,
            one.stage,
        )
        for one in statuses
    )
    console().print(text_table(_TITLES, rows))


def _short(table: str) -> str:
    """Shorten the digest of a handle to its first twelve digits; `runs list --json` has the whole."""
    return f"{table[:_HANDLE]}..." if len(table) > _HANDLE else table
