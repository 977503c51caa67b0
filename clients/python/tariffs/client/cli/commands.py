"""Add commands to an application, with what most of them share: client, output, options of runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from types import EllipsisType, MappingProxyType
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

import typer

from tariffs.client._verbs.run_handle import RunStatus
from tariffs.client.cli import options
from tariffs.client.cli.help_pages import HelpPage
from tariffs.client.client import Client
from tariffs.client.results.headline import USMCA_SWITCH
from tariffs.client.results.json_values import json_value
from tariffs.client.results.table_handle import TableHandle
from tariffs.run_spec.option import Kind, RunOption
from tariffs.run_spec.spec import OPTIONS

UnderLaw = Annotated[Client, "--law-version"]
"""Client of a command that takes `--law-version` too."""
_CONNECTION: Mapping[str, tuple[Any, object]] = {
    "law_version": (options.LawVersion, ""),
    "target": (options.Target, None),
    "local": (options.Local, False),
}
_JSON: Mapping[str, tuple[Any, object]] = {"as_json": (options.Json, False)}
Function = TypeVar("Function", bound=Callable[..., Any])
Command = Callable[..., Any]
_SEVERAL = {Kind.KEYS, Kind.PAIRS, Kind.VALUES}
_TYPES: Mapping[Kind, Any] = {Kind.FLAG: bool, Kind.NUMBER: float, Kind.WHOLE: int}
LAW = ("known_on", "switches", "min_confidence")
"""Options of the law that most commands take."""
# Types that are found at run time.
_ANNOTATED: Any = Annotated
_TEXTS: Any = list[str] | None


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


Outputs = Iterator[Output]
"""Outputs of a command that watches, each as it comes."""


def add(app: typer.Typer, name: str, *examples: str) -> Callable[[Function], Function]:
    """Add a function to an application as a command, with examples at the end of its help.

    A function that returns an `Output` has the option `--json`, and so has one that yields them as they come, each of
    which is a line of JSON; one whose first parameter is `client` has the options of the connection, and is called with
    a client that is open as long as it runs.
    """

    def added(function: Function) -> Function:
        app.command(name, cls=HelpPage, epilog=options.examples(*examples))(command(function))
        return function

    return added


def command(function: Callable[..., Any]) -> Callable[..., int]:
    """Make the command of a function, as `add` describes it."""
    hints = get_type_hints(function, include_extras=True)
    client, returned = hints.pop("client", None), hints.pop("return")
    has_output = returned in (Output, Outputs)
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
        place = {name: given.pop(name) for name in names}
        with options.connected(**place) if client else nullcontext() as opened:
            answer = function(*([opened] if client else []), **given)
            if returned == Outputs:
                for output in answer:
                    _print(output, as_json)
                    sys.stdout.flush()
                return 0
        return _print(answer, as_json) if has_output else int(answer)

    return signed(call, [*own, *more], int)


def _print(output: Output, as_json: bool) -> int:
    """Print an output and return its exit code."""
    if as_json:
        print(json.dumps(json_value(output.document)))
    else:
        output.show()
    return int(output.exit_code)


def signed(called: Function, parameters: Sequence[Parameter], returned: Any) -> Function:
    """Give a function the parameters that Typer reads from it."""
    vars(called)["__signature__"] = Signature(parameters, return_annotation=returned)
    called.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": returned}
    return called


def shared(what: TableHandle | RunStatus) -> Output:
    """Make the output of a command that shares a table or a run."""
    return Output(
        what.to_json_dict(), lambda: print(f"{what.name} is shared with {what.shared_with or 'nobody'}")
    )


class Own(NamedTuple):
    """Option that a command has for itself.

    Attributes:
        flag: its name.
        metavar: form of its value.
        text: one text.
        default: its value where it is not given.
        kind: type of its value, by default text or that of the default; a `Kind` is converted as for options of runs.
        argument: name of the argument, by default that of the flag.
        more: further arguments of `typer.Option`.
    """

    flag: str
    metavar: str | None
    text: str
    default: object = None
    kind: Any = None
    argument: str = ""
    more: Mapping[str, Any] = MappingProxyType({})

    @property
    def name(self) -> str:
        """Name of the argument."""
        return self.argument or self.flag[2:].replace("-", "_")

    @property
    def parameter(self) -> Parameter:
        """Parameter that Typer reads."""
        usual = str | None if self.default is None else type(self.default)
        kind = _TEXTS if self.kind in _SEVERAL else self.kind or usual
        option = typer.Option(self.flag, metavar=self.metavar, help=self.text, **self.more)
        return Parameter(
            self.name, Parameter.KEYWORD_ONLY, default=self.default, annotation=_ANNOTATED[kind, option]
        )


CLAIM = Own(
    "--claim",
    "NAME=VALUE",
    "Declared fact about the goods, such as usmca_share=1.",
    kind=Kind.PAIRS,
    argument="claims",
)
UNIT = Own("--unit", None, "Unit of the quantity: kg, no, W, ...")


def with_options(*asked: str | Own | EllipsisType) -> Callable[[Command], Command]:
    """Give a command own options, and options of runs by name, in their order; it takes them as `**given`.

    An own option that is not given and has no default is left out, so that the default of the client holds.
    The parameters of the command itself have the place of `...`, by default behind the own options.
    """
    described = [OPTIONS[one] if isinstance(one, str) else one for one in asked if one is not ...]
    made = [one.parameter if isinstance(one, Own) else option_parameter(one) for one in described]
    place = asked.index(...) if ... in asked else sum(isinstance(one, Own) for one in described)
    return lambda command: taking(command, described, made[place:], made[:place])


def taking(
    command: Command,
    described: Sequence[RunOption | Own],
    made: Sequence[Parameter],
    first: Sequence[Parameter] = (),
) -> Command:
    """Give a command more options behind its own ones, and some before them, which it takes as `**given`."""

    @wraps(command)
    def called(*client: Any, **values: Any) -> Any:
        asked = [(one, values.pop(one.name)) for one in described]
        given = {
            one.name: _value(one, value)
            for one, value in asked
            if isinstance(one, RunOption) or value not in (None, [])
        }
        if claims := values.pop("usmca_claims", ""):
            given["switches"] = options.pairs(
                [f"{USMCA_SWITCH}={claims}"], "--usmca-claims", given["switches"]
            )
        return command(*client, **values, **given)

    was = signature(command, eval_str=True)
    *own, _ = was.parameters.values()
    whole = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in (*first, *own, *made)]
    return signed(called, whole, was.return_annotation)


def option_parameter(one: RunOption, *, hidden: bool = False) -> Parameter:
    """Make the parameter of an option of runs."""
    kind, default = (_TEXTS, None) if one.kind in _SEVERAL else (_TYPES.get(one.kind, str), one.default)
    annotation = _ANNOTATED[kind, options.run_option(one.name, hidden=hidden)]
    return Parameter(one.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _value(one: RunOption | Own, given: Any) -> Any:
    """Convert what Typer gives to what the client takes; None is the default."""
    if one.kind is Kind.KEYS:
        return options.keys(given or []) or None
    return options.pairs(given, one.flag) if one.kind in _SEVERAL else given
