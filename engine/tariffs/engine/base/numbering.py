"""Number distinct values in the order in which they come."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value", bound=Hashable)


class Numbering(Generic[Value]):
    """Numbers of distinct values, from 0; threads never give one number to two values."""

    def __init__(self, *values: Value) -> None:
        self.values: list[Value] = list(values)
        self._places = {value: place for place, value in enumerate(values)}
        self._lock = threading.Lock()

    def of(self, value: Value) -> int:
        """Number of a value, a new one if it has none yet."""
        place = self._places.get(value)
        if place is None:
            with self._lock:
                place = self._places.get(value)
                if place is None:
                    place = len(self.values)
                    self.values.append(value)
                    self._places[value] = place
        return place
