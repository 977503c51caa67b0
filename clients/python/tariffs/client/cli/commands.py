"""Add commands to an application, with what most of them share: the client that they call, and their output."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from tariffs.client._verbs.run_handle import RunStatus
from tariffs.client.cli import options
from tariffs.client.cli.help_pages import HelpPage
from tariffs.client.client import Client
from tariffs.client.results.json_values import json_value
from tariffs.client.results.table_handle import TableHandle

UnderLaw = Annotated[Client, "--law-version"]
"""Client of a command that takes `--law-version` too."""
_CONNECTION: Mapping[str, tuple[Any, object]] = {
    "law_version": (options.LawVersion, ""),
    "target": (options.Target, None),
    "local": (options.Local, False),
}
_JSON: Mapping[str, tuple[Any, object]] = {"as_json": (options.Json, False)}
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Output:
    """Output of a command.

    Attributes:
        document: what `--json` prints, results as their own `to_json_dict`.
        show: prints it for people.
        exit_code: exit code of the command.
    """

    document: Mapping[str, object]
    show: Callable[[], object]
    exit_code: int = 0


def add(app: typer.Typer, name: str, *examples: str) -> Callable[[Function], Function]:
    """Add a function to an application as a command, with examples at the end of its help.

    A function that returns an `Output` has the option `--json`; one whose first parameter is `client` has those of
    the connection, and is called with a client that is open as long as it runs.
    """

    def added(function: Function) -> Function:
        app.command(name, cls=HelpPage, epilog=options.examples(*examples))(command(function))
        return function

    return added


def command(function: Callable[..., Any]) -> Callable[..., int]:
    """Make the command of a function, as `add` describes it."""
    hints = get_type_hints(function, include_extras=True)
    client, has_output = hints.pop("client", None), hints.pop("return") is Output
    names = [name for name in _CONNECTION if client is UnderLaw or (client and name != "law_version")]
    added = {name: _CONNECTION[name] for name in names} | dict(_JSON if has_output else {})
    own = [
        one.replace(annotation=hints[name])
        for name, one in signature(function).parameters.items()
        if name in hints
    ]
    more = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in added.items()
    ]

    @wraps(function)
    def call(**given: Any) -> int:
        as_json = has_output and given.pop("as_json")
        if client is None:
            output = function(**given)
        else:
            place = {name: given.pop(name) for name in names}
            with options.connected(**place) as opened:
                output = function(opened, **given)
        if not has_output:
            return int(output)
        if as_json:
            print(json.dumps(json_value(output.document)))
        else:
            output.show()
        return int(output.exit_code)

    parameters = [*own, *more]
    vars(call).update(
        __signature__=signature(function).replace(parameters=parameters, return_annotation=int),
        __annotations__={one.name: one.annotation for one in parameters},
    )
    return call


def shared(what: TableHandle | RunStatus) -> Output:
    """Make the output of a command that shares a table or a run."""
    return Output(
        what.to_json_dict(), lambda: print(f"{what.name} is shared with {what.shared_with or 'nobody'}")
    )
