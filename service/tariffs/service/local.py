"""The services in-process: the methods of the generated stubs over the same functions as the server.

Errors are the engine's own. Deadlines are kept by runs; a single line needs none.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

import polars as pl

from tariffs.engine.base.chunks import watched
from tariffs.engine.errors import ServiceError
from tariffs.service.rpc import changes, duty, law, portfees, refund, scenarios
from tariffs.v1 import (
    duty_service_pb2,
    law_service_pb2,
    refund_service_pb2,
    scenario_service_pb2,
    simulation_service_pb2,
)

Work = Callable[[Callable[[Any], None], Callable[[], bool]], None]
_END: Any = object()
_BUFFERED = 4
_POLL_SECONDS = 0.1


class LocalDuty:
    """DutyService in-process."""

    def CalculateDuty(  # noqa: N802 - the name on the wire
        self, request: duty_service_pb2.CalculateDutyRequest, timeout: float | None = None
    ) -> duty_service_pb2.CalculateDutyResponse:
        """The duty on one line."""
        return duty.calculate_duty(request)

    def BatchCalculateDuties(  # noqa: N802 - the name on the wire
        self, request: duty_service_pb2.BatchCalculateDutiesRequest, timeout: float | None = None
    ) -> duty_service_pb2.BatchCalculateDutiesResponse:
        """The duty on many lines."""
        answers = list(stream(partial(duty.calculate_duties, request), timeout))
        return cast(duty_service_pb2.BatchCalculateDutiesResponse, answers[0])


class LocalLaw:
    """LawService in-process."""

    def GetLaw(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.GetLawRequest, timeout: float | None = None
    ) -> law_service_pb2.Law:
        """The version of the law, its switches and claims."""
        return law.get_law(request)

    def ListMeasures(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.ListMeasuresRequest, timeout: float | None = None
    ) -> law_service_pb2.ListMeasuresResponse:
        """All measures, without their periods."""
        return law.list_measures(request)

    def GetMeasure(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.GetMeasureRequest, timeout: float | None = None
    ) -> law_service_pb2.Measure:
        """One measure."""
        return law.get_measure(request)

    def ListChanges(  # noqa: N802 - the name on the wire
        self,
        request: law_service_pb2.ListChangesRequest,
        timeout: float | None = None,
        *,
        table: pl.DataFrame | pl.LazyFrame | str | Path | None = None,
    ) -> law_service_pb2.ListChangesResponse:
        """What changes in a window of days; `table` is one of any size, in place of the request's."""
        given = None if table is None else changes.LocalTable(table)
        (answer,) = stream(lambda emit, over: changes.list_changes(request, emit, over, given), timeout)
        found: law_service_pb2.ListChangesResponse = answer
        return found

    def CalculatePortFee(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.CalculatePortFeeRequest, timeout: float | None = None
    ) -> law_service_pb2.CalculatePortFeeResponse:
        """What port fees cost on a voyage."""
        return portfees.calculate_port_fee(request)


class LocalRefund:
    """RefundService in-process."""

    def CalculateRefunds(  # noqa: N802 - the name on the wire
        self, request: refund_service_pb2.CalculateRefundsRequest, timeout: float | None = None
    ) -> refund_service_pb2.CalculateRefundsResponse:
        """What comes back of up to 1,000 lines."""
        (answer,) = stream(lambda emit, over: refund.calculate_refunds(request, emit, over), timeout)
        found: refund_service_pb2.CalculateRefundsResponse = answer
        return found


class LocalScenarios:
    """ScenarioService in-process."""

    def ListScenarios(  # noqa: N802 - the name on the wire
        self, request: scenario_service_pb2.ListScenariosRequest, timeout: float | None = None
    ) -> scenario_service_pb2.ListScenariosResponse:
        """All scenarios of the library."""
        return scenarios.list_scenarios(request)

    def GetScenario(  # noqa: N802 - the name on the wire
        self, request: scenario_service_pb2.GetScenarioRequest, timeout: float | None = None
    ) -> scenario_service_pb2.Scenario:
        """One scenario with its text."""
        return scenarios.get_scenario(request)

    def CheckScenario(  # noqa: N802 - the name on the wire
        self, request: scenario_service_pb2.CheckScenarioRequest, timeout: float | None = None
    ) -> scenario_service_pb2.CheckScenarioResponse:
        """What is wrong with a scenario."""
        return scenarios.check_scenario_text(request)

    def DiffScenarios(  # noqa: N802 - the name on the wire
        self, request: scenario_service_pb2.DiffScenariosRequest, timeout: float | None = None
    ) -> scenario_service_pb2.DiffScenariosResponse:
        """What two scenarios make different in the law."""
        return scenarios.diff_scenarios(request)


