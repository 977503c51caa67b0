"""`tariffs tables`: tables stored on a server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client.cli import options, table_options
from tariffs.client.cli.commands import Output, add, shared
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.client import Client
from tariffs.client.results.table_handle import TableHandle

_SECONDS = len("2026-11-24T12:00:00")
app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Handle of the table, such as tables/4f0c...")]


@add(app, "list", "tariffs tables list --target localhost:50051")
def list_tables(client: Client, all_owners: options.AllOwners = False) -> Output:
    """List your tables and those shared with you, the newest first."""
    handles = client.tables(all_owners=all_owners)
    return Output({"tables": handles}, lambda: _print(handles))


@add(app, "upload", "tariffs tables upload entries.parquet")
def upload(
    client: Client,
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Parquet, Arrow or CSV file; - is standard input.")
    ],
    share_with: Annotated[
        str,
        typer.Option("--share-with", metavar="GROUP", help="One of your groups, which may use the table."),
    ] = "",
) -> Output:
    """Upload a table to the server, and print its handle."""
    handle = client.upload(table_options.source(table), share_with=share_with)
    return Output(handle.to_json_dict(), lambda: print(handle.name))


@add(app, "share", "tariffs tables share tables/4f0c... trade-desk")
def share(client: Client, name: Name, group: options.Group = "", owner: options.Owner = "") -> Output:
    """Share a table with one of your groups, whose members may use it; without a group with nobody."""
    return shared(client.share_table(name, group, owner=owner))


@add(app, "delete", "tariffs tables delete tables/4f0c...")
def delete(client: Client, name: Name, owner: options.Owner = "") -> Output:
    """Delete a table from the server."""
    client.delete_table(name, owner=owner)
    return Output({"name": name}, lambda: None)


def _print(handles: Sequence[TableHandle]) -> None:
    numbers = right("rows", "columns", "bytes")
    rows = (
        (
            one.name,
            f"{one.row_count:,}",
            str(one.column_count),
            f"{one.byte_count:,}",
            one.create_time[:_SECONDS],
            one.expire_time[:_SECONDS],
            one.owner,
            one.shared_with,
        )
        for one in handles
    )
    console().print(text_table(["table", *numbers, "uploaded", "expires", "owner", "shared with"], rows))
