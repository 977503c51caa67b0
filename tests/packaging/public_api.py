"""List the public names of `tariffs.client` with their signatures: what a release promises.

`python -m tests.packaging.public_api --write` makes tests/compat/public_api.txt anew. Read the difference: a line that
is gone or changed breaks callers, and belongs in docs/migration.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "compat" / "public_api.txt"
PACKAGE = "tariffs.client._public"


def listed() -> str:
    """List names and signatures of the package's `__all__`, and of the public members of its classes, one a line."""
    roots = [ROOT / "clients" / "python", ROOT / "proto"]
    package = griffe.load(PACKAGE, search_paths=roots, resolve_aliases=True)
    assert isinstance(package, griffe.Module)
    lines = [line for name in sorted(map(str, package.exports or ())) for line in _of(name, package[name])]
    return "\n".join(lines) + "\n"


def _of(name: str, found: griffe.Object | griffe.Alias) -> Iterator[str]:
    target = found.final_target if isinstance(found, griffe.Alias) else found
    if isinstance(target, griffe.Class):
        bases = ", ".join(str(base) for base in target.bases)
        yield f"class {name}({bases})"
        for member, inner in sorted(target.all_members.items()):
            if not member.startswith("_"):
                yield from _of(f"{name}.{member}", inner)
    elif isinstance(target, griffe.Function):
        yield target.signature(name=name)
    else:
        yield f"{name}: {getattr(target, 'annotation', None) or 'value'}"


if __name__ == "__main__" and "--write" in sys.argv:
    RECORDED.write_text(listed(), encoding="utf-8")
