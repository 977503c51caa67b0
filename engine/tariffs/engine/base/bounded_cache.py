"""Bounded cache of results of pure functions; the least recently used entry goes first."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
_NAMED: weakref.WeakValueDictionary[str, BoundedCache[Any, Any]] = weakref.WeakValueDictionary()
_BRIEF: weakref.WeakSet[BoundedCache[Any, Any]] = weakref.WeakSet()


def cache_sizes() -> dict[str, int]:
    """Count the entries of each cache of the process that has a name."""
    return {name: len(cache) for name, cache in sorted(_NAMED.items())}


def brief(cache: BoundedCache[Key, Value]) -> BoundedCache[Key, Value]:
    """Mark a cache of values that are large and soon made again: `clear_brief` empties it."""
    _BRIEF.add(cache)
    return cache


def clear_brief() -> None:
    """Empty the caches marked as brief; for a process that waits for work."""
    for cache in list(_BRIEF):
        cache.clear()


class BoundedCache(Generic[Key, Value]):
    """Thread-safe cache of at most `limit` values.

    Args:
        name: name under which `cache_sizes` counts it, for a cache of the whole process.
    """

    def __init__(self, limit: int, name: str = "") -> None:
        self.limit = limit
        if name:
            _NAMED[name] = self
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.RLock()

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def find(self, key: Key) -> Value | None:
        """Return the cached value of a key; None if there is none."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def keep(self, key: Key, value: Value) -> Value:
        """Store a value, evict the least recently used one if there are too many, and return the value."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self.limit:
                self._values.popitem(last=False)
        return value

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value of a key, computed and stored if there is none.

        Two threads may compute the same value at a time: `make` is pure, and holding the lock while it runs would make
        one thread wait for the law of a day that the other reads.
        """
        value = self.find(key)
        return self.keep(key, make()) if value is None else value

    def weak_key(self, owner: Any) -> weakref.ref[Any]:
        """Key of an owner that the cache does not keep alive; its entry is dropped with the owner.

        The value must not refer to its owner.
        """
        return weakref.ref(owner, self._drop)

    def drop(self, is_stale: Callable[[Key], bool]) -> None:
        """Remove the entries whose keys are stale."""
        with self._lock:
            for key in [key for key in self._values if is_stale(key)]:
                del self._values[key]

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._values.clear()

    def _drop(self, key: Any) -> None:
        # The garbage collector may call this in a thread that holds the lock: hence a reentrant one.
        with self._lock:
            self._values.pop(key, None)


_Any = BoundedCache[Any, Any]


class KeptWith(Generic[Value]):
    """Kind of values that an owner keeps, such as a table, by the objects that they are made of; one a module.

    Args:
        limit: values kept with each owner.
        mark: marks the caches; `brief` for values that are large and soon made again.
    """

    def __init__(self, limit: int, mark: Callable[[_Any], _Any] = lambda cache: cache) -> None:
        self._limit = limit
        self._mark = mark

    def get(
        self, owner: dict[Any, Any], parts: tuple[object, ...], key: Hashable, make: Callable[[], Value]
    ) -> Value:
        """Return the value made of parts under a key, made and kept in the cache of the owner if there is none.

        The parts are told apart by their identity, and kept with the value, so that no other object gets it.
        """
        kept: BoundedCache[Hashable, tuple[tuple[object, ...], Value]]
        kept = owner.setdefault(self, self._mark(BoundedCache(self._limit)))
        return kept.get((key, *map(id, parts)), lambda: (parts, make()))[1]
