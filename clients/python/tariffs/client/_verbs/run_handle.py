"""Handle of a long run on a server: status, wait, cancel, result."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration

from tariffs.client._verbs.replay import with_call
from tariffs.client._wire import answers
from tariffs.client._wire.channel import RemoteBackend
from tariffs.client._wire.progress import Progress, Report, reporting, silent
from tariffs.client._wire.reading import provenance, read
from tariffs.client.config import Config
from tariffs.client.errors import DeadlineExceeded, TariffsError, Unavailable, from_status
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.json_values import Plain
from tariffs.client.results.quote import Provenance
from tariffs.client.results.sweep import Sweep
from tariffs.v1 import simulation_service_pb2 as pb

OPEN = ("waiting", "running")
_WAIT_SECONDS = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


@dataclass(frozen=True, slots=True)
class RunStatus(Plain):
    """Status of a run.

    Attributes:
        name: name of the run on the server.
        state: waiting, running, succeeded, failed or cancelled.
        stage: current step, in words.
        fraction: share done, 0 to 1.
        finished_parts: parts of the result that can be read: points, scenarios of a period, or blocks of a sweep.
        total_parts: parts the result will have.
        attempts: number of workers that started it.
        create_time: time of its start, RFC 3339.
        end_time: time of its end; empty before.
        expire_time: time of its deletion; empty before its end.
        error: error of a run without result, else None.
        provenance: inputs needed to reproduce the result; None before there is one.
        scenarios: scenarios of the run, each once; empty from a server that does not say.
        table: `embedded`, the handle of an uploaded table, or `sent` for one that came with the request.
        owner: name of its owner; empty from a server that does not say.
        shared_with: group whose members may read the result; empty if it is not shared.
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
    scenarios: tuple[str, ...] = ()
    table: str = ""
    owner: str = ""
    shared_with: str = ""

    @property
    def done(self) -> bool:
        """True once the run has ended, with a result or without."""
        return self.state not in OPEN

    def to_json_dict(self) -> dict[str, object]:
        """Convert to plain data."""
        plain = Plain.to_json_dict(self)
        return plain | {name: plain[name] or None for name in ("ended", "expires")}


