"""`tariffs mcp`: tools for language models."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client.cli import options
from tariffs.client.cli.options import examples
from tariffs.client.errors import module_of

_HOST = "127.0.0.1"
EXAMPLES = examples(
    "tariffs mcp",
    "tariffs mcp --target tariffs.example.com:50051",
    "tariffs mcp --http --port 8650",
)


def mcp(
    target: options.Target = None,
    local: options.Local = False,
    http: Annotated[
        bool,
        typer.Option("--http", help="Answer on HTTP, on this machine alone, in place of standard input."),
    ] = False,
    port: Annotated[int, typer.Option("--port", help="Port of --http.")] = 8650,
    schedule: Annotated[
        Path | None,
        typer.Option(
            "--schedule",
            metavar="FILE",
            envvar="TARIFFS_SCHEDULE",
            help="Your copy of the schedule, as in `tariffs find`.",
        ),
    ] = None,
) -> int:
    """Answer language models by the Model Context Protocol: quotes, origins, scenarios, changes, refunds, codes.

    A desktop client starts this command and talks to it by standard input and output. The tools read and compute; none
    writes anything.
    """
    server: Any = module_of("mcp", "tariffs.client.mcp.tool_server")
    with options.connected(target, local) as client:
        if not http:
            server.tool_server(client, schedule).run("stdio")
            return 0
        uvicorn: Any = module_of("mcp", "uvicorn")
        access: Any = module_of("mcp", "tariffs.client.desk.access")
        tools = server.HttpTools(access.LoopbackAccess(client), schedule)
        print(f"The tools are at http://{_HOST}:{port}{server.PATH} (Ctrl-C stops them)", flush=True)
        with suppress(KeyboardInterrupt):
            uvicorn.run(tools, host=_HOST, port=port, log_level="warning", lifespan="off", ws="none")
    return 0
