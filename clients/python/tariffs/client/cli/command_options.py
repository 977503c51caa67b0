"""Give commands the options of runs, from the list of run options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, get_args

import typer

from tariffs.client._wire.frames import Table
from tariffs.client.cli import options
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.headline import USMCA_SWITCH
from tariffs.run_spec.option import Kind, RunOption
from tariffs.run_spec.spec import GROUPS, taken

Command = Callable[..., int]
_PANELS = (*GROUPS, options.OUTPUT, options.SERVER)
_SEVERAL = {Kind.KEYS, Kind.PAIRS, Kind.VALUES}
_TYPES: Mapping[Kind, Any] = {Kind.FLAG: bool, Kind.NUMBER: float, Kind.WHOLE: int}
# Types that are found at run time.
_ANNOTATED: Any = Annotated
_TEXT: Any = str | None
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
    """Give a command the options of a verb in the place of `**run`, which has them as the client takes them.

    An option whose name on the command line is that of a parameter of the command stays the command's.
    """

    def decorated(command: Command) -> Command:
        *own, _ = signature(command, eval_str=True).parameters.values()
        names = {one.name for one in own}
        made = [one for one in taken(verb) if one.flag[2:] not in names]

        @wraps(command)
        def called(*, claims: str, **values: Any) -> int:
            run = {one.name: _value(one, values.pop(one.name)) for one in made}
            if claims:
                run["switches"] = options.pairs([f"{USMCA_SWITCH}={claims}"], "--claims", run["switches"])
            return command(**values, **run)

        claims = Parameter("claims", Parameter.KEYWORD_ONLY, default="", annotation=_CLAIMS)
        whole = [*own, *map(_parameter, made), claims]
        whole.sort(key=lambda one: (_place(one), one.name == "claims"))
        called.__signature__ = signature(command).replace(  # type: ignore[attr-defined]  # as `inspect` documents it
            parameters=[one.replace(kind=Parameter.KEYWORD_ONLY) for one in whole]
        )
        return called

    return decorated


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


def _parameter(one: RunOption) -> Parameter:
    if one.kind in _SEVERAL:
        kind, default = _TEXTS, None
    elif one.kind in _TYPES:
        kind, default = _TYPES[one.kind], one.default
    else:
        kind, default = _TEXT, one.default or None
    annotation = _ANNOTATED[kind, options.run_option(one.name, one.group)]
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
