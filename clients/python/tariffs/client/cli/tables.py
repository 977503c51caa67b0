"""`tariffs tables`: tables that a server keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tariffs.client.cli import options, render

app = typer.Typer(
    help="Tables that a server keeps; large tables given to `impact` get there by themselves.",
    no_args_is_help=True,
)


@app.command("list")
def list_tables(
    target: options.Target = None, local: options.Local = False, as_json: options.Json = False
) -> int:
    """Your tables, the newest first."""
    with options.connected(target, local) as client:
        found = client.tables()
    if as_json:
        print(json.dumps({"tables": [one.to_json_dict() for one in found]}))
        return 0
    table = Table("table", "rows", "columns", "bytes", "uploaded", "expires", box=None, pad_edge=False)
    for one in found:
        sizes = (f"{one.row_count:,}", str(one.column_count), f"{one.byte_count:,}")
        table.add_row(escape(one.name), *sizes, one.create_time[:19], one.expire_time[:19])
    render.console().print(table)
    return 0


@app.command("upload")
def upload(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Parquet, Arrow or CSV file; - is standard input.")
    ],
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """Have the server keep a table, and tell its handle."""
    with options.connected(target, local) as client:
        found = client.upload(options.source(table))
    print(json.dumps(found.to_json_dict()) if as_json else found.name)
    return 0


@app.command("delete")
def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Handle of the table, such as tables/4f0c...")],
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """Have the server forget a table."""
    with options.connected(target, local) as client:
        client.delete_table(name)
    if as_json:
        print(json.dumps({"name": name}))
    return 0
