"""Words and names of the code: first lines one can search, and one meaning for each class name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "engine": ROOT / "engine" / "tariffs" / "engine",
    "firm": ROOT / "engine" / "tariffs" / "firm",
    "bench": ROOT / "engine" / "tariffs" / "bench",
    "importers": ROOT / "engine" / "tariffs" / "importers",
    "reference_pages": ROOT / "engine" / "tariffs" / "reference_pages",
    "service": ROOT / "service" / "tariffs" / "service",
    "client": ROOT / "clients" / "python" / "tariffs" / "client",
}
QUESTIONS = ("What", "Whether", "Who", "How")
PRIVATE_WORDS = re.compile(
    r"\b(anew|alike|let in|lets in|of one's own|in hand|told|tells|stands)\b", re.IGNORECASE
)
SAME_THING_AT_TWO_FLOORS = {
    "engine": {
        "armington",
        "law_lanes",
        "draws",
        "kernel",
        "market",
        "model",
        "names",
        "read",
    },
    "service": {
        "duty",
        "law",
        "lines",
        "operations",
        "refund",
        "scenarios",
        "sweeps",
        "simulation",
        "tables",
        "watch",
    },
    "client": {
        *(
            "bom",
            "collections",
            "duty",
            "duty_options",
            "entries",
            "find",
            "impact",
            "law",
            "law_changes",
            "world",
            "port_fees",
            "quote",
            "refund",
            "replay",
            "runs",
            "source",
        ),
        *("scenario", "sweep", "table", "tables", "watch"),
    },
    "firm": set(),
    "bench": set(),
    "importers": set(),
    "reference_pages": set(),
}
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def modules(package: str) -> list[Path]:
    return sorted(PACKAGES[package].rglob("*.py"))


def first_lines(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The first line of the module's docstring and of every other one, with its line number."""
    for node in ast.walk(tree):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), text.splitlines()[0]


def faults(source: str) -> list[str]:
    """First lines that begin with a question word or use a private one."""
    return [
        f"{line}: {text}"
        for line, text in first_lines(ast.parse(source))
        if text.lstrip("`").startswith(tuple(f"{word} " for word in QUESTIONS)) or PRIVATE_WORDS.search(text)
    ]


def classes(package: str) -> dict[str, list[str]]:
    """Modules by the name of the classes that they define, underscores apart."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in modules(package):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name.strip("_")].append(path.relative_to(PACKAGES[package]).as_posix())
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_first_lines_can_be_searched(package: str) -> None:
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in modules(package)
        if (lines := faults(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_the_search_finds_faults() -> None:
    assert faults('"""What a thing is."""') == ["1: What a thing is."]
    assert faults('def f():\n    """Read it anew."""') == ["1: Read it anew."]
    assert faults('"""Read a table."""\n\n\ndef f():\n    """Howl."""') == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_class_name_has_one_meaning(package: str) -> None:
    assert {name: places for name, places in classes(package).items() if len(places) > 1} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_name_has_one_meaning(package: str) -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in modules(package):
        if not path.stem.startswith("__"):
            places[path.stem].append(path.relative_to(PACKAGES[package]).as_posix())
    twice = {name for name, paths in places.items() if len(paths) > 1}
    assert twice <= SAME_THING_AT_TWO_FLOORS[package], {name: places[name] for name in twice}


def test_three_classes_are_called_a_layer() -> None:
    layers = {name for package in PACKAGES for name in classes(package) if name.endswith("Layer")}
    assert layers <= {"Layer", "QuoteLayer"}
