"""Answers that are kept by the digest of their question; readers of one question wait for one computation."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

_KEPT, _BYTES, _SMALL = 128, 256 << 20, 64 << 10
COMPUTING = object()
"""In place of an answer that is not ready."""


class Answers:
    """The answers last asked for, by their number and their size, `byte_count`. Errors are not kept."""

    def __init__(self, kept: int = _KEPT, most_bytes: int = _BYTES) -> None:
        self._kept = kept
        self._most_bytes = most_bytes
        self._sizes: dict[str, int] = {}
        self._answers: OrderedDict[str, asyncio.Task[Any]] = OrderedDict()
        self._looked: dict[str, asyncio.Task[Any]] = {}

    async def get(
        self, digest: str, compute: Callable[[], Awaitable[Any]], seconds: float | None = None
    ) -> Any:
        """Get the answer to a question, computed once however many wait for it.

        A reader who goes leaves the computation to the others, and to the next; a reader who waited for what failed
        for another asks again.

        Args:
            digest: names the question.
            compute: answers it.
            seconds: longest time to wait; then the answer is `COMPUTING`, and an error is for whoever asks next.
        """
        if seconds is not None:
            return await self._look(digest, compute, seconds)
        task = self._answers.get(digest)
        if task is not None:
            self._answers.move_to_end(digest)
            with suppress(Exception):
                return await asyncio.shield(task)
        return await asyncio.shield(self._answers.get(digest) or self._begin(digest, compute))

    async def _look(self, digest: str, compute: Callable[[], Awaitable[Any]], seconds: float) -> Any:
        looked = self._looked.get(digest)
        if looked is None:
            # Nobody came back for what has ended by now.
            self._looked = {name: one for name, one in self._looked.items() if not one.done()}
            looked = self._looked[digest] = asyncio.ensure_future(self.get(digest, compute))
            # An error that nobody asks for is not one of the event loop.
            looked.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        done, _ = await asyncio.wait([looked], timeout=seconds)
        if not done:
            return COMPUTING
        self._looked.pop(digest, None)
        return await looked

    def _begin(self, digest: str, compute: Callable[[], Awaitable[Any]]) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.ensure_future(compute())
        self._answers[digest] = task
        task.add_done_callback(lambda done: self._ended(digest, done))
        return task

    def _ended(self, digest: str, task: asyncio.Task[Any]) -> None:
        if self._answers.get(digest) is task:
            if task.cancelled() or task.exception() is not None:
                del self._answers[digest]
            else:
                self._sizes[digest] = getattr(task.result(), "byte_count", _SMALL)
        while self._answers and (
            len(self._answers) > self._kept or sum(self._sizes.values()) > self._most_bytes
        ):
            oldest, _ = self._answers.popitem(last=False)
            self._sizes.pop(oldest, None)
