"""`tariffs tables`: tables stored on a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client.cli import options, table_options
from tariffs.client.cli.render.table import console, right, text_table

_SECONDS = len("2026-11-24T12:00:00")
app = typer.Typer(
    help="Upload, list, share and delete tables on a server. `impact` and `timeline` upload large ones themselves.",
    no_args_is_help=True,
)


@app.command("list", epilog=options.examples("tariffs tables list --target localhost:50051"))
def list_tables(
    all_owners: options.AllOwners = False,
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """List your tables and those shared with you, the newest first."""
    with options.connected(target, local) as client:
        handles = client.tables(all_owners=all_owners)
    if as_json:
        print(json.dumps({"tables": [one.to_json_dict() for one in handles]}))
        return 0
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
    console().print(
        text_table(
            ["table", *right("rows", "columns", "bytes"), "uploaded", "expires", "owner", "shared with"], rows
        )
    )
    return 0


@app.command("upload", epilog=options.examples("tariffs tables upload entries.parquet"))
def upload(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Parquet, Arrow or CSV file; - is standard input.")
    ],
    share_with: Annotated[
        str,
        typer.Option("--share-with", metavar="GROUP", help="One of your groups, which may use the table."),
    ] = "",
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """Upload a table to the server, and print its handle."""
    with options.connected(target, local) as client:
        handle = client.upload(table_options.source(table), share_with=share_with)
    print(json.dumps(handle.to_json_dict()) if as_json else handle.name)
    return 0


@app.command("share", epilog=options.examples("tariffs tables share tables/4f0c... trade-desk"))
def share(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Handle of the table, such as tables/4f0c...")],
    group: options.Group = "",
    owner: options.Owner = "",
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """Share a table with one of your groups, whose members may use it; without a group with nobody."""
    with options.connected(target, local) as client:
        handle = client.share_table(name, group, owner=owner)
    if as_json:
        print(json.dumps(handle.to_json_dict()))
    else:
        print(f"{handle.name} is shared with {handle.shared_with or 'nobody'}")
    return 0


@app.command("delete", epilog=options.examples("tariffs tables delete tables/4f0c..."))
def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Handle of the table, such as tables/4f0c...")],
    owner: options.Owner = "",
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """Delete a table from the server."""
    with options.connected(target, local) as client:
        client.delete_table(name, owner=owner)
    if as_json:
        print(json.dumps({"name": name}))
    return 0
