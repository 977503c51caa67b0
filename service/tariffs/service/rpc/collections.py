"""SimulationService.CalculateCollections: duty assessed and collected by month, authority and origin."""

from __future__ import annotations

from tariffs.engine.runs.collections.collect import KEYS, collections
from tariffs.engine.runs.options import Options
from tariffs.service.rpc.checks import required, word, words
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.shared import filled_scenario, notes_of, provenance_of
from tariffs.service.wire import arrow
from tariffs.service.wire.status import Cancelled
from tariffs.v1 import simulation_service_pb2 as pb


def calculate_collections(
    request: pb.CalculateCollectionsRequest, cancelled: Cancelled
) -> pb.CalculateCollectionsResponse:
    """Calculate rows, their total, and what was frozen.

    Raises:
        TariffsError: an invalid month, key, rung, scenario, switch or option.
    """
    options = Options(
        response="none",
        known_on=word(request.known_on, "known_on"),
        switches=words(request.switches, "switches"),
        min_confidence=word(request.min_confidence, "min_confidence"),
    )
    found = collections(
        filled_scenario(request),
        required(request.start, "start", "Give the first month."),
        required(request.end, "end", "Give the last month."),
        by=[word(name, "by") for name in request.by] or KEYS,
        without=[word(name, "without") for name in request.without],
        law=LAWS.named(request.law_version),
        options=options,
        cancelled=cancelled,
    )
    return pb.CalculateCollectionsResponse(
        rows=arrow.batches(found.rows),
        total=next(arrow.batches(found.total)),
        frozen={name: str(value) for name, value in found.frozen.items()},
        notes=notes_of(found.notes),
        provenance=provenance_of(found.provenance, request),
    )
