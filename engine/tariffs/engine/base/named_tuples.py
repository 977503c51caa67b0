"""Make named tuples where a call of their class would take most of the time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Made = TypeVar("Made", bound=tuple[Any, ...])


def maker(kind: type[Made]) -> Callable[[tuple[Any, ...]], Made]:
    """Return a function that makes a named tuple from a tuple of all its fields, in half the time of its class."""
    return partial(tuple.__new__, kind)
