"""Options that commands share, and their values."""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tariffs.client.config import TARGET_VARIABLE
from tariffs.client.errors import InvalidRequest
from tariffs.run_spec.option import Kind
from tariffs.run_spec.spec import OPTIONS

if TYPE_CHECKING:
    # The help names options, and loads no client for them.
    from tariffs.client.client import Client

_LONG_SECONDS = 5.0
_KEPT_WARM = (
    "`tariffs serve` keeps law, table and kernels in memory between commands: start it once, and set "
    f"{TARGET_VARIABLE}=localhost:50051."
)


def run_option(name: str, *, hidden: bool = False) -> Any:
    """Describe an option of runs, by its name in Python, for Typer."""
    one = OPTIONS[name]
    repeated = " May be repeated." if one.kind in {Kind.PAIRS, Kind.VALUES} else ""
    return typer.Option(one.flag, metavar=one.metavar or None, help=one.text + repeated, hidden=hidden)


Target = Annotated[
    str | None,
    typer.Option(
        "--target", metavar="HOST:PORT", help="Server to call. Default: TARIFFS_TARGET, else --local."
    ),
]
AllOwners = Annotated[bool, typer.Option("--all-owners", help="List everybody's; needs the role admin.")]
Group = Annotated[
    str,
    typer.Argument(metavar="[GROUP]", help="One of your groups, see `tariffs whoami`; without one nobody."),
]
Owner = Annotated[str, typer.Option("--owner", metavar="NAME", help="Owner of the table, for admins.")]
Local = Annotated[bool, typer.Option("--local", help="Compute in this process, without a server.")]
Count = Annotated[int, typer.Option("--count", help="End after so many events; 0 is never.")]
Cluster = Annotated[
    str,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Compute on the Dask cluster with this scheduler, such as tls://host:8786; needs tariffs\\[server,scale].",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")]
TradeTable = Annotated[
    Path | None,
    typer.Argument(
        metavar="TABLE",
        help="Parquet, Arrow or CSV file, or without a server a directory of Parquet files; - is standard input. "
        "Default: US trade of 2024.",
    ),
]
Scenario = Annotated[
    str | None,
    typer.Option(
        "--scenario", "-s", metavar="NAME_OR_FILE", help="Scenario, or *.yaml file, applied to the law."
    ),
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        "-s",
        metavar="NAME_OR_FILE",
        help="Scenario or *.yaml file; may be repeated. Default: base.",
    ),
]
WithParameters = Annotated[
    str,
    typer.Option(
        "--scenario", "-s", metavar="NAME_OR_FILE", help="Scenario with parameters, or *.yaml file."
    ),
]
On = Annotated[str | None, run_option("on")]
Horizon = Annotated[str, run_option("horizon")]
Param = Annotated[list[str] | None, run_option("parameters")]
LawVersion = Annotated[str, run_option("law_version")]
Detach = Annotated[
    bool, typer.Option("--detach", help="Start the run on the server and return at once; see `tariffs runs`.")
]
Both = Annotated[
    bool,
    typer.Option(
        "--both", help="Imports and exports under the same scenarios, both embedded unless tables are given."
    ),
]
ExportTable = Annotated[
    Path | None,
    typer.Option(
        "--exports", metavar="TABLE", help="With --both: table of exports; TABLE is that of imports."
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write rows .parquet or .csv, tables .xlsx, or a report .html."),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Write a report .html too, besides what -o writes.",
    ),
]
Top = Annotated[
    int | None,
    typer.Option("--top", metavar="N", min=1, help="Print the first N groups, by default 10; -o writes all."),
]
Claims = Annotated[
    str,
    typer.Option(
        "--usmca-claims",
        metavar="2024|2025|2025h2|responding",
        help="USMCA claims where a line declares none: of a period, or rising with the duty that they save. "
        "Default: 2025h2.",
    ),
]
Brief = Annotated[
    bool, typer.Option("--brief", help="Print numbers only: no notes, reasons, assumptions or refused rows.")
]
Wide = Annotated[
    bool,
    typer.Option("--wide", help="Print all columns and notes, with ids in place of names."),
]
Refused = Annotated[
    Path | None,
    typer.Option("--refused", help="Write refused rows to this file. Default: <TABLE>-refused.csv."),
]


