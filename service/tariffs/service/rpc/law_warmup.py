"""Work out what calls need of a law before it is served, in the server's process and in its workers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

from tariffs.engine.errors import TariffsError
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import first_line
from tariffs.service.rpc.duty import calculate_duty
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.shared import BASE
from tariffs.service.workers.tasks import ResultSink
from tariffs.v1 import duty_service_pb2

_REST = 3.0
"""Times as long as it works that the thread rests: it takes a quarter of the interpreter at most."""


def warm_recent(law_version: str, requests: Iterable[duty_service_pb2.CalculateDutyRequest]) -> None:
    """Quote recent requests under a law, so that their classes of goods are compiled when calls come.

    Args:
        law_version: the law, as `VERSION@DIGEST`.
    """
    for request in requests:
        began = time.perf_counter()
        copy = duty_service_pb2.CalculateDutyRequest()
        copy.CopyFrom(request)
        copy.law_version = law_version
        with suppress(TariffsError):
            calculate_duty(copy)
        time.sleep(_REST * (time.perf_counter() - began))


def warm_quotes_of(payload: bytes, sink: ResultSink) -> None:
    """Load a law in a worker of short tasks; the payload is its exact name."""
    first = first_line()
    quote_line(LAWS.named(payload.decode()), EntryLine(first["hts"], first["origin"], 10_000))


def warm_runs_of(payload: bytes, sink: ResultSink) -> None:
    """Load a law in a worker of runs, and prepare the embedded table under it; the payload is its exact name."""
    # Other processes do not need compiled kernels.
    from tariffs.engine.runs.impact import Options, Point, impact

    law = LAWS.named(payload.decode())
    impact(None, [Point(library()[BASE], "")], law=law, options=Options(by=("origin",), response="none"))
