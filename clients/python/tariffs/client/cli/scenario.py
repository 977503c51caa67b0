"""`tariffs scenario`: the library, and a check for scenarios of one's own."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from tariffs.client.cli import options, render
from tariffs.client.errors import InvalidRequest
from tariffs.client.scenario import Scenario

app = typer.Typer(
    help="Scenarios: dated edits to the law. List the library, show or compare some, check one of your own.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(metavar="NAME_OR_FILE", help="A name of the library, or a *.yaml file.")]
_LAW_EXIT = 4


@app.command("list")
def list_scenarios(
    target: options.Target = None, local: options.Local = False, as_json: options.Json = False
) -> int:
    """The scenarios of the library."""
    with options.connected(target, local) as client:
        scenarios = client.scenarios()
    if as_json:
        rows = [
            {"id": one.id, "title": one.title, "basis": one.basis, "digest": one.digest} for one in scenarios
        ]
        print(json.dumps({"scenarios": rows}))
    else:
        render.scenarios(scenarios)
    return 0


@app.command("show", epilog="[bold]Example[/bold]\n\n  tariffs scenario show truce-lapses > mine.yaml")
def show(
    name: Name, target: options.Target = None, local: options.Local = False, as_json: options.Json = False
) -> int:
    """A scenario as YAML: a start for one of your own."""
    known = Scenario.of(name)
    if known.text:
        document: dict[str, object] = {"source": known.source, "yaml": known.text}
        text = known.text
    else:
        with options.connected(target, local) as client:
            found = client.scenario(known.name)
        text = found.text
        document = {
            "id": found.id,
            "title": found.title,
            "description": found.description,
            "basis": found.basis,
            "parents": list(found.parents),
            "digest": found.digest,
            "tags": list(found.tags),
            "yaml": text,
        }
    print(json.dumps(document) if as_json else text.rstrip("\n"))
    return 0


@app.command("check", epilog="[bold]Example[/bold]\n\n  tariffs scenario check mine.yaml --strict")
def check(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME_OR_FILE", help="A name of the library, a *.yaml file, or - for stdin."),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """What is wrong with a scenario, with line and column. Exit 4 if it does not run."""
    scenario = _from_stdin() if name == str(options.STDIN) else Scenario.of(name)
    with options.connected(target, local) as client:
        result = client.check(scenario)
    ok = not result.problems if strict else result.ok
    if as_json:
        print(json.dumps({**result.to_json_dict(), "ok": ok}))
    else:
        render.check(name, result)
    return 0 if ok else _LAW_EXIT


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


@app.command("diff", epilog="[bold]Example[/bold]\n\n  tariffs scenario diff base truce-extended")
def diff(
    first: Name,
    second: Annotated[str, typer.Argument(metavar="NAME_OR_FILE", help="The scenario to compare it with.")],
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """What two scenarios make different in the law: which measures stand otherwise, from when to when."""
    with options.connected(target, local) as client:
        found = client.diff(Scenario.of(first), Scenario.of(second))
    if as_json:
        print(json.dumps({"differences": [one.to_json_dict() for one in found]}))
    else:
        render.differences(found)
    return 0
