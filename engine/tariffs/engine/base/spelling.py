"""Compare names as people write them, and suggest known names for misspelt ones."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

_PUNCTUATION = re.compile(r"[^0-9a-z]+")


def nearest(name: str, known: Iterable[str], *, at_most: int = 3, similarity: float = 0.5) -> list[str]:
    """Find the known names most similar to a name, best first; `similarity` is the least ratio of difflib."""
    return difflib.get_close_matches(name, sorted(known), n=at_most, cutoff=similarity)


def rewritten(names: Iterable[str], known: Iterable[str]) -> Mapping[str, str]:
    """Map names that differ from a known one in letter case, spaces and punctuation alone to it.

    A known name that is there as it is, or written in two ways, is left alone.
    """
    given = list(names)
    by_plain: dict[str, list[str]] = {}
    for name in given:
        by_plain.setdefault(_PUNCTUATION.sub("", name.casefold()), []).append(name)
    written = {
        name: by_plain.get(_PUNCTUATION.sub("", name.casefold()), []) for name in known if name not in given
    }
    return {names[0]: name for name, names in written.items() if len(names) == 1}


def did_you_mean(names: Iterable[str]) -> str:
    """Question that suggests names, followed by a space; empty if there are none."""
    listed = " or ".join(names)
    return f"Did you mean {listed}? " if listed else ""
