"""Long runs: begun on a server, followed, ended or left to themselves, their results read when one likes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration

from tariffs.client._verbs.replay import with_call
from tariffs.client._wire import answers
from tariffs.client._wire.progress import Progress, Report, reporting
from tariffs.client.config import Config
from tariffs.client.errors import DeadlineExceeded, TariffsError, Unavailable, from_status
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.quote import Provenance
from tariffs.v1 import simulation_service_pb2 as pb

OPEN = ("waiting", "running")
_WAIT_SECONDS = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class RunBackend(Protocol):
    """What a run needs of the other side."""

    def unary(self, method: str, request: object, timeout: float) -> Any:
        """The answer message of one call."""

    def stream(self, method: str, request: object, timeout: float) -> Iterator[Any]:
        """The answer messages of one call."""


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How a run stands.

    Attributes:
        name: its name on the server.
        state: waiting, running, succeeded, failed or cancelled.
        stage: what is being done, in words.
        fraction: share that is done, 0 to 1.
        finished_parts: parts of the result that can be read: points, or scenarios of a period.
        total_parts: parts the result will have.
        attempts: how often a worker took it up.
        create_time: when it was begun, RFC 3339.
        end_time: when it ended; empty if it has not.
        expire_time: when it is forgotten; empty if it has not ended.
        error: why there is no result; None while there may be one.
        provenance: what it takes to get the result again; None before it is there.
    """

    name: str
    state: str
    stage: str
    fraction: float
    finished_parts: int
    total_parts: int
    attempts: int
    create_time: str
    end_time: str
    expire_time: str
    error: TariffsError | None
    provenance: Provenance | None

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.state not in OPEN

    def to_json_dict(self) -> dict[str, object]:
        """The status as plain data."""
        return {
            "name": self.name,
            "state": self.state,
            "stage": self.stage,
            "fraction": self.fraction,
            "finished_parts": self.finished_parts,
            "total_parts": self.total_parts,
            "attempts": self.attempts,
            "created": self.create_time,
            "ended": self.end_time or None,
            "expires": self.expire_time or None,
            "error": None if self.error is None else self.error.to_json_dict(),
            "provenance": self.provenance,
        }


class Run:
    """One run on a server. It goes on whether or not anybody holds this.

    Attributes:
        name: its name, by which `Client.run` finds it again.
    """

    def __init__(
        self, name: str, calls: RunBackend, config: Config, call: Mapping[str, object] | None = None
    ) -> None:
        self.name = name
        self._calls = calls
        self._config = config
        self._call = call

    def __repr__(self) -> str:
        return f"Run({self.name!r})"

    def status(self) -> RunStatus:
        """How it stands.

        Raises:
            NotFound: the server knows no such run of this caller.
        """
        return status_of(self._unary("GetOperation", operations_pb2.GetOperationRequest(name=self.name)))

    def wait(self, progress: Progress = None, *, timeout: float | None = None) -> RunStatus:
        """Wait until it has ended.

        Args:
            progress: True for a bar, or a function of stage and fraction.
            timeout: seconds; without one, as long as it takes.

        Raises:
            TariffsError: why it has failed, or was cancelled.
            DeadlineExceeded: it goes on after `timeout`; it is not ended by that.
        """
        patience = _RetryClock(self._config.deadlines.runs if timeout is None else timeout)
        with reporting(progress) as report:
            while not (found := self._next_status(patience)).done:
                report(found.stage, found.fraction)
                patience.check(self.name)
            report(found.stage, found.fraction)
        if found.error is not None:
            raise found.error
        return found

    def cancel(self) -> None:
        """Ask for its end."""
        self._unary("CancelOperation", operations_pb2.CancelOperationRequest(name=self.name))

    def delete(self) -> None:
        """Forget it and its result.

        Raises:
            InvalidRequest: RUN_NOT_FINISHED.
        """
        self._unary("DeleteOperation", operations_pb2.DeleteOperationRequest(name=self.name))

    def result(
        self, progress: Progress = None, *, timeout: float | None = None
    ) -> ImpactResult | TimelineResult:
        """Its whole result, as `impact` or `timeline` would have given it; waits for what is not computed yet.

        A connection that breaks is taken up again where it broke.

        Args:
            progress: True for a bar, or a function of stage and fraction: the share of parts that were read.
            timeout: seconds; by default the config's deadline of runs.

        Raises:
            TariffsError: why it has failed, or was cancelled.
            Unavailable: no server came back in time.
        """
        patience = _RetryClock(self._config.deadlines.runs if timeout is None else timeout)
        with reporting(progress) as report:
            messages = list(self._messages(patience, report))
        found: ImpactResult | TimelineResult
        if messages and isinstance(messages[-1], pb.TimelineResponse):
            found = answers.timeline(messages, _silent)
        else:
            found = answers.impact(messages, _silent)
        # Rows that only valuing shows to be unusable come after the others.
        refused = found.refused.sort("row", maintain_order=True) if found.refused.height else found.refused
        provenance = found.provenance if self._call is None else with_call(found.provenance, self._call)
        return replace(found, refused=refused, provenance=provenance)

    def _messages(self, patience: _RetryClock, report: Report) -> Iterator[Any]:
        offset, parts, total = 0, set[tuple[str, str]](), max(1, self.status().total_parts)
        while True:
            try:
                request = pb.ReadRunRequest(name=self.name, offset=offset)
                for answer in self._calls.stream("ReadRun", request, patience.left()):
                    offset = answer.offset + 1
                    message = getattr(answer, answer.WhichOneof("content"))
                    if (place := _place(message)) is not None and place not in parts:
                        parts.add(place)
                        report(" on ".join(filter(None, place)), min(1.0, len(parts) / total))
                    patience.restore()
                    yield message
            except Unavailable as error:
                patience.pause(error)
                continue
            return

    def _next_status(self, patience: _RetryClock) -> RunStatus:
        seconds = max(0.0, min(_WAIT_SECONDS, patience.left()))
        patience_left = Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))
        request = operations_pb2.WaitOperationRequest(name=self.name, timeout=patience_left)
        while True:
            try:
                found = self._calls.unary("WaitOperation", request, seconds + self._config.deadlines.lists)
            except Unavailable as error:
                patience.pause(error)
                continue
            patience.restore()
            return status_of(found)

    def _unary(self, method: str, request: object) -> Any:
        return self._calls.unary(method, request, self._config.deadlines.lists)


