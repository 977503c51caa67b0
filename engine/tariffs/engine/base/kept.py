"""Keep values that are worked out from an object in a dictionary that lives as long as it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Value = TypeVar("Value")


def kept(cache: dict[Any, Any], key: Hashable, make: Callable[[], Value]) -> Value:
    """Return the value of a key, made the first time."""
    if key not in cache:
        cache[key] = make()
    found: Value = cache[key]
    return found
