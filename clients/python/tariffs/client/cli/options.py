"""Options that commands share, and what is read from them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client._wire.frames import Table, read_bytes
from tariffs.client.client import Client
from tariffs.client.config import TARGET_VARIABLE
from tariffs.client.errors import InvalidRequest

STDIN = Path("-")
Target = Annotated[
    str | None,
    typer.Option(
        "--target", metavar="HOST:PORT", help="The server to ask. Default: TARIFFS_TARGET, else --local."
    ),
]
Local = Annotated[bool, typer.Option("--local", help="Run the engine in this process.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")]
KnownOn = Annotated[
    str | None,
    typer.Option(
        "--known-on", metavar="DAY", help="Count only acts published by this day; `entry`: each line's day."
    ),
]
Switches = Annotated[
    list[str] | None,
    typer.Option(
        "--switch", metavar="NAME=VALUE", help="Set a doubtful fact otherwise; see `tariffs law switches`."
    ),
]

MinConf = Annotated[
    str, typer.Option("--min-conf", metavar="A|B|C", help="Least confidence an act must have to count.")
]
DateFormat = Annotated[
    str,
    typer.Option(
        "--date-format",
        metavar="m/d/Y|d/m/Y|excel",
        help="How columns of days are written. Default: ISO text, or the order that all of a column fits.",
    ),
]
Direction = Annotated[
    str,
    typer.Option(
        "--direction",
        metavar="import|export",
        help="Which way the goods go; days are of the country they enter.",
    ),
]
Horizon = Annotated[
    str, typer.Option("--horizon", metavar="impact|short|long", help="How long trade has had to respond.")
]


@contextmanager
def connected(target: str | None, local: bool) -> Iterator[Client]:
    """A client for --target or --local; without either TARIFFS_TARGET, else local.

    Raises:
        InvalidRequest: both were given.
    """
    if target and local:
        raise InvalidRequest(
            "REQUEST_INVALID", "--target and --local exclude each other.", fix="Give one of them."
        )
    target = target or (None if local else os.environ.get(TARGET_VARIABLE))
    with Client(target) if target else Client.local() as client:
        yield client


def source(path: Path) -> Table:
    """The table that a path names; `-` is standard input, as CSV, Parquet or Arrow.

    Raises:
        InvalidRequest: TABLE_UNREADABLE for what comes from standard input.
    """
    return read_bytes(sys.stdin.buffer.read(), "standard input") if path == STDIN else path


def pairs(items: Sequence[str] | None, option: str) -> dict[str, str]:
    """The NAME=VALUE items of an option as a mapping.

    Raises:
        InvalidRequest: an item has no name or no `=`, or a name comes twice.
    """
    found: dict[str, str] = {}
    for item in items or ():
        name, separator, value = item.partition("=")
        if not separator or not name.strip():
            raise InvalidRequest("REQUEST_INVALID", f"{option} {item!r} is not NAME=VALUE.", field=option)
        if name.strip() in found:
            raise InvalidRequest("REQUEST_INVALID", f"{option} {name.strip()} is given twice.", field=option)
        found[name.strip()] = value.strip()
    return found


def keys(items: Sequence[str]) -> list[str]:
    """Names given by repetition, by commas, or both."""
    return [name.strip() for item in items for name in item.split(",") if name.strip()]


def writable(path: Path) -> Path:
    """The path, once its name says which kind of table to write.

    Raises:
        InvalidRequest: the name ends in neither .parquet nor .csv.
    """
    if path.suffix.lower() in {".parquet", ".csv"}:
        return path
    raise InvalidRequest("REQUEST_INVALID", f"Cannot write {path}.", fix="Name a .parquet or .csv file.")
