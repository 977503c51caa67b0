"""One call as the log and the metrics tell it."""

from __future__ import annotations

import random
import re
import time
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.message import Message

from tariffs.engine.errors import TariffsError
from tariffs.service.observability.answer_facts import Encoded, refused_rows_of, run_digest_of
from tariffs.service.observability.metrics import Metrics
from tariffs.service.wire.identity import Caller, Metadata, enter
from tariffs.service.wire.status import INVARIANT, REQUEST_ID_KEY, grpc_code, status_of, trailers_of

Context = grpc.aio.ServicerContext[Any, Any]
# They tell calls apart and guard nothing, so they need not be asked of the system one by one.
_IDS = random.Random()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class CallLog:
    """One call from its begin to its one line in the log.

    Args:
        rpc: service and method, such as `DutyService/CalculateDuty`.
        context: the call; the request id comes back in its trailing metadata.
        metrics: where it is counted.
        log: where its line goes.

    Attributes:
        metadata: what came with the call; gRPC makes it anew whenever it is asked.
    """

    def __init__(self, rpc: str, context: Context, metrics: Metrics, log: Any) -> None:
        self._log = log
        self._started = time.perf_counter()
        self._rpc = rpc
        self._context = context
        self._metrics = metrics
        self._run_digest = ""
        self.metadata = context.invocation_metadata() or ()
        self._request_id = request_id_of(self.metadata)
        self._names = {"rpc": rpc, "request_id": self._request_id}
        context.set_trailing_metadata(((REQUEST_ID_KEY, self._request_id),))

    def of(self, who: Caller) -> None:
        """Say who calls."""
        self._names["owner"] = who.owner
        enter(who, self._names)

    def note(self, message: Message | Encoded) -> None:
        """Remember the run digest of an answer, or of the last message of a stream that has one."""
        self._run_digest = run_digest_of(message) or self._run_digest
        self._metrics.refused_rows(self._rpc, refused_rows_of(message))

    def end(self, code: str, **facts: Any) -> None:
        """Log and count the end of the call."""
        if self._run_digest:
            facts["run_digest"] = self._run_digest
        seconds = time.perf_counter() - self._started
        self._metrics.called(self._rpc, code, seconds)
        self._log.info("call", code=code, milliseconds=round(seconds * 1e3, 3), **self._names, **facts)

    async def fail(self, error: Exception) -> NoReturn:
        """Log what went wrong and end the call with its status; the stack of the unforeseen stays in the log."""
        if isinstance(error, grpc.aio.AbortError):
            raise error
        if not isinstance(error, TariffsError):
            self._log.error("unforeseen", reason=INVARIANT, exc_info=error, **self._names)
        status = status_of(error, self._request_id)
        code, reason = grpc_code(status), getattr(error, "reason", INVARIANT)
        self._metrics.failed(reason)
        self.end(code.name, reason=reason)
        await self._context.abort(code, status.message, trailers_of(status, self._request_id))
        raise AssertionError("abort returns never")


def request_id_of(metadata: Metadata | None) -> str:
    """The caller's request id, or a new one."""
    given = next((str(value) for key, value in metadata or () if key == REQUEST_ID_KEY), "")
    return given if given and _REQUEST_ID.fullmatch(given) else f"{_IDS.getrandbits(128):032x}"