class Run:
    """Handle of one run on a server, which continues without this object.

    Attributes:
        name: name of the run, for `Client.run`.
    """

    def __init__(
        self, name: str, calls: RemoteBackend, config: Config, call: Mapping[str, object] | None = None
    ) -> None:
        self.name = name
        self._calls = calls
        self._config = config
        self._call = call

    def __repr__(self) -> str:
        return f"Run({self.name!r})"

    def status(self) -> RunStatus:
        """Get the status of the run.

        Raises:
            NotFound: the server knows no such run of this caller.
        """
        return status_of(self._unary("GetOperation", operations_pb2.GetOperationRequest(name=self.name)))

    def wait(self, progress: Progress = None, *, timeout: float | None = None) -> RunStatus:
        """Wait until the run has ended.

        Args:
            progress: True for a progress bar, or a function that takes stage and fraction.
            timeout: seconds; without one, as long as it takes.

        Raises:
            TariffsError: the run failed or was cancelled.
            DeadlineExceeded: the run has not ended within `timeout`; it continues.
        """
        clock = _RetryClock(self._config.deadlines.runs if timeout is None else timeout)
        with reporting(progress) as report:
            while not (status := self._next_status(clock)).done:
                report(status.stage, status.fraction)
                clock.check(self.name)
            report(status.stage, status.fraction)
        if status.error is not None:
            raise status.error
        return status

    def cancel(self) -> None:
        """Cancel the run; one that has ended stays as it is."""
        self._unary("CancelOperation", operations_pb2.CancelOperationRequest(name=self.name))

    def share(self, group: str = "") -> RunStatus:
        """Share the run and its result with one of your groups; without a group with nobody.

        Raises:
            PermissionDenied: you are not in the group, or the run is only shared with you.
        """
        return status_of(self._unary("ShareRun", pb.ShareRunRequest(name=self.name, group=group)))

    def delete(self) -> None:
        """Delete the run and its result.

        Raises:
            InvalidRequest: RUN_NOT_FINISHED.
        """
        self._unary("DeleteOperation", operations_pb2.DeleteOperationRequest(name=self.name))

    def result(
        self, progress: Progress = None, *, timeout: float | None = None
    ) -> ImpactResult | TimelineResult | Sweep:
        """Read the whole result, as `impact`, `timeline` or `sweep` returns it; waits for parts not computed yet.

        After a broken connection, reading continues where it stopped.

        Args:
            progress: True for a progress bar, or a function that takes stage and the fraction of parts read.
            timeout: seconds; by default the config's deadline of runs.

        Raises:
            TariffsError: the run failed or was cancelled.
            Unavailable: no server came back in time.
        """
        clock = _RetryClock(self._config.deadlines.runs if timeout is None else timeout)
        with reporting(progress) as report:
            messages = list(self._messages(clock, report))
        last = messages[-1] if messages else None
        result: ImpactResult | TimelineResult | Sweep
        if isinstance(last, pb.SweepResponse):
            result = answers.sweep(messages, silent)
        elif isinstance(last, pb.TimelineResponse):
            result = answers.timeline(messages, silent)
        else:
            result = answers.impact(messages, silent)
        # Rows that only valuing shows to be unusable come after the others.
        refused = result.refused.sort("row", maintain_order=True) if result.refused.height else result.refused
        inputs = result.provenance if self._call is None else with_call(result.provenance, self._call)
        return replace(result, refused=refused, provenance=inputs)

    def _messages(self, clock: _RetryClock, report: Report) -> Iterator[Any]:
        offset, parts, total = 0, set[tuple[str, str]](), max(1, self.status().total_parts)
        while True:
            try:
                request = pb.ReadRunRequest(name=self.name, offset=offset)
                for answer in self._calls.stream("ReadRun", request, clock.left()):
                    offset = answer.offset + 1
                    message = getattr(answer, answer.WhichOneof("content"))
                    if (place := _place(message)) is not None and place not in parts:
                        parts.add(place)
                        report(" on ".join(filter(None, place)), min(1.0, len(parts) / total))
                    clock.restore()
                    yield message
            except Unavailable as error:
                clock.pause(error)
                continue
            return

    def _next_status(self, clock: _RetryClock) -> RunStatus:
        seconds = max(0.0, min(_WAIT_SECONDS, clock.left()))
        wait_time = Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))
        request = operations_pb2.WaitOperationRequest(name=self.name, timeout=wait_time)
        while True:
            try:
                operation = self._calls.unary(
                    "WaitOperation", request, seconds + self._config.deadlines.lists
                )
            except Unavailable as error:
                clock.pause(error)
                continue
            clock.restore()
            return status_of(operation)

    def _unary(self, method: str, request: object) -> Any:
        return self._calls.unary(method, request, self._config.deadlines.lists)


class _RetryClock:
    """Deadline of a wait, and the growing pause between attempts."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE

    def left(self) -> float:
        """Seconds left."""
        return max(0.001, self._until - time.monotonic())

    def check(self, name: str) -> None:
        """Check that there is time left; raises DeadlineExceeded."""
        if time.monotonic() >= self._until:
            raise DeadlineExceeded(
                "DEADLINE",
                f"The run {name} has not ended.",
                code="DEADLINE_EXCEEDED",
                fix="Wait longer with timeout=, or get the run later with Client.run.",
            )

    def pause(self, error: TariffsError) -> None:
        """Wait before the next attempt; raises the given error if there is no time for one."""
        if time.monotonic() + self._pause >= self._until:
            raise error
        time.sleep(self._pause)
        self._pause = min(_LONGEST_PAUSE, self._pause * 2)

    def restore(self) -> None:
        """Reset the pause after a successful attempt."""
        self._pause = _FIRST_PAUSE


def status_of(operation: operations_pb2.Operation) -> RunStatus:
    """Read the status of a run from its operation."""
    metadata, result = pb.RunMetadata(), pb.RunResult()
    operation.metadata.Unpack(metadata)
    has_result = operation.WhichOneof("result") == "response" and operation.response.Unpack(result)
    return read(
        RunStatus,
        metadata,
        name=operation.name,
        error=from_status(operation.error) if operation.WhichOneof("result") == "error" else None,
        provenance=provenance(result.provenance) if has_result else None,
    )


def _place(message: Any) -> tuple[str, str] | None:
    """Name the scenario and day, or the block of a sweep, that a message belongs to."""
    kind = message.WhichOneof("content")
    held = getattr(message, kind) if kind else None
    if isinstance(held, pb.SweepBatch):
        return f"block {held.block + 1}", ""
    return (held.scenario, held.on) if isinstance(held, pb.ResultBatch) else None
