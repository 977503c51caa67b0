"""`tariffs replay-traffic`: send recorded calls to a server at a rate, against a budget of latency and errors."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.connection import connect
from tariffs.client.cli.commands import Output
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.config import Config, secured, target_from_environment
from tariffs.client.traffic.calls import read_calls
from tariffs.client.traffic.sending import QUANTILES, Latencies, send_again

EXAMPLES = examples(
    "tariffs replay-traffic calls.jsonl --target localhost:50051 --rate 200 --seconds 30",
    "tariffs replay-traffic calls.jsonl --rate 200 --p99 50 --errors 0.1",
)
_ALL = "all calls"
_HUNDRED = 100.0


def replay_traffic(
    calls: Annotated[
        Path, typer.Argument(metavar="FILE", help="File of calls that `tariffs record` wrote.", exists=True)
    ],
    rate: Annotated[
        float,
        typer.Option("--rate", min=0.01, help="Calls a second, sent whether or not others are answered."),
    ] = 50.0,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, help="How long; the calls begin anew after the last.")
    ] = 10.0,
    p99: Annotated[
        float | None,
        typer.Option(
            "--p99",
            min=0.0,
            metavar="MS",
            help="Exit 1 if the 99th percentile of all calls is above.",
            show_default=False,
        ),
    ] = None,
    errors: Annotated[
        float | None,
        typer.Option(
            "--errors",
            min=0.0,
            metavar="PERCENT",
            help="Exit 1 if more calls fail, in percent.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="How long each call may take.")
    ] = 60.0,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            metavar="HOST:PORT",
            help="Server to call. Default: TARIFFS_TARGET, else localhost:50051.",
        ),
    ] = "",
) -> Output:
    """Send recorded calls to a server at a rate, and compare latency and errors with a budget.

    Calls are sent when they are due, however long those before take, and each is timed from then on: a server that
    falls behind shows it. Exit code 1 if a budget is missed.
    """
    server = target or target_from_environment()
    recorded = read_calls(calls)
    with connect(server, secured(Config(), None, None)) as channel:
        found = send_again(channel, server, recorded, rate, seconds, timeout)
    missed = _missed(found[0], p99, errors)
    facts: dict[str, Any] = {
        "rate": rate, "seconds": seconds, "methods": [{**asdict(one), "method": one.method or _ALL} for one in found],
        "missed": missed,
    }  # fmt: skip
    return Output(facts, lambda: _print(found, missed), 1 if missed else 0)


def _missed(every: Latencies, p99: float | None, errors: float | None) -> list[str]:
    missed = []
    slow = every.milliseconds.get("p99")
    if p99 is not None and (slow is None or slow > p99):
        found = "no call was answered" if slow is None else f"{slow:,.1f} ms"
        missed.append(f"p99: {found}, at most {p99:g} ms")
    if errors is not None and _HUNDRED * every.error_share > errors:
        missed.append(f"errors: {_HUNDRED * every.error_share:.2f} %, at most {errors:g} %")
    return missed


def _print(found: list[Latencies], missed: list[str]) -> None:
    out = console()
    rows = [
        (
            one.method or _ALL,
            f"{one.calls:,}",
            *(f"{one.milliseconds[name]:,.1f}" if one.milliseconds else "-" for name in QUANTILES),
            ", ".join(f"{reason} {count:,}" for reason, count in sorted(one.errors.items())) or "none",
        )
        for one in found
    ]
    out.print(text_table(["method", *right("calls", *(f"{name} ms" for name in QUANTILES)), "errors"], rows))
    for each in missed:
        out.print(f"missed: {each}", markup=False)
