"""Suggestions for misspelt names: the ends of error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NAMES_AT_MOST = 3
_LIKENESS = 0.5


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """At most three known names that are most like a name, the likest first."""
    return difflib.get_close_matches(name, sorted(known), n=_NAMES_AT_MOST, cutoff=_LIKENESS)


def did_you_mean(names: Iterable[str]) -> str:
    """The question to ask about suggested names, with a space after it; empty if there are none."""
    listed = " or ".join(names)
    return f"Did you mean {listed}? " if listed else ""
