"""Handler of TableService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.handlers.methods import over_table
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.tables import Intake, table_message
from tariffs.service.storage.access import check_group, page_size, table_bytes
from tariffs.service.storage.storage import Storage
from tariffs.service.storage.table_store import UploadFile, digest_of
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.wire.identity import SERVER_LIMITS, caller
from tariffs.service.workers.task_queue import TaskQueue, cancel_with
from tariffs.v1 import table_service_pb2 as pb
from tariffs.v1 import table_service_pb2_grpc

_RETRY_SECONDS = 0.5


class TableHandler(table_service_pb2_grpc.TableServiceServicer):
    """Receives tables part by part, and has a worker check and store them.

    Args:
        byte_limit: largest table in bytes of memory.
    """

    def __init__(self, task_queue: TaskQueue, storage: Storage, byte_limit: int) -> None:
        self._task_queue = task_queue
        self._storage = storage
        self._byte_limit = byte_limit

    async def UploadTable(
        self, request_iterator: AsyncIterator[pb.UploadTableRequest], context: Context
    ) -> pb.Table:
        """Store a table sent in parts."""
        who, register = caller(), self._storage.register
        await asyncio.to_thread(register.check_room, who)
        upload = UploadFile(self._storage.incoming)
        try:
            share_with = await self._receive(request_iterator, upload)
            if context.cancelled():
                # A cancelled upload looks like a complete one: the parts received are not the table that was meant.
                raise ServiceError("CANCELLED", "The caller cancelled the upload.")
            counts = await self._store(upload.path, context)
        finally:
            # Handed to the thread pool at once and shielded: a second cancellation must not leave the file open.
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, upload.remove))
        table = await asyncio.to_thread(register.add, who, share_with=share_with, **counts)
        return table_message(table, register.keep_seconds)

    async def GetTable(self, request: pb.GetTableRequest, context: Context) -> pb.Table:
        """Return one table."""
        register = self._storage.register
        table = await asyncio.to_thread(register.get, caller(), digest_of(request.name))
        return table_message(table, register.keep_seconds)

    async def ListTables(self, request: pb.ListTablesRequest, context: Context) -> pb.ListTablesResponse:
        """List the caller's tables and those shared with it, newest first."""
        register, size = self._storage.register, page_size(request.page_size)
        tables, token = await asyncio.to_thread(
            register.page, caller(), size, request.page_token, request.all_owners
        )
        return pb.ListTablesResponse(
            tables=[table_message(table, register.keep_seconds) for table in tables], next_page_token=token
        )

    async def DeleteTable(self, request: pb.DeleteTableRequest, context: Context) -> empty_pb2.Empty:
        """Delete a table."""
        register, digest = self._storage.register, digest_of(request.name)
        await asyncio.to_thread(register.delete, caller(), digest, request.owner)
        return empty_pb2.Empty()

    async def ShareTable(self, request: pb.ShareTableRequest, context: Context) -> pb.Table:
        """Share a table with a group, or with nobody."""
        register, digest = self._storage.register, digest_of(request.name)
        table = await asyncio.to_thread(register.share, caller(), digest, request.group, request.owner)
        return table_message(table, register.keep_seconds)

    CheckTable = over_table("check_table", pb.CheckTableResponse)

    async def _receive(self, parts: AsyncIterator[pb.UploadTableRequest], upload: UploadFile) -> str:
        """Write the parts of an upload; return the group to share the table with."""
        who, share_with = caller(), ""
        intake = Intake(table_bytes(who, self._byte_limit))

        def write(data: bytes) -> None:
            upload.write(intake.check(data))

        async for part in parts:
            share_with = part.share_with or share_with
            check_group(who, part.share_with, "share_with")
            await asyncio.to_thread(write, part.arrow)
        await asyncio.to_thread(upload.flush)
        if not intake.parts:
            raise InputError("TABLE_EMPTY", "No part was sent.", field="arrow", fix="Send at least one part.")
        return share_with

    async def _store(self, path: Path, context: Context) -> dict[str, Any]:
        # The quota of runs is not meant for uploads, which wait here for a place.
        uploader = replace(caller(), quotas=SERVER_LIMITS)
        payload = pack({"upload": str(path), "directory": str(self._storage.tables.directory)})
        # A caller must not send a whole table again because the server is busy at its end.
        found = self._task_queue.messages_in_turn(
            "store_table", payload, cancel_with(context), _RETRY_SECONDS, uploader
        )
        async with aclosing(found) as messages:
            return [unpack(data)[0] async for data in messages][-1]
