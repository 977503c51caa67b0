"""Rules on what is where: rooms, the namespace, dependencies, and what the pages name."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from tests.packaging.wheel import pins
from tests.tools.house.room_map import floors_of
from tests.tools.house.tree import CLIENT, ENGINE, SERVICE, SOURCE_ROOTS, Fault, Tree

PROJECT, LOCK, README, MAP = "pyproject.toml", "requirements.lock", "README.md", "CONTRIBUTING.md"
MOST_ENTRIES = {ENGINE: 12, SERVICE: 10}
MOST_FLOORS = 8
BESIDE_ROOMS = {"__init__.py", "py.typed"}
PUBLIC_OF_THE_CLIENT = {
    "async_client.py", "cases", "cli", "client.py", "config.py", "demo", "desk", "errors.py", "find", "mcp",
    "results", "scenario.py", "testing", "traffic",
}  # fmt: skip
LONGEST_README = 150
SAID = (
    (README, r"\A\s*make +demo.*\n\s*make +test"),
    (README, r"\A(.*\n){,14}.*2025"),
    (README, r"\(docs/install\.md\)"),
    ("docs/install.md", "git clone"),
    ("docs/install.md", r"pip install '\.\[all\]'"),
    ("docs/install.md", "`make demo`"),
)
"""What pages must say, as patterns."""


def rooms(tree: Tree) -> Iterator[Fault]:
    """Find too many rooms or floors, and what the client shows besides its public names."""
    for folder, most in MOST_ENTRIES.items():
        if (count := len(tree.entries(folder) - BESIDE_ROOMS)) > most:
            yield Fault(folder, 1, f"{count} entries, at most {most}")
    (engine,) = (one for one in _contracts(tree) if one.package == "tariffs.engine")
    if len(engine.rows) > MOST_FLOORS:
        yield Fault(PROJECT, 1, f"{len(engine.rows)} floors of the engine, at most {MOST_FLOORS}")
    shown = {name for name in tree.entries(CLIENT) - BESIDE_ROOMS if not name.startswith("_")}
    for name in shown ^ PUBLIC_OF_THE_CLIENT:
        yield Fault(f"{CLIENT}{name}", 1, name)
    opening = tree.text(MAP).split("## Commands")[0]
    for name in sorted({room for one in _contracts(tree) for room in one.rooms} - {"__main__"}):
        if f"  {name}/" not in opening and f"  {name}.py" not in opening:
            yield Fault(MAP, 1, f"{name} is not in the map")


def namespace(tree: Tree) -> Iterator[Fault]:
    """Find what closes the namespace over the source roots, packages beside it, and packages without types."""
    for path in tree.python(*SOURCE_ROOTS):
        if path.endswith("/tariffs/__init__.py") or (
            path.endswith("/__init__.py") and "/tariffs/" not in path
        ):
            yield Fault(path, 1, "it hides or adds a name")
    for folder in (ENGINE, SERVICE, CLIENT):
        if f"{folder}py.typed" not in tree.paths:
            yield Fault(folder, 1, "no py.typed")


def generated(tree: Tree) -> Iterator[Fault]:
    """Find generated code that needs a newer grpcio or protobuf than the oldest that is allowed."""
    oldest = dict(line.split(">=") for line in _project(tree)["project"]["dependencies"])
    needed = {
        "grpcio": re.compile(r"GRPC_GENERATED_VERSION = '([\d.]+)'"),
        "protobuf": re.compile(r"ValidateProtobufRuntimeVersion\([^,]+,\s*(\d+),\s*(\d+),\s*(\d+)"),
    }
    for path in tree.matching("proto/tariffs/*_pb2*.py"):
        for name, pattern in needed.items():
            for found in pattern.finditer(tree.text(path)):
                if _version(".".join(found.groups())) > _version(oldest[name]):
                    yield Fault(path, 1, f"{name} {'.'.join(found.groups())}")


def lock(tree: Tree) -> Iterator[Fault]:
    """Find hosts, entries without a hash, and dependencies without an entry in the lock."""
    text, project = tree.text(LOCK), _project(tree)
    for found in re.finditer(r"://|^--?(i|f|index|extra-index|find-links|trusted)", text, re.MULTILINE):
        yield Fault(LOCK, text.count("\n", 0, found.start()) + 1, found[0])
    for entry in re.split(r"\n(?=[a-z])", text):
        if "--hash=sha256:" not in entry:
            yield Fault(LOCK, 1, f"{entry.splitlines()[0]} without a hash")
    extras = project["project"]["optional-dependencies"]
    groups = [project["project"]["dependencies"], *extras.values(), *project["dependency-groups"].values()]
    wanted = {re.split(r"[^\w-]", line)[0] for group in groups for line in group} - {"tariffs"}
    yield from (Fault(LOCK, 1, f"{name} is missing") for name in sorted(wanted - pins(text).keys()))


def extras(tree: Tree) -> Iterator[Fault]:
    """Find extras that `all` or the page on installing does not name, and a bound of numba that is too wide."""
    declared = dict(_project(tree)["project"]["optional-dependencies"])
    every = declared.pop("all")
    if every != [f"tariffs[{','.join(declared)}]"]:
        yield Fault(PROJECT, 1, f"all is {every}")
    named = re.findall(r"tariffs\[([\w,]+)\]", tree.text("docs/install.md"))
    for name in {name for names in named for name in names.split(",")} ^ {*declared, "all"}:
        yield Fault("docs/install.md", 1, name)
    # Compiled kernels are kept by a locator of numba's cache, whose protocol may change with any minor version.
    (numba,) = (line for line in declared["server"] if "numba" in line)
    first, below = map(_version, re.findall(r"[\d.]+", numba))
    (locked,) = pins(tree.text(LOCK))["numba"]
    if not first <= _version(locked) < below == (first[0], first[1] + 1):
        yield Fault(PROJECT, 1, numba)


def pages(tree: Tree) -> Iterator[Fault]:
    """Find links that lead nowhere, make targets that are none, pages without a place, and what must be said."""
    folders = {posixpath.dirname(path) for path in tree.paths}
    places = tree.paths | {folder[: end.start()] for folder in folders for end in re.finditer(r"/|$", folder)}
    targets = set(re.findall(r"^([a-z][a-z-]*):", tree.text("Makefile"), re.MULTILINE))
    navigation = re.findall(r"docs/[\w/.-]+\.md", tree.text("zensical.toml"))
    for path in tree.pages:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            for link in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", line):
                if posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) not in places:
                    yield Fault(path, number, f"{link} is not there")
            for target in set(re.findall(r"(?:^    |`)make ([a-z-]+)", line)) - targets:
                yield Fault(path, number, f"make {target} is no target")
        if path.startswith("docs/") and path not in navigation:
            yield Fault(path, 1, "it has no place in zensical.toml")
    for page in set(navigation) - tree.paths:
        yield Fault("zensical.toml", 1, f"{page} is not there")
    if (length := tree.text(README).count("\n")) > LONGEST_README:
        yield Fault(README, length, f"{length} lines, at most {LONGEST_README}")
    for path, pattern in SAID:
        if not re.search(pattern, tree.text(path)):
            yield Fault(path, 1, f"it must say {pattern}")


def _project(tree: Tree) -> dict[str, Any]:
    return tomllib.loads(tree.text(PROJECT))


def _contracts(tree: Tree) -> Any:
    return floors_of(tree.text(PROJECT))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