class LocalSimulation:
    """SimulationService in-process."""

    def Simulate(  # noqa: N802 - the name on the wire
        self,
        request: simulation_service_pb2.SimulateRequest,
        timeout: float | None = None,
        *,
        table: pl.DataFrame | pl.LazyFrame | str | Path | None = None,
        parameters: str = "",
    ) -> Iterator[simulation_service_pb2.SimulateResponse]:
        """What scenarios do to a trade table.

        Args:
            request: the request.
            timeout: seconds the run may take.
            table: a table of any size, in place of the request's.
            parameters: path of a parameter table, in place of the request's.
        """
        # Runs need compiled kernels; a single line must not pay for importing them.
        from tariffs.service.rpc import simulation

        given = simulation.Local(table, parameters)
        return stream(lambda emit, cancelled: simulation.simulate(request, emit, cancelled, given), timeout)

    def Timeline(  # noqa: N802 - the name on the wire
        self,
        request: simulation_service_pb2.TimelineRequest,
        timeout: float | None = None,
        *,
        table: pl.DataFrame | pl.LazyFrame | str | Path | None = None,
        parameters: str = "",
    ) -> Iterator[simulation_service_pb2.TimelineResponse]:
        """Scenarios over a period; arguments as of `Simulate`."""
        from tariffs.service.rpc import simulation, timeline

        given = simulation.Local(table, parameters)
        return stream(lambda emit, cancelled: timeline.run_timeline(request, emit, cancelled, given), timeout)

    def SimulateLines(  # noqa: N802 - the name on the wire
        self,
        requests: Iterable[simulation_service_pb2.SimulateLinesRequest],
        timeout: float | None = None,
    ) -> Iterator[simulation_service_pb2.SimulateLinesResponse]:
        """The duty on rows as they come; they are read as the answers are."""
        from tariffs.service.rpc import lines

        def work(emit: Callable[[Any], None], cancelled: Callable[[], bool]) -> None:
            for message in lines.simulate_lines(requests, cancelled):
                emit(message)

        return stream(work, timeout)


class LocalServices:
    """All services in-process."""

    def __init__(self) -> None:
        self.duty = LocalDuty()
        self.law = LocalLaw()
        self.refund = LocalRefund()
        self.scenarios = LocalScenarios()
        self.simulation = LocalSimulation()


def stream(work: Work, timeout: float | None) -> Generator[Any, None, None]:
    """The messages that `work` emits; leaving the iterator early ends the work."""
    channel = _Channel(timeout)
    thread = threading.Thread(target=channel.run, args=(work,), name="local-run", daemon=True)
    thread.start()
    try:
        yield from channel
    finally:
        channel.left.set()
        thread.join()


class _Channel:
    """Carries messages from the thread that computes to the one that reads, a few at a time."""

    def __init__(self, timeout: float | None) -> None:
        self.left = threading.Event()
        self._messages: queue.Queue[Any] = queue.Queue(_BUFFERED)
        self._deadline = float("inf") if timeout is None else time.monotonic() + timeout

    def run(self, work: Work) -> None:
        """Compute, in a thread of its own."""
        end: Any = _END
        try:
            with watched(self._check):
                work(self._put, self._is_over)
        except BaseException as error:
            end = error
        # The reader may have gone, and then nobody waits for the end.
        with suppress(ServiceError):
            self._put(end)

    def __iter__(self) -> Iterator[Any]:
        while (item := self._messages.get()) is not _END:
            if isinstance(item, BaseException):
                raise self._late() if self._is_late() else item
            yield item

    def _put(self, item: Any) -> None:
        while not self.left.is_set():
            with suppress(queue.Full):
                return self._messages.put(item, timeout=_POLL_SECONDS)
        raise ServiceError("CANCELLED", "The caller cancelled the run.")

    def _check(self) -> None:
        if self._is_over():
            raise ServiceError("CANCELLED", "The caller cancelled the run.")

    def _is_over(self) -> bool:
        return self.left.is_set() or self._is_late()

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    @staticmethod
    def _late() -> ServiceError:
        return ServiceError("DEADLINE", "The deadline passed before the answer.", fix="Allow more time.")
