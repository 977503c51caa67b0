"""Print the import arrows between the rooms of engine and service, and fail on one that the import contract forbids.

`make map` runs it. The floors are those of `[tool.importlinter]` in pyproject.toml; imports inside functions and for
types alone count as any other.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Floors:
    """The rooms of a package by floor, the highest first.

    Attributes:
        package: the package that holds the rooms.
        rows: rooms of each floor, in the order of the contract.
        joined: whether rooms of a floor may import those to their right (`:` in the contract).
    """

    package: str
    rows: tuple[tuple[str, ...], ...]
    joined: tuple[bool, ...]

    @property
    def rooms(self) -> frozenset[str]:
        """All rooms."""
        return frozenset(room for row in self.rows for room in row)

    def allows(self, importer: str, imported: str) -> bool:
        """Test whether the contract allows a room to import another."""
        floor, other = self._floor(importer), self._floor(imported)
        if floor != other:
            return floor < other
        row = self.rows[floor]
        return self.joined[floor] and row.index(importer) < row.index(imported)

    def _floor(self, room: str) -> int:
        return next(number for number, row in enumerate(self.rows) if room in row)


def contracts(project: Path = ROOT / "pyproject.toml") -> list[Floors]:
    """Read the layer contracts of import-linter, one for each package."""
    settings = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["importlinter"]
    return [
        _floors(contract["containers"][0], contract["layers"])
        for contract in settings["contracts"]
        if contract["type"] == "layers"
    ]


def room_of(module: str, package: str) -> str:
    """Name the room of a module; empty for the package itself and for modules of other packages."""
    return module.removeprefix(f"{package}.").split(".")[0] if module.startswith(f"{package}.") else ""


def arrows_of(graph: grimp.ImportGraph, package: str) -> Counter[tuple[str, str]]:
    """Count the imports from each room to each other room."""
    arrows: Counter[tuple[str, str]] = Counter()
    for importer, imported in _imports(graph):
        pair = room_of(importer, package), room_of(imported, package)
        if all(pair) and pair[0] != pair[1]:
            arrows[pair] += 1
    return arrows


def circle_in(graph: grimp.ImportGraph, package: str) -> list[str]:
    """List the modules of an import circle inside the package; empty if there is none."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for importer, imported in _imports(graph):
        if importer.startswith(f"{package}.") and imported.startswith(f"{package}."):
            sorter.add(importer, imported)
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def faults_of(floors: Floors, arrows: Iterable[tuple[str, str]], circle: Sequence[str]) -> list[str]:
    """Describe rooms without a floor, arrows that the contract forbids, and a circle."""
    pairs = list(arrows)
    unknown = sorted({room for pair in pairs for room in pair} - floors.rooms)
    faults = [f"{floors.package}.{room} has no floor in the contract" for room in unknown]
    faults += [
        f"{floors.package}: {importer} imports {imported}, which the contract forbids"
        for importer, imported in sorted(pairs)
        if {importer, imported} <= floors.rooms and not floors.allows(importer, imported)
    ]
    return [*faults, f"circle: {' -> '.join(circle)}"] if circle else faults


def drawing(floors: Floors, arrows: Mapping[tuple[str, str], int]) -> str:
    """Draw the map: a line for each room, from the highest floor down, with the rooms that it imports."""
    lines = [f"{floors.package}: {len(floors.rows)} floors, {len(arrows)} arrows"]
    for row in floors.rows:
        for room in row:
            targets = [
                f"{imported} {count}"
                for (importer, imported), count in sorted(arrows.items())
                if importer == room
            ]
            lines.append(f"  {room:14} -> {', '.join(targets) or '(nothing)'}")
    return "\n".join(lines)


def main() -> int:
    """Print the maps and the faults; gives the exit code."""
    faults = []
    for floors in contracts():
        graph = grimp.build_graph(floors.package, cache_dir=None)
        arrows = arrows_of(graph, floors.package)
        sys.stdout.write(drawing(floors, arrows) + "\n")
        faults += faults_of(floors, arrows, circle_in(graph, floors.package))
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return int(bool(faults))


def _imports(graph: grimp.ImportGraph) -> Iterable[tuple[str, str]]:
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            # A module that runs as a program imports itself by name, so that what it pickles has that name.
            if imported != importer:
                yield importer, imported


def _floors(package: str, texts: Sequence[str]) -> Floors:
    rows = tuple(tuple(re.split(r"\s*[|:]\s*", text)) for text in texts)
    return Floors(package, rows, tuple(":" in text for text in texts))


if __name__ == "__main__":
    sys.exit(main())
