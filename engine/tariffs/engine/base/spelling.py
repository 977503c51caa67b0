"""Suggest known names for misspelt ones at the end of error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, at_most: int = 3, similarity: float = 0.5) -> list[str]:
    """Find the known names most similar to a name, best first; `similarity` is the least ratio of difflib."""
    return difflib.get_close_matches(name, sorted(known), n=at_most, cutoff=similarity)


def did_you_mean(names: Iterable[str]) -> str:
    """Question that suggests names, followed by a space; empty if there are none."""
    listed = " or ".join(names)
    return f"Did you mean {listed}? " if listed else ""
