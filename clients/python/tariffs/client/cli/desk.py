"""`tariffs desk`: the pages in the browser."""

from __future__ import annotations

import socket
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client.cli import options
from tariffs.client.cli.options import examples
from tariffs.client.client import Client
from tariffs.client.errors import InvalidRequest, module_of

_HOST, _START_SECONDS, _STOP_SECONDS = "127.0.0.1", 600.0, 2
EXAMPLES = examples(
    "tariffs desk", "tariffs desk --port 8700 --no-browser", "tariffs desk --target localhost:50051"
)


def desk(
    target: options.Target = None,
    local: options.Local = False,
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0 chooses a free one.")] = 8600,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the pages in the browser.")
    ] = True,
) -> int:
    """Open the desk in the browser: quotes, comparisons, scenarios, tables and the law, each at its address.

    Without a server given it starts one for itself on this machine, and ends it. Only this machine can reach the pages;
    on a server with an HTTP port they are there for everybody who may call it.

    Quote has one entry line: every layer with its reason and sources. Origins, Options, Bill and Watch say where to
    buy, how to pay less, what parts cost, and what happens to your goods. Compare, Timeline and Sweep have scenarios on
    US imports of 2024 or on your table, with downloads. Scenario and Tables take changes of the law that you write, and
    your CSV, Excel or Parquet. Law has every measure with its periods, acts and sources, and what changed between two
    days.

    An address is a question: send it to a colleague, who sees the same figures.
    """
    application, access = (
        module_of("web", f"tariffs.client.desk.{name}") for name in ("application", "access")
    )
    uvicorn: Any = module_of("web", "uvicorn")
    with _listening(port) as listener, _served(target, local) as client:
        pages = application.Desk(access.LoopbackAccess(client))
        address = f"http://{_HOST}:{listener.getsockname()[1]}/"
        print(f"The desk is at {address} (Ctrl-C stops it)", flush=True)
        if browser:
            webbrowser.open(address)
        config = uvicorn.Config(
            pages, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=_STOP_SECONDS
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    return 0


@contextmanager
def _served(target: str | None, local: bool) -> Iterator[Client]:
    """Connect to the server of the caller, or start one that ends with the block."""
    if not local and options.chosen_target(target, local):
        with options.connected(target, local) as client:
            yield client
        return
    module_of("server", "numba")
    server_process = module_of("server", "tariffs.client._wire.server_process").server_process
    with tempfile.TemporaryDirectory(prefix="tariffs-desk-") as folder:
        log = Path(folder) / "server.log"
        with (
            server_process(log, _START_SECONDS, lambda text: print(f"{text} ...", file=sys.stderr)) as place,
            Client(place) as client,
        ):
            yield client


def _listening(port: int) -> socket.socket:
    """Open the socket before the address is printed, so that a port in use is an error of one line."""
    try:
        return socket.create_server((_HOST, port))
    except (OSError, OverflowError) as error:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"Cannot listen on {_HOST}:{port}: {error}.",
            field="--port",
            fix="Choose another with --port; --port 0 takes a free one.",
        ) from error
