"""Handlers of long runs: StartRun and ReadRun of SimulationService, and google.longrunning.Operations."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from typing import Any

from google.longrunning import operations_pb2 as ops
from google.longrunning import operations_pb2_grpc
from google.protobuf import empty_pb2

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.handlers.methods import shutting_down
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.laws import FLOATING, pin
from tariffs.service.rpc.run_plan import parts_of
from tariffs.service.rpc.runs import law_version_of, operation_of, read_response
from tariffs.service.rpc.verbs import VERBS, check_quota
from tariffs.service.storage.access import page_size
from tariffs.service.storage.result_parts import ResultPart
from tariffs.service.storage.run_rows import RunRow, id_of
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import caller
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import simulation_service_pb2 as pb

POLL_SECONDS = 0.25
END_POLL_SECONDS = 0.05
WAIT_SECONDS = 60.0
ALL_OWNERS = "all_owners"
_AT_A_TIME = 4
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class LongRuns:
    """Starts long runs and reads their results, whichever server computes them.

    Args:
        wake: called when a run was started.
    """

    def __init__(self, storage: Storage, wake: Callable[[], None]) -> None:
        self._storage = storage
        self._wake = wake
        self.closing = False

    def close(self) -> None:
        """End the calls that wait for a run: another server can answer them."""
        self.closing = True

    async def start(self, request: pb.StartRunRequest) -> ops.Operation:
        """Start a run, or return the one that the caller started under the same request id.

        Raises:
            TariffsError: an invalid request, as far as that shows without computing it.
        """
        if request.request_id and not _REQUEST_ID.fullmatch(request.request_id):
            raise request_invalid(
                f"request_id is {request.request_id[:80]!r}, not 1 to 64 letters, digits and ._-",
                "request_id",
                "Use 1 to 64 letters, digits and ._-",
            )
        kind = request.WhichOneof("request")
        if kind is None:
            raise request_invalid(
                "The request to run is missing.", "request", "Set simulate, timeline or sweep."
            )
        who, run_request = caller(), getattr(request, kind)

        def start() -> RunRow:
            self._storage.keep_law(self._settle_law(who.owner, request.request_id, run_request))
            total = parts_of(VERBS[kind], run_request)
            if isinstance(run_request, pb.SweepRequest):
                check_quota(who, run_request)
            if run_request.WhichOneof("table") == "handle":
                self._storage.table(who, run_request.handle)
            data = run_request.SerializeToString(deterministic=True)
            return self._storage.runs.start(who, kind, data, total, request.request_id, request.share_with)

        run = await asyncio.to_thread(start)
        self._wake()
        return self.operation(run)

    def _settle_law(self, owner: str, request_id: str, run_request: Any) -> str:
        """Write into a request the law that it gets for good; return its digest.

        A request that is sent again under its id gets the law of the first time, whatever laws have come since.
        """
        earlier = self._storage.runs.find(owner, request_id)
        if earlier is not None and run_request.law_version in FLOATING:
            run_request.law_version = law_version_of(earlier)
        else:
            pin(run_request)
        digest: str = run_request.law_version.rpartition("@")[2]
        return digest

    async def read(self, name: str, offset: int) -> AsyncGenerator[pb.ReadRunResponse, None]:
        """Yield the messages of a run from an offset on, waiting for those of a run that has not ended.

        Raises:
            InputError: RUN_NOT_FOUND, OFFSET_PAST_END.
            TariffsError: the error that ended the run.
        """
        run = await self.get(name)
        if offset < 0:
            raise request_invalid(f"offset is {offset}, below 0.", "offset", "Use 0 or more.")
        first, digest, parts = 0, run.digest, self._storage.parts(run)
        for part in parts:
            run = await self._wait_for(part, run, digest)
            if part == parts.tail:
                # Who has read the last message may delete the run at once.
                run = await self._wait_for_end(run)
            count = await asyncio.to_thread(part.count)
            start = max(0, offset - first)
            while start < count:
                messages = await asyncio.to_thread(part.read, start, _AT_A_TIME)
                for at, message in enumerate(messages, start + first):
                    yield read_response(run.kind, at, message)
                start += len(messages)
            first += count
        if offset > first:
            raise InputError(
                "OFFSET_PAST_END",
                f"Offset {offset:,} is past the end of the result, which has {first:,} messages.",
                field="offset",
                metadata={"messages": str(first)},
            )

    async def get(self, name: str) -> RunRow:
        """Return a run that the caller may see; raises InputError RUN_NOT_FOUND."""
        return await asyncio.to_thread(self._storage.runs.get, caller(), id_of(name))

    async def share(self, request: pb.ShareRunRequest) -> ops.Operation:
        """Share a run with a group, or with nobody."""
        share = self._storage.runs.share
        return self.operation(await asyncio.to_thread(share, caller(), id_of(request.name), request.group))

    def operation(self, run: RunRow) -> ops.Operation:
        """Return a run as an operation message."""
        return operation_of(run, self._storage.runs.keep_seconds)

    async def _wait_for_end(self, run: RunRow) -> RunRow:
        """Wait until a run whose last part is written has ended; its server does that at once, or another later."""
        while run.is_open:
            run = await self._read_again(run)
            if run.is_open:
                await asyncio.sleep(END_POLL_SECONDS)
        return run

    async def _read_again(self, run: RunRow) -> RunRow:
        if self.closing:
            raise shutting_down("Continue from the next offset.")
        run = await self.get(run.name)
        if run.failure is not None:
            raise run.failure
        return run

    async def _wait_for(self, part: ResultPart, run: RunRow, digest: str) -> RunRow:
        while not await asyncio.to_thread(part.is_there):
            run = await self._read_again(run)
            if run.digest != digest:
                raise ServiceError(
                    "RUN_NOT_FINISHED",
                    "The run was restarted under another version of the law or the engine.",
                    fix="Read it from offset 0.",
                )
            if not run.is_open and not await asyncio.to_thread(part.is_there):
                raise ServiceError(
                    "ENGINE_INVARIANT", "A part of the result is missing.", fix="Start the run again."
                )
            await asyncio.sleep(POLL_SECONDS)
        return run


class OperationsHandler(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc] # it has no types
    """Reads, cancels and deletes long runs."""

    def __init__(self, long_runs: LongRuns, storage: Storage) -> None:
        self._long_runs = long_runs
        self._storage = storage

    async def GetOperation(self, request: ops.GetOperationRequest, context: Context) -> ops.Operation:
        """Return the state of a run."""
        return self._long_runs.operation(await self._long_runs.get(request.name))

    async def ListOperations(
        self, request: ops.ListOperationsRequest, context: Context
    ) -> ops.ListOperationsResponse:
        """List the caller's runs and those shared with it, newest first; all owners' for the filter ALL_OWNERS."""
        size, who = page_size(request.page_size), caller()
        if request.filter not in ("", ALL_OWNERS):
            raise request_invalid(
                f"The filter {request.filter[:40]!r} is not known.", "filter", f"Use {ALL_OWNERS!r}."
            )

        def page() -> ops.ListOperationsResponse:
            runs, token = self._storage.runs.page(who, size, request.page_token, bool(request.filter))
            operations = [self._long_runs.operation(run) for run in runs]
            return ops.ListOperationsResponse(operations=operations, next_page_token=token)

        # Requests are read for their scenarios, and may hold a table each.
        return await asyncio.to_thread(page)

    async def CancelOperation(self, request: ops.CancelOperationRequest, context: Context) -> empty_pb2.Empty:
        """Request the cancellation of a run."""
        await asyncio.to_thread(self._storage.runs.cancel, caller(), id_of(request.name))
        return empty_pb2.Empty()

    async def DeleteOperation(self, request: ops.DeleteOperationRequest, context: Context) -> empty_pb2.Empty:
        """Delete an ended run."""
        await asyncio.to_thread(self._storage.runs.delete, caller(), id_of(request.name))
        return empty_pb2.Empty()

    async def WaitOperation(self, request: ops.WaitOperationRequest, context: Context) -> ops.Operation:
        """Return the state of a run once it has ended, or after the timeout."""
        timeout = WAIT_SECONDS
        if request.HasField("timeout"):
            timeout = request.timeout.seconds + request.timeout.nanos / 1e9
        loop = asyncio.get_running_loop()
        until = loop.time() + min(max(timeout, 0.0), WAIT_SECONDS)
        run = await self._long_runs.get(request.name)
        while run.is_open and loop.time() < until and not self._long_runs.closing:
            await asyncio.sleep(min(POLL_SECONDS, max(0.0, until - loop.time())))
            run = await self._long_runs.get(request.name)
        return self._long_runs.operation(run)
