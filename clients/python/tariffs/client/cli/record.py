"""`tariffs record`: record the calls of a program to its server, without what is private."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Annotated

import grpc
import typer

from tariffs.client._wire.connection import connect
from tariffs.client.cli.commands import Output
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.table import console
from tariffs.client.config import Config, secured, target_from_environment
from tariffs.client.errors import InvalidRequest
from tariffs.client.traffic.recorder import Recorder, recording

EXAMPLES = examples(
    "tariffs record -o calls.jsonl --port 50052 --target localhost:50051",
    "TARIFFS_TARGET=localhost:50052 my-program",
)
_HOST = "127.0.0.1"


def record(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="File of calls to write, one JSON object a line."
        ),
    ],
    port: Annotated[
        int, typer.Option("--port", help="Port to listen on, of this machine alone; 0 takes a free one.")
    ] = 0,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.0, help="Stop after so long. Default: at Ctrl-C.")
    ] = 0.0,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            metavar="HOST:PORT",
            help="Server that calls are passed on to. Default: TARIFFS_TARGET, else localhost:50051.",
        ),
    ] = "",
) -> Output:
    """Record the calls of a program to its server, without what is private, to send them again.

    Point the program at the port that is printed; its calls, tokens included, are passed on to the server of --target.
    What is written are methods and requests: codes, origins, days, claims and options; amounts are rounded to two
    digits, names and ids replaced by digests, and tokens never written. Calls with rows of a table, the text of a
    scenario or something stored under a name are passed on, counted and left out. `tariffs replay-traffic` sends them.
    """
    server = target or target_from_environment()
    # Callers bring their own tokens.
    config = replace(secured(Config(), None, None), token="")
    with output.open("w", encoding="utf-8") as file, connect(server, config) as channel:
        recorder = _record(channel, file, server, port, seconds)
    left_out = dict(recorder.left_out)
    facts = {"output": str(output), "calls": recorder.written, "left_out": left_out}
    reasons = "".join(f"; {count:,} left out: {reason}" for reason, count in left_out.items())
    return Output(
        facts, lambda: console().print(f"{output}: {recorder.written:,} calls{reasons}", markup=False)
    )


def _record(channel: grpc.Channel, file: IO[str], server: str, port: int, seconds: float) -> Recorder:
    try:
        with recording(channel, file, f"{_HOST}:{port}") as (recorder, listening):
            print(f"listening on {_HOST}:{listening}, passing on to {server}", file=sys.stderr, flush=True)
            with suppress(KeyboardInterrupt):
                threading.Event().wait(seconds or None)
            return recorder
    except RuntimeError as error:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"Cannot listen on {_HOST}:{port}.",
            field="--port",
            fix="Choose another with --port.",
        ) from error
