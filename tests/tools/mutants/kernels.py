"""Find where Python calls compiled kernels: a recording sees no line of a kernel but where it runs as plain Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_COMPILED = ("base/ordered_sums.py", "*/*kernel.py", "*/kernels/*.py")


class KernelCalls:
    """Sources of the engine, with those that are compiled apart."""

    def __init__(self, tree: Path) -> None:
        """Read the sources of a checkout."""
        engine = tree / "engine" / "tariffs" / "engine"
        compiled = {path for pattern in _COMPILED for path in engine.glob(pattern)}
        texts = {
            str(path.relative_to(tree)): path.read_text(encoding="utf-8") for path in engine.rglob("*.py")
        }
        self._compiled = {name: text for name, text in texts.items() if tree / name in compiled}
        self._plain = {name: text for name, text in texts.items() if name not in self._compiled}

    def __contains__(self, path: str) -> bool:
        """Test whether a file is compiled."""
        return path in self._compiled

    def places(self, path: str, lines: Iterable[int]) -> Iterator[tuple[str, int]]:
        """Lines of plain Python, by file, that name the kernels which run some lines of a compiled file."""
        word = re.compile(rf"\b(?:{'|'.join(self._kernels(path, set(lines)))})\b")
        for name, text in self._plain.items():
            for number, line in enumerate(text.splitlines(), start=1):
                if word.search(line) and "import " not in line:
                    yield name, number

    def _kernels(self, path: str, lines: set[int]) -> set[str]:
        """Names of the functions around some lines, and of compiled ones that call these."""
        found, wanted = set[str](), _functions(self._compiled[path], lines)
        while wanted - found:
            found |= wanted
            word = re.compile(rf"\b(?:{'|'.join(found)})\b")
            for text in self._compiled.values():
                used = {number for number, line in enumerate(text.splitlines(), start=1) if word.search(line)}
                wanted |= _functions(text, used)
        return found or {Path(path).stem}


def _functions(text: str, lines: set[int]) -> set[str]:
    """Names of the functions of a source that hold one of the lines."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    return {one.name for one in functions if lines & set(range(one.lineno, (one.end_lineno or 0) + 1))}
