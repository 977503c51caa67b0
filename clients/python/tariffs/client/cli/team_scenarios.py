"""`tariffs scenario save|versions|share|delete|watch`: scenarios that a server keeps for a team."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client.cli import options
from tariffs.client.cli.commands import Output, Outputs, add
from tariffs.client.cli.render.table import console, text_table
from tariffs.client.client import Client
from tariffs.client.errors import InvalidRequest, Unsupported
from tariffs.client.results.stored_scenario import StoredScenario

_SECONDS = len("2026-11-24T12:00:00")
_DIGITS_OF_DIGEST = 12
Stored = Annotated[str, typer.Argument(metavar="NAME", help="Stored scenario: team/NAME or team/OWNER/NAME.")]
Etag = Annotated[str, typer.Option("--etag", help="State that the scenario must have, as `save` printed it.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of stored scenarios to those of scenarios."""
    for name, command, example in (
        ("save", save, "tariffs scenario save mine.yaml"),
        ("versions", versions, "tariffs scenario versions team/mine"),
        ("share", share, "tariffs scenario share team/mine desk"),
        ("delete", delete, "tariffs scenario delete team/mine"),
        ("watch", watch, "tariffs scenario watch --json"),
    ):
        add(app, name, example)(command)


def save(
    client: Client,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The *.yaml file of the scenario.")],
    etag: Etag = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Save the next version, whatever state the stored one has.")
    ] = False,
) -> Output:
    """Save a scenario on the server for yourself and your group, or its next version with --etag or --replace."""
    try:
        return _one(client.save_scenario(file, etag=etag))
    except InvalidRequest as error:
        if not replace or error.reason != "SCENARIO_EXISTS":
            raise
        return _one(client.save_scenario(file, etag=error.metadata["etag"]))


def versions(client: Client, name: Stored) -> Output:
    """List the versions of a stored scenario, newest first."""
    found = client.scenario_versions(name)
    return Output({"versions": found}, lambda: print_stored(found))


def share(
    client: Client,
    name: Stored,
    group: Annotated[str, typer.Argument(metavar="GROUP", help='One of your groups; "" ends the sharing.')],
    etag: Etag = "",
) -> Output:
    """Share a stored scenario with a group, whose members may see and use it."""
    return _one(client.share_scenario(name, group, etag=etag))


def delete(client: Client, name: Stored, etag: Etag = "") -> Output:
    """Delete a stored scenario with its versions; runs that have begun keep its text."""
    client.delete_scenario(name, etag=etag)
    return Output({"name": name}, lambda: None)


def watch(
    client: Client,
    after: Annotated[
        int,
        typer.Option(
            "--after", help="Number of the last event that is known; 0 is from now on, -1 all that are kept."
        ),
    ] = 0,
    count: options.Count = 0,
) -> Outputs:
    """Print what happens to stored scenarios, a line an event: saved, shared, deleted, checked under a new law."""
    for event in islice(client.watch_scenarios(after=after), count or None):
        check = "" if event.check is None else f"  {event.check!r}"
        words = f"{event.number}  {event.time}  {event.kind}  {event.name}@{event.version}{check}"
        yield Output(event.to_json_dict(), partial(print, words))


def stored_of(client: Client) -> tuple[StoredScenario, ...]:
    """List the stored scenarios; none in this process or on a server that keeps none."""
    try:
        return client.stored_scenarios()
    except (InvalidRequest, Unsupported):
        return ()


def print_stored(found: Sequence[StoredScenario]) -> None:
    """Print stored scenarios, one per row."""
    rows = (
        (
            f"{one.name}@{one.version}",
            one.title,
            one.digest[:_DIGITS_OF_DIGEST],
            one.update_time[:_SECONDS],
            one.shared_with,
            "" if one.check is None or one.check.ok else "cannot be run",
        )
        for one in found
    )
    console().print(text_table(["stored", "title", "digest", "saved", "shared with", "check"], rows))


def _one(stored: StoredScenario) -> Output:
    shared = f"  shared with {stored.shared_with}" if stored.shared_with else ""
    text = f"{stored.name}@{stored.version}  digest {stored.digest}  etag {stored.etag}{shared}"
    return Output(stored.to_json_dict(), lambda: print(text))
