"""`tariffs serve`: run the server in the foreground."""

from __future__ import annotations

import importlib
from typing import Annotated, Any, cast

import typer

from tariffs.client.cli.options import examples
from tariffs.client.errors import extra_missing

EXAMPLES = examples(
    "tariffs serve --port 50051",
    "tariffs serve --check",
)


def serve(
    host: Annotated[
        str | None,
        typer.Option("--host", help="Address to listen on. Default: TARIFFS_HOST, else 127.0.0.1."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", help="Port to listen on; 0 chooses a free one. Default: TARIFFS_PORT, else 50051."
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes", help="Number of server processes on the port. Default: TARIFFS_PROCESSES, else 1."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Print the settings, run the self-test, and exit.")
    ] = False,
) -> int:
    """Start the gRPC server; on SIGTERM or Ctrl-C it finishes open calls and stops."""
    try:
        # By name at run time: only this command needs the server.
        serving = cast(Any, importlib.import_module("tariffs.service.server.serving"))
        run = serving.check if check else serving.serve
        return int(run(host=host, port=port, processes=processes))
    except ModuleNotFoundError as error:
        raise extra_missing("server", error.name) from error
