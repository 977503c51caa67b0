"""Rules on the text of modules: length, first lines, names, and what belongs to the law data."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator

import yaml

from tests.tools.house.tree import CLIENT, ENGINE, SERVICE, SOURCE_ROOTS, Fault, Tree

LONGEST_MODULE = 400
HEADING = re.compile(r"\b99\d\d\.\d\d(\.\d\d)?\b|\b99\d{6}\b")
QUESTION = re.compile(r"`*(What|Whether|Who|How) ")
PRIVATE_WORD = re.compile(
    r"\b(anew|alike|let in|lets in|of one's own|in hand|told|tells|stands)\b", re.IGNORECASE
)
MACHINE = re.compile(r"/(?:root|home/\w+|Users/\w+|opt/wheels)/|files\.pythonhosted|pypi\.org/simple")
BESIDE_ENGINE = ("firm", "bench", "importers", "reference_pages")
SAME_THING_AT_TWO_FLOORS = {
    ENGINE: {"armington", "draws", "kernel", "law_lanes", "model", "read"},
    SERVICE: {"duty", "law", "lines", "scenarios", "tables", "watch"},
    CLIENT: {
        "bom", "collections", "duty", "entries", "find", "impact", "law", "law_changes", "quote",
        "refund", "replay", "runs", "scenario", "sweep", "table", "tables", "watch", "world",
    },
    **{f"engine/tariffs/{name}/": set() for name in BESIDE_ENGINE},
}  # fmt: skip
"""Names of files that come twice in a package, which are the keys."""
LAYERS = {"Layer", "QuoteLayer"}
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def long_module(tree: Tree) -> Iterator[Fault]:
    """Find modules that are too long."""
    for path in tree.python(*SOURCE_ROOTS, "tests"):
        if (lines := tree.text(path).count("\n")) > LONGEST_MODULE:
            yield Fault(path, lines, f"{lines} lines")


def first_line(tree: Tree) -> Iterator[Fault]:
    """Find first lines of docstrings that ask a question or have a private word."""
    for path in tree.python(*SAME_THING_AT_TWO_FLOORS):
        for node in ast.walk(tree.parsed(path)):
            if isinstance(node, Documented) and (text := ast.get_docstring(node)):
                line = text.splitlines()[0]
                if QUESTION.match(line) or PRIVATE_WORD.search(line):
                    yield Fault(path, getattr(node, "lineno", 1), line)


def class_name(tree: Tree) -> Iterator[Fault]:
    """Find names, underscores apart, of several classes of a package, and layers that are none of the two."""
    for package in SAME_THING_AT_TWO_FLOORS:
        first: dict[str, str] = {}
        for path in tree.python(package):
            for node in ast.walk(tree.parsed(path)):
                if isinstance(node, ast.ClassDef):
                    name = node.name.strip("_")
                    if name in first:
                        yield Fault(path, node.lineno, f"{name} is a class of {first[name]} too")
                    elif name.endswith("Layer") and name not in LAYERS:
                        yield Fault(path, node.lineno, f"{name} is no layer of a line or a quote")
                    first.setdefault(name, path)


def file_name(tree: Tree) -> Iterator[Fault]:
    """Find names of several files of a package."""
    for package, known in SAME_THING_AT_TWO_FLOORS.items():
        places: dict[str, list[str]] = defaultdict(list)
        for path in tree.python(package):
            places[path.rpartition("/")[2].removesuffix(".py")].append(path)
        for name, (first, *others) in places.items():
            if name not in known and not name.startswith("__"):
                yield from (Fault(path, 1, f"{first} has the same name") for path in others)


def law_in_code(tree: Tree) -> Iterator[Fault]:
    """Find countries and headings of chapter 99 in strings of the engine, docstrings apart."""
    codes = country_codes(tree)
    for path in tree.python("engine"):
        if path.startswith(("engine/tariffs/importers/", "engine/tariffs/reference_pages/")):
            continue
        parsed = tree.parsed(path)
        documentation = {node.value for node in ast.walk(parsed) if isinstance(node, ast.Expr)}
        for node in ast.walk(parsed):
            if (
                isinstance(node, ast.Constant) and isinstance(text := node.value, str) and node not in documentation
            ) and (text.strip() in codes or HEADING.search(text)):  # fmt: skip
                yield Fault(path, node.lineno, repr(text))


def country_codes(tree: Tree) -> frozenset[str]:
    """Read the ISO codes of the project's own data: the tables of countries, and the members of groups."""
    groups = yaml.load(tree.text(f"{ENGINE}law/data/groups.yaml"), Loader=yaml.BaseLoader)
    tables = (tree.text(path) for path in tree.matching(f"{ENGINE}schedule/data/countries*.csv"))
    countries = {row["iso2"] for table in tables for row in csv.DictReader(io.StringIO(table, newline=""))}
    return frozenset({*_members(groups), *countries})


def _members(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from value if key == "members" else _members(value)
    elif isinstance(node, list):
        for value in node:
            yield from _members(value)


def machine(tree: Tree) -> Iterator[Fault]:
    """Find paths of one machine and hosts of package registries in what a reader gets."""
    texts = ["requirements.lock", "Makefile", "pyproject.toml", *tree.pages, *tree.python(*SOURCE_ROOTS)]
    for path in texts:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if found := MACHINE.search(line):
                yield Fault(path, number, found[0])
