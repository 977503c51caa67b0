"""Assemble the commands of `tariffs`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from tariffs.client.cli import (
    duty,
    impact,
    law,
    refund,
    replay,
    runs,
    scenario,
    serve,
    tables,
    timeline,
    validate,
)
from tariffs.client.cli.options import examples
from tariffs.client.errors import InvalidRequest

app = typer.Typer(
    name="tariffs",
    help="Compute US customs duties under the law of any day, and under changes of the law.\n\n"
    "Planning estimates, not rulings. The commands compute in this process unless --target or TARIFFS_TARGET names a "
    "server.",
    epilog=examples("tariffs duty 9503.00.0073 --origin CN --date 2025-11-10 --value 10000"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(requested: bool) -> None:
    if requested:
        print(f"tariffs {version('tariffs')}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    pass


app.command("duty", epilog=duty.EXAMPLES)(duty.duty)
app.command("impact", epilog=impact.EXAMPLES)(impact.impact)
app.command("timeline", epilog=timeline.EXAMPLES)(timeline.timeline)
app.command("refund", epilog=refund.EXAMPLES)(refund.refund)
app.command("replay", epilog=replay.EXAMPLES)(replay.replay)
app.add_typer(scenario.app, name="scenario")
app.add_typer(law.app, name="law")
app.add_typer(runs.app, name="runs")
app.add_typer(tables.app, name="tables")
app.add_typer(validate.app, name="validate")
app.command("serve", epilog=serve.EXAMPLES)(serve.serve)


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code.

    Raises:
        TariffsError: for whatever goes wrong, wrong usage included.
    """
    try:
        return app(arguments, prog_name="tariffs", standalone_mode=False) or 0
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except typer.TyperException as error:
        if not error.format_message():  # a group without a command has shown its help already
            return error.exit_code
        raise _usage_error(error) from error


def _usage_error(error: typer.TyperException) -> InvalidRequest:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "tariffs"
    return InvalidRequest(
        "REQUEST_INVALID", " ".join(error.format_message().split()), fix=f"Try `{command} --help`."
    )
