"""Make the awaited form of a method of the client."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

C = TypeVar("C")
P = ParamSpec("P")
R = TypeVar("R")


class Awaiting:
    """A client whose calls are made in threads."""

    client: Any

    async def call(self, function: Callable[P, R], *args: P.args, **options: P.kwargs) -> R:
        """Await a function that makes calls, such as `quote.why`; cancelling the task ends them."""
        raise NotImplementedError


def awaited(method: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """Make the awaited form of a method, with its signature and documentation."""

    @wraps(method)
    async def call(self: Any, /, *args: P.args, **options: P.kwargs) -> R:
        found: R = await self.call(method, self.client, *args, **options)
        return found

    return call
