"""Keep values that are worked out: from an object as long as it lives, or by key when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

Value = TypeVar("Value")


def kept(cache: dict[Any, Any], key: Hashable, make: Callable[[], Value]) -> Value:
    """Return the value of a key, made the first time."""
    if key not in cache:
        cache[key] = make()
    found: Value = cache[key]
    return found


class MadeOnAccess(Mapping[str, Value]):
    """Mapping of known keys whose values are made, and kept, when they are first asked for."""

    def __init__(self, keys: Iterable[str], make: Callable[[str], Value]) -> None:
        self._keys = dict.fromkeys(keys)
        self._make = make
        self._made: dict[str, Value] = {}

    def __getitem__(self, key: str) -> Value:
        if key not in self._keys:
            raise KeyError(key)
        if key not in self._made:
            # Of two threads that make a value at a time, both get the same.
            self._made.setdefault(key, self._make(key))
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys
