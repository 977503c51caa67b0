"""SimulationService.SolveWorld: the world in general equilibrium under a scenario or given tariffs."""

from __future__ import annotations

from typing import Any

import polars as pl

from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext
from tariffs.engine.runs.world import WorldSpec, world
from tariffs.service.rpc.checks import word, words
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import filled, provenance_of, scenario_of
from tariffs.service.wire import arrow
from tariffs.service.wire.status import Cancelled, too_large
from tariffs.v1 import simulation_service_pb2 as pb

_CHOICES = ("model", "rebate", "deficits", "retaliation")
_NUMBERS = (
    "elasticity", "labour", "scale", "firm_elasticity", "pass_through", "destination_share", "price_elasticity",
    "retaliation_rate", "reaction",
)  # fmt: skip
_FILES_LIMIT = 8 << 20
"""Bytes of a table of the world at most."""


def solve_world(request: pb.SolveWorldRequest, cancelled: Cancelled) -> pb.SolveWorldResponse:
    """Solve the world: changes by country, with their certificate.

    Raises:
        TariffsError: an invalid scenario, parameter or table, or no equilibrium.
    """
    size = sum(map(len, request.trade.values()))
    if size > _FILES_LIMIT:
        fix = "Give fewer countries or sectors, or solve it in your process."
        raise too_large(f"The table of the world has {size:,} bytes.", "trade", fix, size, _FILES_LIMIT)
    tariffs = arrow.read_table(request.tariffs) if request.tariffs else None
    scenario = None
    if request.HasField("scenario") or tariffs is None:
        found = scenario_of(request.scenario, "scenario")
        scenario = filled([found], request.scenario_parameters, "scenario_parameters")[0]
    options = Options(
        known_on=word(request.known_on, "known_on"),
        switches=words(request.switches, "switches"),
        min_confidence=word(request.min_confidence, "min_confidence"),
    )
    answer = world(
        LAWS.named(request.law_version),
        _spec(request),
        scenario,
        word(request.on, "on"),
        tariffs=tariffs,
        files=request.trade,
        players=[word(player, "players") for player in request.players],
        options=options,
        context=RunContext(None, cancelled),
    )
    provenance = provenance_of(answer.provenance, request)
    return message_of(pb.SolveWorldResponse, answer, countries=_rows(answer.countries), provenance=provenance)


def _spec(request: pb.SolveWorldRequest) -> WorldSpec:
    given: dict[str, Any] = {
        name: value for name in _CHOICES if (value := word(getattr(request, name), name))
    }
    given |= {name: getattr(request, name) for name in _NUMBERS if request.HasField(name)}
    return WorldSpec(**given, draws=request.draws)


def _rows(frame: pl.DataFrame) -> bytes:
    (data,) = arrow.batches(frame)
    return data
