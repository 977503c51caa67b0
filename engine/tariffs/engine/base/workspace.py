"""Arrays that are filled again and again: memory that is new costs as much as the arithmetic that fills it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from tariffs.engine.base.array_utils import F64

Room = Callable[[str, tuple[int, ...]], F64]
"""Gives an array by name and shape, whose numbers are anything."""


def new_room(name: str, shape: tuple[int, ...]) -> F64:
    """Give an array of new memory."""
    return np.empty(shape)


class Workspace:
    """Arrays of each thread by name, whose memory the next array of that name has; those of a thread end with it."""

    def __init__(self) -> None:
        self._local = threading.local()

    def __call__(self, name: str, shape: tuple[int, ...]) -> F64:
        """Give the array of this thread with a name, in a shape; it is good until it is asked for again."""
        kept: dict[str, F64] = self._local.__dict__
        size = int(np.prod(shape))
        if name not in kept or kept[name].size < size:
            kept[name] = np.empty(size)
        return kept[name][:size].reshape(shape)
