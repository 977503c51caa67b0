"""Assemble the commands of `tariffs`: the one that a command line names in full, the others by name and summary.

The modules of all commands take a second to load, with what they need.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

from tariffs.client.cli.help_pages import HelpPage
from tariffs.client.errors import InvalidRequest
from tariffs.questions.index import INDEX

# Shells give the line to complete to Typer in one of these variables.
_COMPLETED_LINES = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")
SUMMARIES: Mapping[str, str] = {
    "duty": "Compute the duty on one entry line, or on every line of a file, with each layer named and cited.",
    "impact": "Compute the effect of scenarios on a trade table: landed cost and trade volume, by group and in total.",
    "timeline": "Compute the effect of scenarios on a trade table for every day of a period.",
    "score": "Compute the revenue of scenarios by fiscal year, on imports that grow as CBO projects.",
    "sweep": "Compute a scenario at up to 100,000 points of its parameters, by group and in total.",
    "seek": "Find the values of a parameter of a scenario at which a result meets a target.",
    **{name.replace("_", "-"): one.summary for name, one in INDEX.items()},
    "find": "Find codes that goods of some words may have, with the range of their duty.",
    "watch": "Watch your goods: events of a portfolio of lines, each with its days, amount and citation.",
    "collections": "Follow duty on US imports from the law to the treasury: assessed, claimed, exempt, afloat, "
    "collected, refunded.",
    "world": "Solve the world in general equilibrium: welfare, wages, prices, employment and trade of all countries.",
    "bom": "Compute the landed cost and duty of a bill of materials, its exposure to changes, and what to buy.",
    "refund": "Compute refunds of entries, by entry, heading and collection window, and in total.",
    "replay": "Run a written result of impact, timeline or sweep again, and compare every number or name the changed "
    "inputs.",
    "scenario": "List, show, check and compare scenarios (dated changes of the law).",
    "law": "Show the law: its measures, open points (switches) and changes.",
    "runs": "List, show, share and cancel long runs on a server, and read results. Start one with `impact --detach` or "
    "`sweep --detach`.",
    "table": "Check a table before a run: columns, days, codes, refused rows and totals.",
    "data": "Make tables of your own from public files and broker reports.",
    "tables": "Upload, list, share and delete tables on a server. `impact` and `timeline` upload large ones "
    "themselves.",
    "test": "Check cases of expected duties and results: entry lines and runs over tables. Exit 1 if one is wrong.",
    "record": "Record the calls of a program to its server, without what is private, to send them again.",
    "replay-traffic": "Send recorded calls to a server at a rate, and compare latency and errors with a budget.",
    "validate": "Compare results of the engine with published figures.",
    "bench": "Measure the speed of the engine as ratios to Polars, DuckDB, NumPy and ready rates, in one run.",
    "desk": "Open the desk in the browser: quotes, comparisons, scenarios, tables and the law, each at its address.",
    "mcp": "Answer language models by the Model Context Protocol: quotes, origins, scenarios, changes, refunds, codes.",
    "audit": "Verify and show the audit record of a server.",
    "whoami": "Show your name on the server, your roles, groups and quotas, and what you use of them.",
    "serve": "Start the gRPC server; on SIGTERM or Ctrl-C it finishes open calls and stops.",
}


def _show_version(requested: bool) -> None:
    if requested:
        # The metadata of packages takes longer to load than the rest of the help.
        from importlib.metadata import version

        print(f"tariffs {version('tariffs')}")
        raise typer.Exit


def _root(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
    raw_csv: Annotated[
        bool,
        typer.Option(
            "--raw-csv",
            envvar="TARIFFS_RAW_CSV",
            help="Write texts of CSV files as they are: without the apostrophe before those that a spreadsheet would "
            "compute (= + - @).",
        ),
    ] = False,
) -> None:
    if raw_csv:
        # Imported here: Polars takes longer to load than a quote to compute.
        import_module("tariffs.client._wire.csv_text").leave_raw()


def _named() -> None:
    """Stand for a command that the command line does not name."""


def assemble(named: str) -> typer.Typer:
    """Assemble the application with the command `named` in full, if there is one of this name."""
    app = typer.Typer(
        name="tariffs",
        help="Compute US customs duties under the law of any day, and under changes of the law.\n\n"
        "Planning estimates, not rulings. The commands compute in this process unless --target or TARIFFS_TARGET names "
        "a server.",
        epilog="[bold]Example[/bold]\n\n  tariffs duty 9503.00.0073 --origin CN --date 2025-11-10 --value 10000",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_root)
    for name, summary in SUMMARIES.items():
        if name != named:
            app.command(name, help=summary)(_named)
            continue
        function = name.replace("-", "_")
        if function in INDEX:
            asked, examples = import_module("tariffs.client.cli.question_commands").asking(function)
            run = import_module("tariffs.client.cli.commands").command(asked)
            app.command(name, cls=HelpPage, epilog=examples)(run)
            continue
        module = import_module(f"tariffs.client.cli.{function}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, help=summary)
        else:
            run = import_module("tariffs.client.cli.commands").command(getattr(module, function))
            app.command(name, cls=HelpPage, epilog=module.EXAMPLES)(run)
    return app


def load(arguments: Sequence[str]) -> typer.Typer:
    """Load the command that a command line names, or the line that a shell wants to complete."""
    completed = (os.environ.get(name, "").split()[1:] for name in _COMPLETED_LINES)
    words = arguments or next((line for line in completed if line), [])
    return assemble(next((word for word in words if not word.startswith("-")), ""))


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code.

    Raises:
        TariffsError: for whatever goes wrong, wrong usage included.
    """
    try:
        return load(arguments)(arguments, prog_name="tariffs", standalone_mode=False) or 0
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