class _RetryClock:
    """How long to wait in all, and how long between one try and the next."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE

    def left(self) -> float:
        """Seconds left."""
        return max(0.001, self._until - time.monotonic())

    def check(self, name: str) -> None:
        """See that there is time left; raises DeadlineExceeded."""
        if time.monotonic() >= self._until:
            raise DeadlineExceeded(
                "DEADLINE",
                f"The run {name} goes on.",
                code="DEADLINE_EXCEEDED",
                fix="Wait longer with timeout=, or come back with Client.run.",
            )

    def pause(self, error: TariffsError) -> None:
        """Wait before the next try; raises the error of the last if there is no time for it."""
        if time.monotonic() + self._pause >= self._until:
            raise error
        time.sleep(self._pause)
        self._pause = min(_LONGEST_PAUSE, self._pause * 2)

    def restore(self) -> None:
        """A try went well."""
        self._pause = _FIRST_PAUSE


def status_of(operation: operations_pb2.Operation) -> RunStatus:
    """How the run of an operation stands."""
    metadata, result = pb.RunMetadata(), pb.RunResult()
    operation.metadata.Unpack(metadata)
    has_result = operation.WhichOneof("result") == "response" and operation.response.Unpack(result)
    return RunStatus(
        name=operation.name,
        state=pb.RunState.Name(metadata.state).removeprefix("RUN_STATE_").lower(),
        stage=metadata.stage,
        fraction=metadata.fraction,
        finished_parts=metadata.finished_parts,
        total_parts=metadata.total_parts,
        attempts=metadata.attempts,
        create_time=metadata.create_time,
        end_time=metadata.end_time,
        expire_time=metadata.expire_time,
        error=from_status(operation.error) if operation.WhichOneof("result") == "error" else None,
        provenance=answers.provenance(result.provenance) if has_result else None,
    )


def _place(message: Any) -> tuple[str, str] | None:
    """The point a message belongs to, or the scenario of a period."""
    kind = message.WhichOneof("content")
    held = getattr(message, kind) if kind else None
    return (held.scenario, held.on) if isinstance(held, pb.ResultBatch) else None


def _silent(_stage: str, _fraction: float) -> None:
    pass
