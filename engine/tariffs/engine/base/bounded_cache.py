"""A bounded memory of answers to pure questions: what was used least recently is forgotten first."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Keeps the last `limit` values asked for; safe in several threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: Key) -> Value | None:
        """The value kept for a key; None if there is none."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, key: Key, value: Value) -> Value:
        """Keep a value, in place of the one used least recently; the value."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            if len(self._kept) > self.limit:
                self._kept.popitem(last=False)
        return value

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of a key, made and kept if there is none.

        Two threads may make the same value at a time: making is pure, and holding the lock meanwhile would make one
        wait for a day's law that the other reads.
        """
        found = self.find(key)
        return self.keep(key, make()) if found is None else found

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()


class WeakBoundedCache(Generic[Key, Value]):
    """Keeps values of the last `limit` owners asked about; neither keeps an owner alive nor outlives it.

    A value must not refer to its owner. Safe in several threads.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[weakref.ref[Key], Value] = OrderedDict()
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, owner: Key, make: Callable[[], Value]) -> Value:
        """The value of an owner, made and kept if there is none; two threads may make it at a time."""
        key = weakref.ref(owner, self._forget)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        value = make()
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return value

    def _forget(self, key: weakref.ref[Key]) -> None:
        with self._lock:
            self._kept.pop(key, None)
