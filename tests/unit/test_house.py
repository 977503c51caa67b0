"""The rules of the house that no linter knows; CONTRIBUTING.md says why each exists."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("engine", "service", "clients/python", "proto")
ENGINE = ROOT / "engine" / "tariffs" / "engine"
LONGEST_MODULE = 400
HEADING = re.compile(r"\b99\d\d\.\d\d(\.\d\d)?\b|\b99\d{6}\b")


def source_files(*folders: str) -> list[Path]:
    files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in files if "_pb2" not in path.name)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def engine_files() -> list[Path]:
    return [path for path in source_files("engine") if not {"importers", "reference_pages"} & set(path.parts)]


@cache
def country_codes() -> frozenset[str]:
    """ISO codes as the project's own data has them: the countries table, and the members of groups."""
    groups = yaml.load(
        (ENGINE / "law" / "data" / "groups.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader
    )
    codes = set(_members(groups))
    for path in (ENGINE / "schedule" / "data").glob("countries*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            codes |= {row["iso2"] for row in csv.DictReader(file)}
    return frozenset(codes)


def _members(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "members":
                yield from value
            else:
                yield from _members(value)
    elif isinstance(node, list):
        for value in node:
            yield from _members(value)


def docstrings(tree: ast.Module) -> set[ast.Constant]:
    """Every string that documents something: a docstring, or a string under an attribute."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    documentation = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation:
            yield node.lineno, node.value


def facts_in(text: str, codes: frozenset[str]) -> list[str]:
    """Country codes and chapter-99 headings that a source spells out, as `line: literal`."""
    return [
        f"{line}: {literal!r}"
        for line, literal in literals(ast.parse(text))
        if literal.strip() in codes or HEADING.search(literal)
    ]


def test_a_module_can_be_taken_in_at_one_sitting() -> None:
    counts = {name(path): source(path).count("\n") for path in source_files(*SOURCE_ROOTS, "tests")}
    assert len(counts) > 1_000
    assert not {file: lines for file, lines in counts.items() if lines > LONGEST_MODULE}, "split them"


def test_engine_code_names_no_country_and_no_heading() -> None:
    found = {name(path): facts_in(source(path), country_codes()) for path in engine_files()}
    assert not {file: facts for file, facts in found.items() if facts}, "law belongs in the law data"


def test_the_search_for_facts_finds_them() -> None:
    codes = frozenset({"CN", "NO"})
    assert facts_in('origin = "CN"', codes) == ["1: 'CN'"]
    assert facts_in('x = f"{y} under 9903.01.25"', codes) == ["1: ' under 9903.01.25'"]
    assert facts_in('"""Goods of CN under 9903.01.25."""\nx: str = "CNY"', codes) == []
    assert facts_in('class A:\n    x: int\n    """9903.01.25"""', codes) == []


def test_the_codes_to_search_for_are_there() -> None:
    assert len(country_codes()) > 30


def test_the_engine_prints_and_logs_nothing() -> None:
    calls = {
        f"{name(path)}:{node.lineno}"
        for path in source_files("engine")
        if path.name != "__main__.py"
        for node in ast.walk(ast.parse(source(path)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert not calls, "the engine gives results back"


def test_nothing_reads_the_clock_or_the_zone_of_the_machine() -> None:
    read = {
        f"{name(path)}:{node.lineno}: {node.attr}"
        for path in source_files(*SOURCE_ROOTS)
        for node in ast.walk(ast.parse(source(path)))
        if isinstance(node, ast.Attribute)
        and node.attr in {"today", "utcnow", "localtime", "now"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"date", "datetime", "time"}
    }
    assert not read, "dates come from the law or the caller"


def test_committed_text_names_no_machine() -> None:
    """No path of one machine and no host of a package registry in what a reader gets."""
    machine = re.compile(r"/(?:root|home/\w+|Users/\w+|opt/wheels)/|files\.pythonhosted|pypi\.org/simple")
    texts = [ROOT / "requirements.lock", ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("*.md")]
    texts += [*(ROOT / "docs").rglob("*.md"), *source_files(*SOURCE_ROOTS)]
    found = [name(path) for path in texts if machine.search(path.read_text(encoding="utf-8"))]
    assert not found
