"""Value of a key with its hash computed once: a law has thousands of rows to hash, and most laws share them."""

from __future__ import annotations

from collections.abc import Hashable


class Hashed:
    """A hashable value that keeps its hash; equal to another of an equal value."""

    __slots__ = ("_hash", "value")

    def __init__(self, value: Hashable) -> None:
        self.value = value
        self._hash = hash(value)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Hashed) and self._hash == other._hash and self.value == other.value
