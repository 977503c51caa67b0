"""`tariffs scenario`: list, show, check and compare scenarios."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from tariffs.client.cli import options, table_options
from tariffs.client.cli.commands import Output, UnderLaw, add, command
from tariffs.client.cli.render.law import print_check, print_differences, print_scenarios
from tariffs.client.cli.team_scenarios import add_commands, print_stored, stored_of
from tariffs.client.client import Client
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.law import Parameter
from tariffs.client.scenario import Scenario

app = typer.Typer(no_args_is_help=True)
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME_OR_FILE", help="Scenario of the library, stored one (team/NAME), or *.yaml file."
    ),
]
_LAW_EXIT = 4


@add(app, "list", "tariffs scenario list")
def list_scenarios(client: Client) -> Output:
    """List the scenarios of the library, and on a server those stored by you or shared with you."""
    scenarios, stored = client.scenarios(), stored_of(client)
    names = ("id", "title", "basis", "digest")
    rows = [{name: getattr(one, name) for name in names} for one in scenarios]

    def show() -> None:
        print_scenarios(scenarios)
        if stored:
            print_stored(stored)

    return Output({"scenarios": rows} | ({"stored": stored} if stored else {}), show)


@app.command(
    "show",
    epilog=options.examples(
        "tariffs scenario show truce-extended > mine.yaml",
        "tariffs scenario show rates-by-country --param cn=20% --json",
    ),
)
@command
def show(
    name: Name,
    param: options.Param = None,
    target: options.Target = None,
    local: options.Local = False,
) -> Output:
    """Print a scenario as YAML, to copy and change; comments at its end list its parameters and their values."""
    known, values = Scenario.of(name), options.pairs(param, "--param")
    if known.text:
        parameters = _parameters_of_file(known, values, target, local) if values else ()
        document: dict[str, object] = {"source": known.source, "yaml": known.text}
        text = known.text
    else:
        with options.connected(target, local) as client:
            stored = client.scenario(known.name, parameters=values)
        text, parameters = stored.text, stored.parameters
        document = {
            "id": stored.id,
            "title": stored.title,
            "description": stored.description,
            "basis": stored.basis,
            "parents": list(stored.parents),
            "digest": stored.digest,
            "tags": list(stored.tags),
            "yaml": text,
        }
    shown = "\n".join([text.rstrip("\n"), *_comments(parameters)])
    return Output({**document, "parameters": parameters}, lambda: print(shown))


def _parameters_of_file(
    scenario: Scenario, values: Mapping[str, str], target: str | None, local: bool
) -> tuple[Parameter, ...]:
    """Fill in the parameters of a file; raises InvalidRequest for the first error."""
    with options.connected(target, local) as client:
        result = client.check(scenario, parameters=values)
    for problem in result.problems if not result.ok else ():
        if problem.severity == "error":
            raise InvalidRequest(problem.reason, problem.message, field=problem.path, fix=problem.fix)
    return result.parameters


def _comments(parameters: Sequence[Parameter]) -> list[str]:
    """Describe parameters in comments of YAML."""
    facts = (", ".join(filter(None, (one.kind, f"default {one.default}", one.title))) for one in parameters)
    return [
        f"# --param {one.name}={one.value}  ({text})" for one, text in zip(parameters, facts, strict=True)
    ]


@add(
    app,
    "check",
    "tariffs scenario check mine.yaml --strict",
    "tariffs scenario check mine.yaml --param cn=20%",
)
def check(
    client: UnderLaw,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME_OR_FILE", help="Name of a library scenario, a *.yaml file, or - for standard input."
        ),
    ],
    param: options.Param = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
) -> Output:
    """List the problems of a scenario, with line and column. Exit 4 if it cannot be run."""
    scenario = _from_stdin() if name == str(table_options.STDIN) else Scenario.of(name)
    result = client.check(scenario, parameters=options.pairs(param, "--param"))
    ok = not result.problems if strict else result.ok
    shown = result.to_json_dict() | {"ok": ok}
    return Output(shown, lambda: print_check(name, result), 0 if ok else _LAW_EXIT)


def _from_stdin() -> Scenario:
    data = sys.stdin.buffer.read()
    try:
        return Scenario.from_text(data.decode("utf-8"), "standard input")
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            "SCENARIO_SYNTAX",
            f"Standard input is not UTF-8 text: {error}.",
            field="scenario",
            fix="Give YAML in UTF-8.",
        ) from error


@add(app, "diff", "tariffs scenario diff base truce-extended")
def diff(
    client: UnderLaw,
    first: Name,
    second: Annotated[str, typer.Argument(metavar="NAME_OR_FILE", help="Scenario to compare with.")],
) -> Output:
    """Compare the law under two scenarios: the measures that differ, from when to when."""
    differences = client.diff(Scenario.of(first), Scenario.of(second))
    return Output({"differences": differences}, lambda: print_differences(differences))


add_commands(app)
