"""Give commands the options of runs, from the list of run options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, cast, get_args

import typer

from tariffs.client._wire.frames import Table
from tariffs.client.cli import options
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.headline import USMCA_SWITCH
from tariffs.run_spec.option import Kind, RunOption
from tariffs.run_spec.spec import GROUPS, OPTIONS, taken

Command = Callable[..., Any]
_PANELS = (*GROUPS, options.OUTPUT, options.SERVER)
_SEVERAL = {Kind.KEYS, Kind.PAIRS, Kind.VALUES}
_TYPES: Mapping[Kind, Any] = {Kind.FLAG: bool, Kind.NUMBER: float, Kind.WHOLE: int}
# Types that are found at run time.
_ANNOTATED: Any = Annotated
_TEXTS: Any = list[str] | None
_CLAIMS = Annotated[
    str,
    typer.Option(
        "--claims",
        metavar="2024|2025|2025h2|responding",
        help="USMCA claims where a line declares none: of a period, or rising with the duty that they save. "
        "Default: 2025h2.",
        rich_help_panel="Law",
    ),
]


def with_run_options(verb: str) -> Callable[[Command], Command]:
    """Give a command the options of a verb of runs, in groups, and `--claims`; as `with_options`.

    An option whose name on the command line is that of a parameter of the command stays the command's.
    """

    def decorated(command: Command) -> Command:
        own = signature(command).parameters
        made = [_parameter(one, one.group) for one in taken(verb) if one.flag[2:] not in own]
        claims = Parameter("claims", Parameter.KEYWORD_ONLY, default="", annotation=_CLAIMS)
        called: Any = _taking(command, [*made, claims])
        whole = sorted(signature(called).parameters.values(), key=_place)
        called.__signature__ = signature(called).replace(parameters=whole)
        return cast(Command, called)

    return decorated


def with_options(*names: str) -> Callable[[Command], Command]:
    """Give a command options of runs in the place of `**given`, which has them as the client takes them."""
    return lambda command: _taking(command, [_parameter(OPTIONS[name], None) for name in names])


def _taking(command: Command, made: Sequence[Parameter]) -> Command:
    described = [OPTIONS[one.name] for one in made if one.name in OPTIONS]

    @wraps(command)
    def called(*client: Any, **values: Any) -> Any:
        given = {one.name: _value(one, values.pop(one.name)) for one in described}
        if claims := values.pop("claims", ""):
            given["switches"] = options.pairs([f"{USMCA_SWITCH}={claims}"], "--claims", given["switches"])
        return command(*client, **values, **given)

    was = signature(command, eval_str=True)
    *own, _ = was.parameters.values()
    whole = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in (*own, *made)]
    called.__annotations__ = {one.name: one.annotation for one in whole} | {"return": was.return_annotation}
    vars(called).update(__signature__=was.replace(parameters=whole))
    return called


def of_both_sides(run: Mapping[str, Any], exports: Table | None) -> dict[str, Any]:
    """Options of a run over both sides from those of one, and its table of exports (None is the embedded one).

    `by` groups both sides where it is given.

    Raises:
        InvalidRequest: REQUEST_INVALID with `--direction export`.
    """
    if run["direction"] != "import":
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--both computes imports and exports; it takes no --direction.",
            field="--direction",
            fix="Leave out --direction, or --both.",
        )
    chosen = {name: value for name, value in run.items() if name not in {"direction", "by"}}
    return chosen | {"exports": exports} | ({"by": run["by"], "exports_by": run["by"]} if run["by"] else {})


def _parameter(one: RunOption, panel: str | None) -> Parameter:
    kind, default = (_TEXTS, None) if one.kind in _SEVERAL else (_TYPES.get(one.kind, str), one.default)
    annotation = _ANNOTATED[kind, options.run_option(one.name, panel)]
    return Parameter(one.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _value(one: RunOption, given: Any) -> Any:
    """Convert what Typer gives to what the client takes; None is the default."""
    if one.kind is Kind.KEYS:
        return options.keys(given or []) or None
    return options.pairs(given, one.flag) if one.kind in _SEVERAL else given


def _place(one: Parameter) -> int:
    """Place of a parameter in the help: arguments, then its group."""
    panel = getattr(get_args(one.annotation)[-1], "rich_help_panel", None)
    return _PANELS.index(panel) if panel in _PANELS else -1
