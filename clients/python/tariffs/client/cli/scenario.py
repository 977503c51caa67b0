"""`tariffs scenario`: list, show, check and compare scenarios."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from tariffs.client.cli import options
from tariffs.client.cli.render.law import print_check, print_differences, print_scenarios
from tariffs.client.errors import InvalidRequest
from tariffs.client.scenario import Scenario

app = typer.Typer(
    help="List, show, check and compare scenarios (dated changes of the law).",
    no_args_is_help=True,
)
Name = Annotated[
    str, typer.Argument(metavar="NAME_OR_FILE", help="Name of a library scenario, or a *.yaml file.")
]
_LAW_EXIT = 4


@app.command("list", epilog=options.examples("tariffs scenario list"))
def list_scenarios(
    target: options.Target = None, local: options.Local = False, as_json: options.Json = False
) -> int:
    """List the scenarios of the library."""
    with options.connected(target, local) as client:
        scenarios = client.scenarios()
    if as_json:
        rows = [
            {"id": one.id, "title": one.title, "basis": one.basis, "digest": one.digest} for one in scenarios
        ]
        print(json.dumps({"scenarios": rows}))
    else:
        print_scenarios(scenarios)
    return 0


@app.command("show", epilog=options.examples("tariffs scenario show truce-lapses > mine.yaml"))
def show(
    name: Name, target: options.Target = None, local: options.Local = False, as_json: options.Json = False
) -> int:
    """Print a scenario as YAML, to copy and change."""
    known = Scenario.of(name)
    if known.text:
        document: dict[str, object] = {"source": known.source, "yaml": known.text}
        text = known.text
    else:
        with options.connected(target, local) as client:
            stored = client.scenario(known.name)
        text = stored.text
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
    print(json.dumps(document) if as_json else text.rstrip("\n"))
    return 0


@app.command("check", epilog=options.examples("tariffs scenario check mine.yaml --strict"))
def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME_OR_FILE", help="Name of a library scenario, a *.yaml file, or - for standard input."
        ),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """List the problems of a scenario, with line and column. Exit 4 if it cannot be run."""
    scenario = _from_stdin() if name == str(options.STDIN) else Scenario.of(name)
    with options.connected(target, local) as client:
        result = client.check(scenario)
    ok = not result.problems if strict else result.ok
    if as_json:
        print(json.dumps({**result.to_json_dict(), "ok": ok}))
    else:
        print_check(name, result)
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


@app.command("diff", epilog=options.examples("tariffs scenario diff base truce-extended"))
def diff(
    first: Name,
    second: Annotated[str, typer.Argument(metavar="NAME_OR_FILE", help="Scenario to compare with.")],
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """Compare the law under two scenarios: the measures that differ, from when to when."""
    with options.connected(target, local) as client:
        differences = client.diff(Scenario.of(first), Scenario.of(second))
    if as_json:
        print(json.dumps({"differences": [one.to_json_dict() for one in differences]}))
    else:
        print_differences(differences)
    return 0
