"""The services in-process: the methods of the generated stubs over the same functions as the server.

Errors are the engine's own. Runs observe their deadline; a single line needs none.
"""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tariffs.engine.base.chunks import watched
from tariffs.engine.errors import ServiceError
from tariffs.engine.law import Law
from tariffs.questions.index import INDEX
from tariffs.service.rpc.laws import LAWS, ServedLaw
from tariffs.service.wire.status import Cancelled, cancelled_error, check_cancelled
from tariffs.service.workers.tasks import CALLS, RPC, import_name
from tariffs.v1 import simulation_service_pb2 as pb

Emit = Callable[[Any], None]
Work = Callable[[Emit, Cancelled], None]
_END: Any = object()
_BUFFERED = 4
_POLL_SECONDS = 0.1


def _answering(function: str) -> Any:
    """Make a stub method of a function of `rpc` from request to response, imported by the first call; no timeout."""

    def call(self: object, request: Any, timeout: float | None = None) -> Any:
        return import_name(f"{RPC}.{function}")(request)

    return call


def _running(task: str) -> Any:
    """Make a stub method of the call that a task computes, which streams its messages.

    Further arguments are those of LocalInputs: a table of any size and the path of a parameter table in place of the
    request's, and the address of a Dask scheduler. Its module is imported by the first call: runs need compiled
    kernels, which a single line must not import.
    """

    def call(self: object, request: Any, timeout: float | None = None, **inputs: Any) -> Iterator[Any]:
        from tariffs.service.rpc.run_options import LocalInputs

        given = {name: value for name, value in inputs.items() if value is not None}
        local = (LocalInputs(**given),) if given else ()
        function = CALLS[task].imported()
        return stream(lambda emit, cancelled: function(request, emit, cancelled, *local), timeout)

    return call


def _emitting(task: str) -> Any:
    """Make a stub method of the call that a task computes, which has one response; arguments as `_running`."""
    run = _running(task)

    def call(self: object, request: Any, timeout: float | None = None, **inputs: Any) -> Any:
        (response,) = run(self, request, timeout, **inputs)
        return response

    return call


class LocalServices:
    """All services in-process, and the laws that the caller adds until it closes them; no table is kept."""

    CalculateDuty = _answering("duty:calculate_duty")
    BatchCalculateDuties = _emitting("duties")
    CompareCodes = _emitting("codes")
    CalculateBom = _emitting("bom")
    CalculateRefunds = _emitting("refunds")
    GetLaw = _answering("law:get_law")
    ListMeasures = _answering("law:list_measures")
    GetMeasure = _answering("law:get_measure")
    ListCodes = _answering("law:list_codes")
    ListVersions = _answering("law:list_versions")
    GetServerInfo = _answering("law:get_server_info")
    GetCaller = _answering("law:get_local_caller")
    CalculatePortFee = _answering("port_fees:calculate_port_fee")
    ListChanges = _emitting("changes")
    ListScenarios = _answering("scenarios:list_scenarios")
    GetScenario = _answering("scenarios:get_scenario")
    CheckScenario = _answering("scenarios:check_scenario_text")
    DiffScenarios = _answering("scenarios:diff_scenarios")
    CheckTable = _emitting("check_table")
    Simulate = _running("simulate")
    Timeline = _running("timeline")
    CalculateCollections = _emitting("collections")
    CompareTrade = _emitting("hindcast")
    ListWatchEvents = _emitting("watch_events")
    Sweep = _running("sweep")
    Seek = _running("seek")
    SolveWorld = _emitting("world")

    def __init__(self) -> None:
        self._added: dict[str, Law] = {}
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def SimulateLines(
        self, requests: Iterable[pb.SimulateLinesRequest], timeout: float | None = None
    ) -> Iterator[pb.SimulateLinesResponse]:
        """Calculate the duty on a stream of rows; requests are read while the responses are."""
        from tariffs.service.rpc import lines

        def work(emit: Emit, cancelled: Cancelled) -> None:
            for message in lines.simulate_lines(requests, cancelled):
                emit(message)

        return stream(work, timeout)

    def add_law(self, path: Path) -> str:
        """Let calls name the law of a pack or directory of law data; return its exact name.

        Raises:
            LawError: LAW_PACK_INVALID or LAW_INVALID.
        """
        # Packs need libraries that a process with the law built in does not load.
        from tariffs.engine.law.pack.build import build_pack
        from tariffs.engine.law.pack.read import open_pack

        if path.is_dir():
            self._directory = self._directory or tempfile.TemporaryDirectory(prefix="tariffs-law-")
            pack = Path(self._directory.name) / f"{len(self._added)}.tar.zst"
            pack.write_bytes(build_pack(path))
            path = pack
        facts = open_pack(path).manifest
        served = ServedLaw(facts.version, facts.digest, facts.as_of, facts.read_to, path.name, path=path)
        self._added[served.digest] = LAWS.load(served)
        LAWS.serve(served)
        return served.exact

    def close(self) -> None:
        """Let go of the laws added."""
        if self._added:
            LAWS.withdraw(self._added.keys())
            self._added = {}
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None


for _name, _one in INDEX.items():
    setattr(LocalServices, _one.method, _emitting(_name))


def stream(work: Work, timeout: float | None) -> Generator[Any, None, None]:
    """Yield the messages that `work` emits in a thread; closing the iterator early ends the work."""
    relay = _ThreadRelay(timeout)
    thread = threading.Thread(target=relay.run, args=(work,), name="local-run", daemon=True)
    thread.start()
    try:
        yield from relay
    finally:
        relay.closed.set()
        thread.join()


class _ThreadRelay:
    """Passes messages from the computing thread to the reading one, a few at a time.

    Requirement: a synchronous caller without a server reads while the engine computes, and may stop early.
    """

    def __init__(self, timeout: float | None) -> None:
        self.closed = threading.Event()
        self._messages: queue.Queue[Any] = queue.Queue(_BUFFERED)
        self._deadline = float("inf") if timeout is None else time.monotonic() + timeout

    def run(self, work: Work) -> None:
        """Compute, in a separate thread."""
        end: Any = _END
        try:
            with watched(self._check):
                work(self._put, self._is_over)
        except BaseException as error:
            end = error
        # After the reader has closed the iterator the end is not read.
        with suppress(ServiceError):
            self._put(end)

    def __iter__(self) -> Iterator[Any]:
        while (item := self._messages.get()) is not _END:
            if isinstance(item, BaseException):
                raise self._late() if self._is_late() else item
            yield item

    def _put(self, item: Any) -> None:
        while not self.closed.is_set():
            with suppress(queue.Full):
                return self._messages.put(item, timeout=_POLL_SECONDS)
        raise cancelled_error()

    def _check(self) -> None:
        check_cancelled(self._is_over)

    def _is_over(self) -> bool:
        return self.closed.is_set() or self._is_late()

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    @staticmethod
    def _late() -> ServiceError:
        return ServiceError("DEADLINE", "The deadline passed before the answer.", fix="Allow more time.")
