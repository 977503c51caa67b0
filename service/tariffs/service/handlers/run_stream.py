"""Stream the messages of a run over a table, which the request contains or names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.laws import pin
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import caller
from tariffs.service.workers.task_queue import TaskQueue


async def run_stream(
    task_queue: TaskQueue, storage: Storage, task: str, request: Any, response: type[Any], context: Context
) -> AsyncGenerator[Any, None]:
    """Yield the messages of a task in a worker, over the table of the request or the stored one that it names.

    Args:
        task_queue: computes.
        storage: resolves table handles.
        task: name of the task.
        request: the request.
        response: type of the messages.
        context: the call; the task ends with it.
    """
    pin(request)
    table = None
    if request.WhichOneof("table") == "handle":
        table = await asyncio.to_thread(storage.table, caller(), request.handle)
    async with aclosing(task_queue.stream(task, request, response, context, table)) as messages:
        async for message in messages:
            yield message
