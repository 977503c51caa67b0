"""`tariffs seek`: the value of a parameter at which a result meets a target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from tariffs.client._wire.sweep_requests import EXTREMES
from tariffs.client.cli import options
from tariffs.client.cli.commands import Output
from tariffs.client.cli.options import examples
from tariffs.client.cli.run_command import Asked, with_run_options
from tariffs.client.errors import InvalidRequest

EXAMPLES = examples(
    "tariffs seek -s rates-by-country --on 2027-01-11 --vary cn=0%:60% --target duty_after=3.0e11",
    "tariffs seek -s rates-by-country --on 2027-01-11 --vary cn=0%:60% --target duty=1.2e11 --where origin=CN",
)


@with_run_options("seek")
def seek(
    vary: Annotated[
        str,
        typer.Option(
            "--vary",
            metavar="NAME=LOW:HIGH",
            help="Parameter and its range: cn=0%:60%, start=2026-12-01:2027-06-30, truce=off:on, "
            "elasticity.sigma=x0.5:x2.",
        ),
    ],
    target: Annotated[
        list[str],
        typer.Option(
            "--target",
            metavar="COLUMN=VALUE",
            help="Result to meet: duty, duty_after (revenue), landed, value_after, welfare, effective_rate and the "
            "like, max or min for its extreme; with _share the share of the groups of --where in the table. A --target "
            "HOST:PORT beside it names a server.",
        ),
    ],
    asked: Asked,
    scenario: options.WithParameters = "base",
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="KEY=VALUES",
            help="Groups that count, such as origin=CN or hts2=61,62; may be repeated. Default: the whole table. With "
            "--response world country=USA makes the target one of that country.",
        ),
    ] = None,
    local: options.Local = False,
    **run: Any,
) -> Output:
    """Find the values of a parameter of a scenario at which a result meets a target.

    201 values of the range are computed first, so that no root is missed in silence; each root is then refined to a
    billionth of the target. Several roots are all named, jumps are told apart, and if there is none the nearest value
    is named.
    """
    name, low, high = _range(vary)
    aim, server = _aim_and_server(target)
    filters = {key: options.keys([values]) for key, values in options.pairs(where, "--where").items()}
    with options.connected(server, local, run.pop("law_version")) as client:
        result = client.seek(
            asked.goods(), scenario, vary=(name, low, high), target=aim, where=filters, progress=True, **run
        )
        return asked.answer(client, "seek", result, result.path)


def _range(vary: str) -> tuple[str, str, str]:
    """Read NAME=LOW:HIGH; raises InvalidRequest."""
    ((name, values),) = options.pairs([vary], "--vary").items()
    low, colon, high = values.partition(":")
    if not colon or not low.strip() or not high.strip():
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"--vary {vary!r} is not NAME=LOW:HIGH.",
            field="--vary",
            fix="Write cn=0%:60%.",
        )
    return name, low.strip(), high.strip()


def _aim_and_server(targets: Sequence[str]) -> tuple[tuple[str, float | str], str | None]:
    """Separate the result to meet from the server, which has no `=`; raises InvalidRequest."""
    aims = [text for text in targets if "=" in text]
    servers = [text for text in targets if "=" not in text]
    if len(aims) != 1 or len(servers) > 1:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"--target is given as {', '.join(targets)}.",
            field="--target",
            fix="Give one result to meet, such as --target duty_after=3.0e11, and at most one server.",
        )
    ((column, text),) = options.pairs(aims, "--target").items()
    return (column, text if text in EXTREMES else _number(text)), servers[0] if servers else None


def _number(text: str) -> float:
    """Read a number, with `%` a fraction; raises InvalidRequest."""
    try:
        value = float(text.removesuffix("%").replace(",", ""))
    except ValueError as error:
        message, fix = f"--target value {text!r} is not a number.", "Write it as 3.0e11, or as 5%."
        raise InvalidRequest("REQUEST_INVALID", message, field="--target", fix=fix) from error
    return value / 100 if text.endswith("%") else value
