"""Draw changes of the code: one operator, number or condition at one place."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

# `|` stands in annotations, which nothing evaluates; the others make what no person writes, and lines of a decorator
# (below) say how a class is laid out.
NEVER = ("BitOr", "RemoveDecorator", "ExceptionReplacer", "VariableReplacer", "VariableInserter")
OPERATORS = [name for name in operator_names() if not any(word in name for word in NEVER)]


@dataclass(frozen=True)
class Change:
    """One change of a file: what is done, at the how manieth place where it can be done, over which lines."""

    path: str
    operator: str
    occurrence: int
    first: int
    last: int
    key: str
    """Digest of the line, what is done and where in the line: code elsewhere leaves it as it is."""

    def applied(self, source: str) -> str:
        """The source with the change."""
        changed: str | None = mutate_code(source, get_operator(self.operator)(), self.occurrence)
        if changed is None:
            raise ValueError(f"{self.path}: there is no place {self.occurrence} of {self.operator}")
        return changed


def sample(root: Path, paths: Sequence[str], count: int, seed: int) -> list[Change]:
    """Draw changes at that many places, each as likely; the same code and seed give the same changes."""
    places: defaultdict[str, list[Change]] = defaultdict(list)
    with ProcessPoolExecutor() as pool:
        for found in pool.map(partial(_changes, root), paths, chunksize=4):
            for place, change in found:
                places[_digest(str(seed), change.path, place)].append(change)
    drawn = (min(places[place], key=lambda change: change.key) for place in sorted(places))
    sound = (change for change in drawn if _compiles(root, change))
    return sorted(islice(sound, count), key=lambda change: (change.path, change.first, change.key))


def _changes(root: Path, path: str) -> list[tuple[str, Change]]:
    """Every change of a file with the name of its place, which is the text of its lines and the columns."""
    source = (root / path).read_text(encoding="utf-8")
    nodes, lines, found = list(ast_nodes(get_ast(source))), source.splitlines(), []
    for name in OPERATORS:
        operator = get_operator(name)()
        positions = (position for node in nodes for position in operator.mutation_positions(node))
        for occurrence, ((first, start), (last, end)) in enumerate(positions):
            place = f"{lines[first - 1 : last]}{start}{end}"
            if not lines[first - 1].lstrip().startswith("@"):
                key = _digest(path, place, name)
                found.append((place, Change(path, name, occurrence, first, last, key)))
    return found


def _compiles(root: Path, change: Change) -> bool:
    """Test whether Python reads the changed file: the stars of a signature are taken for a product."""
    try:
        compile(change.applied((root / change.path).read_text(encoding="utf-8")), change.path, "exec")
    except SyntaxError:
        return False
    return True


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
