"""Print the import arrows between the rooms of engine and service: `make map`.

The floors are those of `[tool.importlinter]` in pyproject.toml, which `lint-imports` holds the code to; imports inside
functions and for types alone count as any other.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass

import grimp

from tests.tools.house.tree import ROOT


@dataclass(frozen=True, slots=True)
class Floors:
    """The rooms of a package by floor, the highest first."""

    package: str
    rows: tuple[tuple[str, ...], ...]

    @property
    def rooms(self) -> frozenset[str]:
        """All rooms."""
        return frozenset(room for row in self.rows for room in row)


def floors_of(project: str) -> list[Floors]:
    """Read the layer contracts of import-linter from pyproject.toml, one for each package."""
    contracts = tomllib.loads(project)["tool"]["importlinter"]["contracts"]
    return [
        Floors(one["containers"][0], tuple(tuple(re.split(r"\s*[|:]\s*", row)) for row in one["layers"]))
        for one in contracts
        if one["type"] == "layers"
    ]


def arrows_of(package: str) -> Counter[tuple[str, str]]:
    """Count the imports from each room to each other room."""
    graph, arrows = grimp.build_graph(package, cache_dir=None), Counter[tuple[str, str]]()
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            one, other = (name.removeprefix(package).split(".")[1:2] for name in (importer, imported))
            if one and other and one != other:
                arrows[one[0], other[0]] += 1
    return arrows


def drawing(floors: Floors) -> str:
    """Draw the map: a line for each room, from the highest floor down, with the rooms that it imports."""
    arrows = arrows_of(floors.package)
    lines = [f"{floors.package}: {len(floors.rows)} floors, {len(arrows)} arrows"]
    for room in (room for row in floors.rows for room in row):
        targets = [f"{other} {count}" for (one, other), count in sorted(arrows.items()) if one == room]
        lines.append(f"  {room:14} -> {', '.join(targets) or '(nothing)'}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for found in floors_of((ROOT / "pyproject.toml").read_text(encoding="utf-8")):
        sys.stdout.write(drawing(found))
