"""Every example with a scenario, in README, docs, notebooks and help, changes the law on the days it asks about."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import typer

from tariffs.client.cli.app import SUMMARIES, assemble
from tariffs.engine.law import load_law
from tariffs.engine.scenario import Scenario, apply_scenario, components, difference, library, parse_scenario
from tests.packaging.snippets import PAGES, ROOT, fences, name_of

VERBS = {"duty", "impact", "timeline", "sweep", "seek", "refund", "port-fees"}
# Asks what is assessed and not owed, which is so without any edit.
BASE = "base"
NO_EDITS = {"ieepa-refunds"}
OPTIONS = {"-s": "scenario", "--scenario": "scenario", "--on": "on", "--date": "on", "--start": "start",
           "--end": "end", "--param": "param", "--vary": "vary", "--direction": "direction"}  # fmt: skip
OWN_FILE = re.compile(r"^.*\.ya?ml$")


@dataclass(frozen=True)
class Example:
    """A scenario as an example compares it with the first of its own: on which days, for which direction, where."""

    where: str
    scenario: str
    reference: str
    first: str
    last: str
    direction: str = "import"
    values: tuple[str, ...] = ()


def of_command(where: str, text: str) -> Iterator[Example]:
    """Yield the scenarios of a command; `mine.yaml` is the scenario that the page itself shows."""
    words = shlex.split(text, comments=True)
    if not VERBS & set(words[:3]):
        return
    given: dict[str, list[str]] = {name: [] for name in OPTIONS.values()}
    for option, value in pairwise(words):
        if option in OPTIONS:
            given[OPTIONS[option]].append(value)
    day = (given["on"] or [load_law().as_of.isoformat()])[0]
    first, last = (given["start"] or [day])[0], (given["end"] or [day])[0]
    direction = "both" if "--both" in words else (given["direction"] or ["import"])[0]
    direction = "port_call" if "port-fees" in words else direction
    values = (*given["param"], *map(first_value, given["vary"]))
    for name in given["scenario"]:
        yield Example(where, name, reference_of(name, given["scenario"]), first, last, direction, values)


def first_value(text: str) -> str:
    """The first of the values that are varied, as one value of the parameter."""
    name, _, values = text.partition("=")
    return f"{name}={re.split(r'[:,]', values)[0]}"


def reference_of(name: str, names: list[str]) -> str:
    """What results compare a scenario with: the first of its call, or the law as it is."""
    return names[0] if names[0] in library() and names[0] != name else BASE


def of_calls(where: str, text: str) -> Iterator[Example]:
    """Yield the scenarios of calls in Python, by the names of the library in the call."""
    for call in re.findall(r"\.(?:impact|timeline|start|lines|sweep|seek)\(((?:[^()]|\([^()]*\))*)\)", text):
        days = re.findall(r"\b(?:on|start|end)=\"([\d-]+)\"", call) or [load_law().as_of.isoformat()]
        direction = "export" if 'direction="export"' in call else "import"
        names = [name for name in re.findall(r"\"([\w-]+)\"", call) if name in library()]
        for name in names:
            yield Example(where, name, reference_of(name, names), min(days), max(days), direction)


def help_pages(command: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the examples of a command and of those below it."""
    for line in re.findall(r"^\s*(tariffs .*)$", command.epilog or "", re.MULTILINE):
        yield path, line
    for name, child in getattr(command, "commands", {}).items():
        yield from help_pages(child, f"{path} {name}")


def examples() -> list[Example]:
    found: list[Example] = []
    for verb in SUMMARIES:
        program: Any = typer.main.get_command(assemble(verb))
        for path, line in help_pages(program.commands[verb], f"tariffs {verb}"):
            found += of_command(f"{path} --help", line)
    for page in (*PAGES, *sorted((ROOT / "docs" / "notebooks").glob("*.py"))):
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"^(?:\$ )?(tariffs .*)$", text, re.MULTILINE):
            found += of_command(name_of(page), line)
        found += of_calls(name_of(page), text)
        quotes = re.findall(r"\"entry\": \"([\d-]+)\".*\"scenario\": \{\"name\": \"([\w-]+)\"", text)
        found += [Example(name_of(page), name, BASE, day, day) for day, name in quotes]
    return [one for one in dict.fromkeys(found) if one.scenario not in {BASE, *NO_EDITS}]


def read(example: Example) -> Scenario | None:
    """The scenario of an example; None for a file that its page does not show."""
    scenario = library().get(example.scenario)
    if scenario is None and OWN_FILE.match(example.scenario) and example.where.endswith(".md"):
        shown = (text for text in fences(ROOT / example.where, "yaml") if text.startswith("schema: "))
        scenario = parse_scenario(next(shown))
    if scenario is None:
        return None
    values = [value.split("=", 1) for value in example.values]
    return scenario.with_parameters({name: value for name, value in values if name in scenario.parameters})


@cache
def spans(example: Example) -> list[tuple[str, datetime | None, datetime | None]]:
    """Direction (or "any"), start and end of each difference from the law of the reference."""
    found = read(example)
    assert found is not None
    law = load_law()
    first = apply_scenario(law, library()[example.reference])
    parts = [difference(first, apply_scenario(law, part)) for _, part in components(found)]
    return [(one.direction or "any", one.start, one.end) for part in parts for one in part]


@pytest.mark.parametrize("example", examples(), ids=lambda one: f"{one.where}:{one.scenario}@{one.first}")
def test_an_example_changes_the_law_on_its_days(example: Example) -> None:
    if read(example) is None:
        pytest.skip("the file is the reader's own")
    first, last = (datetime.fromisoformat(f"{day[:10]}T18:00Z") for day in (example.first, example.last))
    anyway = example.direction == "both"
    met = [span[1:] for span in spans(example) if anyway or span[0] in {example.direction, "any"}]
    assert any((start is None or start <= last) and (end is None or first < end) for start, end in met)


def test_examples_are_found_in_every_place() -> None:
    places = {example.where for example in examples()}
    assert {"README.md", "docs/scenarios.md", "docs/other-languages.md", "tariffs impact --help"} <= places
    assert len(examples()) > 40
