"""`tariffs serve`: the server, in the foreground."""

from __future__ import annotations

import importlib
from typing import Annotated, Any, cast

import typer

from tariffs.client.errors import extra_missing

EXAMPLES = """
[bold]Examples[/bold]

  tariffs serve --port 50051

  tariffs serve --check
"""


def serve(
    host: Annotated[
        str | None,
        typer.Option("--host", help="Address to listen on. Default: TARIFFS_HOST, else 127.0.0.1."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", help="Port; 0 takes a free one. Default: TARIFFS_PORT, else 50051."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Warm up, test oneself, and exit instead.")] = False,
) -> int:
    """Start the gRPC server. It serves until SIGTERM or Ctrl-C, then drains."""
    try:
        # By name at run time: only this command needs the server.
        server = cast(Any, importlib.import_module("tariffs.service.server"))
        return int(server.check() if check else server.serve(host=host, port=port))
    except ModuleNotFoundError as error:
        raise extra_missing("server", error.name) from error
