"""Long runs: StartRun and ReadRun of SimulationService, and google.longrunning.Operations over them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from typing import Any

import grpc.aio
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import empty_pb2

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.rpc.operations import operation_of, read_response
from tariffs.service.rpc.runs import parts_of
from tariffs.service.storage.page_tokens import page_size
from tariffs.service.storage.result_parts import ResultPart
from tariffs.service.storage.run_rows import RunRow, id_of
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import caller
from tariffs.v1 import simulation_service_pb2 as pb

Context = grpc.aio.ServicerContext[Any, Any]
POLL_SECONDS = 0.25
WAIT_SECONDS = 60.0
_AT_A_TIME = 4
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class LongRuns:
    """Begins runs and reads their results, wherever they are computed.

    Args:
        kept: what the server keeps.
        wake: called when there is a run to take up.
    """

    def __init__(self, kept: Storage, wake: Callable[[], None]) -> None:
        self._kept = kept
        self._wake = wake
        self.closing = False

    def close(self) -> None:
        """End those who wait for a run: another server can tell them more."""
        self.closing = True

    async def start(self, request: pb.StartRunRequest) -> operations_pb2.Operation:
        """Enter a run, unless the caller did so before under the same id.

        Raises:
            TariffsError: what is wrong with the request, as far as it can be told at once.
        """
        if request.request_id and not _REQUEST_ID.fullmatch(request.request_id):
            raise InputError(
                "REQUEST_INVALID",
                f"request_id is {request.request_id[:80]!r}.",
                field="request_id",
                fix="Use 1 to 64 letters, digits and -_.",
            )
        kind = request.WhichOneof("request")
        if kind is None:
            raise InputError(
                "REQUEST_INVALID",
                "There is nothing to run.",
                field="request",
                fix="Give simulate or timeline.",
            )
        owner, asked = caller().owner, getattr(request, kind)

        def enter() -> RunRow:
            total = parts_of(kind, asked)
            if asked.WhichOneof("table") == "handle":
                self._kept.table(owner, asked.handle)
            data = asked.SerializeToString(deterministic=True)
            return self._kept.ledger.start(owner, kind, data, total, request.request_id)

        run = await asyncio.to_thread(enter)
        self._wake()
        return self.operation(run)

    async def read(self, name: str, offset: int) -> AsyncGenerator[pb.ReadRunResponse, None]:
        """The messages of a run from an offset on; it follows a run that is not done.

        Raises:
            InputError: RUN_NOT_FOUND, OFFSET_PAST_END.
            TariffsError: why the run has failed.
        """
        run = await self.get(name)
        if offset < 0:
            raise InputError("REQUEST_INVALID", f"offset is {offset}.", field="offset", fix="Give 0 or more.")
        place, digest = 0, run.digest
        for part in self._kept.parts(run):
            run = await self._wait_for(part, run, digest)
            count = await asyncio.to_thread(part.count)
            start = max(0, offset - place)
            while start < count:
                messages = await asyncio.to_thread(part.read, start, _AT_A_TIME)
                for at, message in enumerate(messages, start + place):
                    yield read_response(run.kind, at, message)
                start += len(messages)
            place += count
        if offset > place:
            raise InputError(
                "OFFSET_PAST_END",
                f"The run has {place:,} messages; {offset:,} were to be left out.",
                field="offset",
                metadata={"messages": str(place)},
            )

    async def get(self, name: str) -> RunRow:
        """A run of the caller; raises InputError RUN_NOT_FOUND."""
        return await asyncio.to_thread(self._kept.ledger.get, caller().owner, id_of(name))

    def operation(self, run: RunRow) -> operations_pb2.Operation:
        """A run as an operation."""
        return operation_of(run, self._kept.ledger.keep_seconds)

    async def _wait_for(self, part: ResultPart, run: RunRow, digest: str) -> RunRow:
        while not await asyncio.to_thread(part.is_there):
            if self.closing:
                raise ServiceError(
                    "SHUTTING_DOWN", "The server is draining.", fix="Read on from the next offset."
                )
            run = await self.get(run.name)
            if run.failure is not None:
                raise run.failure
            if run.digest != digest:
                raise ServiceError(
                    "RUN_NOT_FINISHED",
                    "The run was begun anew under another version of the law or the engine.",
                    fix="Read it from offset 0.",
                )
            if not run.is_open and not await asyncio.to_thread(part.is_there):
                raise ServiceError(
                    "ENGINE_INVARIANT", "A part of the result is missing.", fix="Start the run again."
                )
            await asyncio.sleep(POLL_SECONDS)
        return run


class OperationsHandler(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc] # it has no types
    """Tells of runs, and ends and forgets them."""

    def __init__(self, long_runs: LongRuns, kept: Storage) -> None:
        self._long_runs = long_runs
        self._kept = kept

    async def GetOperation(  # noqa: N802 - the name on the wire
        self, request: operations_pb2.GetOperationRequest, context: Context
    ) -> operations_pb2.Operation:
        """How a run stands."""
        return self._long_runs.operation(await self._long_runs.get(request.name))

    async def ListOperations(  # noqa: N802 - the name on the wire
        self, request: operations_pb2.ListOperationsRequest, context: Context
    ) -> operations_pb2.ListOperationsResponse:
        """The caller's runs, the newest first."""
        size = page_size(request.page_size)
        runs, token = await asyncio.to_thread(
            self._kept.ledger.page, caller().owner, size, request.page_token
        )
        return operations_pb2.ListOperationsResponse(
            operations=[self._long_runs.operation(run) for run in runs], next_page_token=token
        )

    async def CancelOperation(  # noqa: N802 - the name on the wire
        self, request: operations_pb2.CancelOperationRequest, context: Context
    ) -> empty_pb2.Empty:
        """Ask for the end of a run."""
        await asyncio.to_thread(self._kept.ledger.cancel, caller().owner, id_of(request.name))
        return empty_pb2.Empty()

    async def DeleteOperation(  # noqa: N802 - the name on the wire
        self, request: operations_pb2.DeleteOperationRequest, context: Context
    ) -> empty_pb2.Empty:
        """Forget a run that has ended."""
        await asyncio.to_thread(self._kept.ledger.delete, caller().owner, id_of(request.name))
        return empty_pb2.Empty()

    async def WaitOperation(  # noqa: N802 - the name on the wire
        self, request: operations_pb2.WaitOperationRequest, context: Context
    ) -> operations_pb2.Operation:
        """How a run stands once it has ended, or when the time is up."""
        given = request.timeout
        asked = given.seconds + given.nanos / 1e9 if request.HasField("timeout") else WAIT_SECONDS
        loop = asyncio.get_running_loop()
        until = loop.time() + min(max(asked, 0.0), WAIT_SECONDS)
        run = await self._long_runs.get(request.name)
        while run.is_open and loop.time() < until and not self._long_runs.closing:
            await asyncio.sleep(min(POLL_SECONDS, max(0.0, until - loop.time())))
            run = await self._long_runs.get(request.name)
        return self._long_runs.operation(run)
