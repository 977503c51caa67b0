"""Options that commands share, and their values."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client.client import Client
from tariffs.client.config import TARGET_VARIABLE
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.headline import USMCA_SWITCH

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
        help="Parquet, Arrow or CSV file; - is standard input. With --local or --cluster also a directory or pattern "
        "of Parquet files. Default: US trade of 2024.",
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
On = Annotated[
    str | None, typer.Option("--on", metavar="DAY", help="Day of the law. Default: the law's as-of day.")
]
Baseline = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="DAY",
        help="Day that the table's values belong to; needed to model a response on your own table.",
    ),
]
Response = Annotated[
    str,
    typer.Option(
        "--response",
        metavar="armington|passthrough|smart|gsim|exact_hat|none",
        help="Model of the trade response.",
    ),
]
Horizon = Annotated[
    str,
    typer.Option(
        "--horizon",
        metavar="path|impact|short|long",
        help="Time since the change of duty, for the trade response; path: every change at its own age.",
    ),
]
Claims = Annotated[
    str,
    typer.Option(
        "--claims",
        metavar="2024|2025|2025h2|responding",
        help="USMCA claims where a line declares none: of a period, or rising with the duty that they save. "
        "Default: 2025h2.",
    ),
]
Ahead = Annotated[
    str | None,
    typer.Option(
        "--ahead",
        metavar="DAY",
        help="Day from which buyers expect the duties that come: they buy ahead of them, and less afterwards.",
    ),
]
Market = Annotated[
    str,
    typer.Option(
        "--market",
        metavar="product|sector",
        help="Demand: each product by itself, or sectors of products and domestic goods.",
    ),
]
FxOffset = Annotated[
    float,
    typer.Option(
        "--fx-offset",
        metavar="SHARE",
        help="Part of the mean rise of prices by duties that a dearer dollar takes off exporters' prices; published: "
        "0.174. Default: 0, the exchange rate stays.",
    ),
]
Param = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="Value of a parameter of the scenario, such as cn=20%, start=2027-01-01 or vietnam=on; may be repeated. "
        "`tariffs scenario show` lists them with their defaults.",
    ),
]
ParameterSet = Annotated[
    str | None,
    typer.Option(
        "--set",
        metavar="low|high|central|wits|FILE",
        help="Parameters. Default: central; of smart: wits; of exact_hat: published thetas.",
    ),
]
GroupBy = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="KEYS",
        help="Groups: origin, region, authority, hts2 to hts10, sector, month, or a column. Default: origin.",
    ),
]
KnownOn = Annotated[
    str | None,
    typer.Option(
        "--known-on",
        metavar="DAY",
        help="Use only acts published by this day; `entry`: by the day of each line.",
    ),
]
Switches = Annotated[
    list[str] | None,
    typer.Option(
        "--switch", metavar="NAME=VALUE", help="Change an open point of the law; see `tariffs law switches`."
    ),
]
MinConf = Annotated[
    str, typer.Option("--min-conf", metavar="A|B|C", help="Use only acts with at least this confidence.")
]
LawVersion = Annotated[
    str,
    typer.Option(
        "--law-version",
        metavar="VERSION|latest|PACK",
        help="Law to use, one of `tariffs law versions`; without a server also a law pack or a directory of law data. "
        "Default: TARIFFS_LAW_VERSION, else that of the server.",
    ),
]
DateFormat = Annotated[
    str,
    typer.Option(
        "--date-format",
        metavar="m/d/Y|d/m/Y|excel",
        help="Format of date columns. Default: ISO, or the only order of day and month that fits the column.",
    ),
]
Direction = Annotated[
    str,
    typer.Option(
        "--direction",
        metavar="import|export",
        help="Imports into the United States, or its exports; days are those of the importing country.",
    ),
]
To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="CN|CA",
        help="With --direction export: the country the goods go to. Default: China, or the table's destination column.",
    ),
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
    typer.Option(
        "--output",
        "-o",
        help="Write rows as .parquet or .csv, all tables as .xlsx, a report as .html.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Write a report too, besides what -o writes; the name ends in .html.",
    ),
]
Brief = Annotated[
    bool, typer.Option("--brief", help="Print numbers only: no notes, reasons, assumptions or refused rows.")
]
Refused = Annotated[
    Path | None,
    typer.Option("--refused", help="Write refused rows to this file. Default: <TABLE>-refused.csv."),
]


def examples(*commands: str) -> str:
    """Format example commands for the end of a help page."""
    return "\n\n  ".join(
        ["[bold]Examples[/bold]" if len(commands) > 1 else "[bold]Example[/bold]", *commands]
    )


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
    chosen = chosen_target(target, local)
    with Client(chosen, law_version=law_version) if chosen else _local(law_version) as client:
        yield client


def _local(law_version: str) -> Client:
    if law_version and Path(law_version).exists():
        return Client.local(law=law_version)
    return Client.local(law_version=law_version)


def refuse_exports(path: Path | None) -> None:
    """Check that no table of exports is given for a run over one side; raises InvalidRequest."""
    if path is not None:
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--exports is the second table of a run over both sides.",
            field="--exports",
            fix="Add --both, or give the table as TABLE with --direction export.",
        )


def refuse_cluster(cluster: str, name: str, is_given: bool) -> None:
    """Check that no cluster is named for a run that does not go to one; raises InvalidRequest."""
    if cluster and is_given:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"--cluster does not go with {name}.",
            field="--cluster",
            fix=f"Leave out {name}; a server sends its long runs to the cluster of its setting TARIFFS_CLUSTER.",
        )


def pairs(items: Sequence[str] | None, option: str) -> dict[str, str]:
    """Read the NAME=VALUE items of an option into a mapping.

    Raises:
        InvalidRequest: an item has no name or no `=`, or a name comes twice.
    """
    values: dict[str, str] = {}
    for item in items or ():
        name, separator, value = item.partition("=")
        if not separator or not name.strip():
            raise InvalidRequest("REQUEST_INVALID", f"{option} {item!r} is not NAME=VALUE.", field=option)
        if name.strip() in values:
            raise InvalidRequest("REQUEST_INVALID", f"{option} {name.strip()} is given twice.", field=option)
        values[name.strip()] = value.strip()
    return values


def law_switches(items: Sequence[str] | None, claims: str) -> dict[str, str]:
    """Read the switches of the law, with the one that `--claims` selects.

    Raises:
        InvalidRequest: as `pairs`; or claims are selected twice.
    """
    return pairs([*(items or ()), *([f"{USMCA_SWITCH}={claims}"] if claims else [])], "--switch")


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
