"""A source of choices made from bytes, so that hypothesis can shrink whatever is drawn from it."""

from __future__ import annotations

import random


class ByteChoices(random.Random):
    """Random numbers read from bytes; after their end every number is the plainest one.

    The plainest is 0 for an integer and just below 1 for a share, which changes nothing where a share is compared with
    how often something is changed.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data = data
        self._at = 0

    def _take(self, count: int) -> int:
        taken = self._data[self._at : self._at + count]
        self._at += count
        return int.from_bytes(taken, "little")

    def random(self) -> float:
        """A share from above 0 to below 1."""
        return 1 - (self._take(2) + 1) / ((1 << 16) + 1)

    def getrandbits(self, k: int, /) -> int:
        """An integer of k bits."""
        return self._take((k + 7) // 8) & ((1 << k) - 1)
