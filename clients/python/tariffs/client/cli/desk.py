"""`tariffs desk`: the page in the browser."""

from __future__ import annotations

import socket
import webbrowser
from contextlib import suppress
from typing import Annotated
from urllib.parse import quote

import typer

from tariffs.client.cli import options
from tariffs.client.cli.options import examples
from tariffs.client.errors import InvalidRequest, module_of

EXAMPLES = (
    "[bold]What the page has[/bold]\n\n  Quote       one entry line: every layer with its reason and sources\n\n"
    "  Scenario    write dated changes of the law, checked as you write; begin with one of the library\n\n"
    "  Your table  upload CSV, Excel or Parquet; rows that cannot be used are listed with their reasons\n\n"
    "  Compare     scenarios on your table or on US imports of 2024: tables, charts, report, workbook\n\n"
    "  Timeline    the same for every day of a period\n\n  Sweep       a parameter over its values, with a slider\n\n"
) + examples(
    "tariffs desk",
    "tariffs desk --target localhost:50051 --port 8700",
    "TARIFFS_DESK_TOKEN=secret tariffs desk --host 0.0.0.0 --no-browser",
)


def desk(
    target: options.Target = None,
    local: options.Local = False,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0 chooses a free one.")] = 8600,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    token: Annotated[
        str,
        typer.Option(
            "--token",
            envvar="TARIFFS_DESK_TOKEN",
            help="Token that readers need; required where others than this machine can reach the page.",
        ),
    ] = "",
) -> int:
    """Open the page in the browser: quotes, scenarios, comparisons, timelines, sweeps and your own tables."""
    asgi, session = (module_of("notebook", f"tariffs.client.desk.{name}") for name in ("asgi", "session"))
    if host not in asgi.LOOPBACK and not token:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"{host} can be reached from other machines, and no token is set.",
            field="--host",
            fix="Set TARIFFS_DESK_TOKEN, or leave --host out.",
        )
    with options.connected(target, local) as client, _listening(host, port) as listener:
        session.share(client, options.chosen_target(target, local))
        address = _address(host, listener.getsockname()[1], token)
        print(f"The desk is at {address} (Ctrl-C stops it)", flush=True)
        if browser:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            asgi.server(host, token).run(sockets=[listener])
    return 0


def _listening(host: str, port: int) -> socket.socket:
    """Open the socket before the address is printed, so that a port in use is an error of one line."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"Cannot listen on {host}:{port}: {error}.",
            field="--port",
            fix="Choose another with --port; --port 0 takes a free one.",
        ) from error


def _address(host: str, port: int, token: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?access_token={quote(token)}" if token else "")
