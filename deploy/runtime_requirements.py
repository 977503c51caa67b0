"""Print the part of a lock file that a wheel with some of its extras needs, hashes included.

The environment that runs this has everything of the lock installed, so that requirements are read from it and nothing
is resolved: python deploy/runtime_requirements.py WHEEL LOCK EXTRA...
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from email.parser import HeaderParser
from importlib.metadata import requires
from itertools import pairwise
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def runtime_requirements(wheel: Path, lock: str, extras: Iterable[str]) -> str:
    """Return the blocks of the lock that the wheel needs, in its order.

    Raises:
        KeyError: something that is needed is not in the lock.
    """
    blocks = _blocks(lock)
    needed = {name: blocks[name] for name in _closure(_requires(wheel), extras)}
    return "".join(block for name, block in blocks.items() if name in needed)


def _closure(required: Iterable[str], extras: Iterable[str]) -> set[str]:
    """Return the names of everything that requirements need, with those of what they need."""
    found: set[tuple[str, str]] = set()
    left = list(_needed(required, extras))
    while left:
        name, extra = left.pop()
        if (name, extra) not in found:
            found.add((name, extra))
            left += _needed(requires(name) or (), (extra,))
    return {name for name, _ in found}


def _needed(required: Iterable[str], extras: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name with each extra, "" among them, that requirements ask for here."""
    wanted = ("", *extras)
    for text in required:
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in wanted):
            yield from ((canonicalize_name(one.name), extra) for extra in ("", *one.extras))


def _requires(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        found: list[str] = HeaderParser().parsestr(archive.read(name).decode()).get_all("Requires-Dist", [])
    return found


def _blocks(lock: str) -> Mapping[str, str]:
    """Return the pins of a lock by name, with hashes and comments; a name may have one for each of some systems."""
    starts = [found.start() for found in _PIN.finditer(lock)] + [len(lock)]
    blocks: dict[str, str] = {}
    for begin, end in pairwise(starts):
        name = canonicalize_name(lock[begin:end].partition("==")[0])
        blocks[name] = blocks.get(name, "") + lock[begin:end]
    return blocks


if __name__ == "__main__":
    print(
        runtime_requirements(Path(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8"), sys.argv[3:]),
        end="",
    )