def examples(*commands: str) -> str:
    """Join example commands for the end of a help page."""
    return "\n".join(commands)


def chosen_target(target: str | None, local: bool) -> str:
    """Choose the server of --target or, without --local, of TARIFFS_TARGET; empty for this process.

    Raises:
        InvalidRequest: both options were given.
    """
    if target and local:
        raise InvalidRequest(
            "REQUEST_INVALID", "--target and --local cannot be combined.", fix="Give one of them."
        )
    return target or ("" if local else os.environ.get(TARGET_VARIABLE, ""))


@contextmanager
def connected(target: str | None, local: bool, law_version: str = "") -> Iterator[Client]:
    """Open a client for --target or --local; without either TARIFFS_TARGET, else local.

    Args:
        target: the server.
        local: compute in this process.
        law_version: law of its calls: a version, `latest`, or in this process the path of a pack or directory.

    Raises:
        InvalidRequest: both were given; or a law cannot be read.
    """
    from tariffs.client.client import Client

    chosen, begun = chosen_target(target, local), time.monotonic()
    with Client(chosen, law_version=law_version) if chosen else _local(law_version) as client:
        yield client
    if not chosen and time.monotonic() - begun > _LONG_SECONDS and sys.stderr.isatty():
        print(_KEPT_WARM, file=sys.stderr)


def _local(law_version: str) -> Client:
    from tariffs.client.client import Client

    if law_version and Path(law_version).exists():
        return Client.local(law=law_version)
    return Client.local(law_version=law_version)


def pairs(
    items: Sequence[str] | None, option: str, before: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Read the NAME=VALUE items of an option into a mapping, after those of another option.

    An item @FILE has those of a CSV file: a row of titles, then a name and a value in each.

    Raises:
        InvalidRequest: an item has no name or no `=`, a name comes twice, or a file cannot be read.
    """
    values = dict(before or {})
    for item in (one for given in items or () for one in _items_of(given, option)):
        name, separator, value = item.partition("=")
        if not separator or not name.strip():
            message, fix = f"{option} {item!r} is not NAME=VALUE.", "Write a name, =, and its value."
            raise InvalidRequest("REQUEST_INVALID", message, field=option, fix=fix)
        if name.strip() in values:
            message, fix = f"{option} {name.strip()} is given twice.", "Give each name once."
            raise InvalidRequest("REQUEST_INVALID", message, field=option, fix=fix)
        values[name.strip()] = value.strip()
    return values


def _items_of(item: str, option: str) -> list[str]:
    if not item.startswith("@"):
        return [item]
    try:
        with Path(item[1:]).open(encoding="utf-8-sig", newline="") as file:
            _, *rows = csv.reader(file)
    except (OSError, ValueError) as error:
        raise InvalidRequest("REQUEST_INVALID", f"{option} {item}: {error}.", field=option) from error
    return ["=".join(row[:2]) for row in rows if row]


def keys(items: Sequence[str]) -> list[str]:
    """List names given by repetition, by commas, or both."""
    return [name.strip() for item in items for name in item.split(",") if name.strip()]


def result_file(path: Path) -> Path:
    """Check that a path names a kind of file that a result can be written to.

    Raises:
        InvalidRequest: the name ends in none of .parquet, .csv, .xlsx and .html.
    """
    return _named(path, ".parquet", ".csv", ".xlsx", ".html")


def report_file(path: Path) -> Path:
    """Check that a path names a report.

    Raises:
        InvalidRequest: the name does not end in .html.
    """
    if path.suffix.lower() != ".html":
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"A report cannot be written to {path.name!r}.",
            field="--report",
            fix="Give a file that ends in .html; -o writes rows and workbooks.",
        )
    return path


def writable(path: Path) -> Path:
    """Check that a path names a kind of table that can be written.

    Raises:
        InvalidRequest: the name ends in neither .parquet nor .csv.
    """
    return _named(path, ".parquet", ".csv")


def _named(path: Path, *suffixes: str) -> Path:
    if path.suffix.lower() in suffixes:
        return path
    *others, last = suffixes
    fix = f"Name a {', '.join(others)} or {last} file."
    raise InvalidRequest("REQUEST_INVALID", f"Cannot write {path}.", fix=fix)
