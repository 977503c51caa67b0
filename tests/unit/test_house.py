"""The rules of the house that no linter knows; CONTRIBUTING.md says why each exists."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
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


def facts_in(source: str, codes: frozenset[str]) -> list[str]:
    """Country codes and chapter-99 headings that a source spells out, as `line: literal`."""
    return [
        f"{line}: {text!r}"
        for line, text in literals(ast.parse(source))
        if text.strip() in codes or HEADING.search(text)
    ]


@pytest.mark.parametrize("path", source_files(*SOURCE_ROOTS, "tests"), ids=name)
def test_a_module_can_be_taken_in_at_one_sitting(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_MODULE, f"{name(path)} has {lines} lines; split it"


@pytest.mark.parametrize("path", engine_files(), ids=name)
def test_engine_code_names_no_country_and_no_heading(path: Path) -> None:
    found = facts_in(path.read_text(encoding="utf-8"), country_codes())
    assert not found, f"{name(path)}: law belongs in the law data: {found}"


def test_the_search_for_facts_finds_them() -> None:
    codes = frozenset({"CN", "NO"})
    assert facts_in('origin = "CN"', codes) == ["1: 'CN'"]
    assert facts_in('x = f"{y} under 9903.01.25"', codes) == ["1: ' under 9903.01.25'"]
    assert facts_in('"""Goods of CN under 9903.01.25."""\nx: str = "CNY"', codes) == []
    assert facts_in('class A:\n    x: int\n    """9903.01.25"""', codes) == []


def test_the_codes_to_search_for_are_there() -> None:
    assert len(country_codes()) > 30


@pytest.mark.parametrize("path", source_files("engine"), ids=name)
def test_the_engine_prints_and_logs_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    if path.name != "__main__.py":
        assert "print" not in calls, f"{name(path)} prints; the engine gives results back"


@pytest.mark.parametrize("path", source_files(*SOURCE_ROOTS), ids=name)
def test_nothing_reads_the_clock_or_the_zone_of_the_machine(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    read = {
        f"{node.lineno}: {node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"today", "utcnow", "localtime", "now"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"date", "datetime", "time"}
    }
    assert not read, f"{name(path)} reads the clock: {sorted(read)}; dates come from the law or the caller"


def test_committed_text_names_no_machine() -> None:
    """No path of one machine and no host of a package registry in what a reader gets."""
    machine = re.compile(r"/(?:root|home/\w+|Users/\w+|opt/wheels)/|files\.pythonhosted|pypi\.org/simple")
    texts = [ROOT / "requirements.lock", ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("*.md")]
    texts += [*(ROOT / "docs").rglob("*.md"), *source_files(*SOURCE_ROOTS)]
    found = [name(path) for path in texts if machine.search(path.read_text(encoding="utf-8"))]
    assert not found
