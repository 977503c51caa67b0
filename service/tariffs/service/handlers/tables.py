"""TableService."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO

import grpc.aio
from google.protobuf import empty_pb2

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.rpc.tables import Intake, table_message
from tariffs.service.settings.settings import State
from tariffs.service.storage.page_tokens import page_size
from tariffs.service.storage.storage import Storage
from tariffs.service.storage.table_store import digest_of
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.wire.identity import caller
from tariffs.service.workers.task_queue import TaskQueue, cancel_with
from tariffs.v1 import table_service_pb2, table_service_pb2_grpc

_AGAIN_SECONDS = 0.5
Context = grpc.aio.ServicerContext[Any, Any]


class TableHandler(table_service_pb2_grpc.TableServiceServicer):
    """Takes tables in part by part, and has them checked and kept by a worker."""

    def __init__(self, runs: TaskQueue, kept: Storage, settings: State) -> None:
        self._runs = runs
        self._kept = kept
        self._settings = settings

    async def UploadTable(  # noqa: N802 - the name on the wire
        self, request_iterator: AsyncIterator[table_service_pb2.UploadTableRequest], context: Context
    ) -> table_service_pb2.Table:
        """Keep a table sent in parts."""
        owner = caller().owner
        await asyncio.to_thread(self._kept.register.check_room, owner)
        spool = self._kept.spools / uuid.uuid4().hex
        try:
            async with _written(spool) as file:
                await self._spool(request_iterator, file)
            if context.cancelled():
                # What a caller breaks off looks like its end: what came is not the table that was meant.
                raise ServiceError("CANCELLED", "The caller cancelled the upload.")
            found = await self._keep(spool, context)
        finally:
            await asyncio.to_thread(spool.unlink, missing_ok=True)
        kept = await asyncio.to_thread(self._kept.register.add, owner, **found)
        return table_message(kept, self._kept.register.keep_seconds)

    async def GetTable(  # noqa: N802 - the name on the wire
        self, request: table_service_pb2.GetTableRequest, context: Context
    ) -> table_service_pb2.Table:
        """One table."""
        register = self._kept.register
        table = await asyncio.to_thread(register.get, caller().owner, digest_of(request.name))
        return table_message(table, register.keep_seconds)

    async def ListTables(  # noqa: N802 - the name on the wire
        self, request: table_service_pb2.ListTablesRequest, context: Context
    ) -> table_service_pb2.ListTablesResponse:
        """The caller's tables, the newest first."""
        register, size = self._kept.register, page_size(request.page_size)
        tables, token = await asyncio.to_thread(register.page, caller().owner, size, request.page_token)
        return table_service_pb2.ListTablesResponse(
            tables=[table_message(table, register.keep_seconds) for table in tables], next_page_token=token
        )

    async def DeleteTable(  # noqa: N802 - the name on the wire
        self, request: table_service_pb2.DeleteTableRequest, context: Context
    ) -> empty_pb2.Empty:
        """Forget a table."""
        await asyncio.to_thread(self._kept.register.delete, caller().owner, digest_of(request.name))
        return empty_pb2.Empty()

    async def _spool(
        self, parts: AsyncIterator[table_service_pb2.UploadTableRequest], file: BinaryIO
    ) -> None:
        intake = Intake(self._settings.table_bytes_limit, self._settings.table_rows_limit)

        def take(data: bytes) -> None:
            file.write(intake.take(data))

        async for part in parts:
            await asyncio.to_thread(take, part.arrow)
        if not intake.parts:
            raise InputError("TABLE_EMPTY", "No part was sent.", field="arrow", fix="Send at least one part.")

    async def _keep(self, spool: Path, context: Context) -> dict[str, Any]:
        payload = pack({"spool": str(spool), "directory": str(self._kept.table_directory)})
        while True:
            try:
                over = cancel_with(context)
                async with aclosing(self._runs.messages("keep_table", payload, over)) as messages:
                    found = [unpack(data)[0] async for data in messages]
                return found[-1]
            except ServiceError as error:
                # What has come in must not be sent again only because the server is busy at its end.
                if error.reason != "TOO_MANY_STREAMS":
                    raise
            await asyncio.sleep(_AGAIN_SECONDS)


@asynccontextmanager
async def _written(path: Path) -> AsyncIterator[BinaryIO]:
    """A file open for writing; opened once and closed, both in a thread.

    Opening is waited for even if the call is cancelled meanwhile, so that no thread makes the file after its removal.
    """
    opening = asyncio.create_task(asyncio.to_thread(path.open, "wb"))
    try:
        yield await asyncio.shield(opening)
    finally:
        file = await opening
        await asyncio.to_thread(file.close)
