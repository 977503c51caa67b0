"""LawService.ListChanges: what changes in a window of days, and which lines of a table it hits."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from tariffs.engine.base.provenance import law_facts
from tariffs.engine.errors import ServiceError
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.entry_line import read_known_on
from tariffs.engine.runs.law_changes import Notice, changes, read_window
from tariffs.service.rpc.checks import direction_of, required, value_of, word
from tariffs.service.rpc.shared import day_text, instant_text, law_under, provenance_of, scenario_of
from tariffs.service.wire import arrow
from tariffs.v1 import law_service_pb2 as pb

_NO_LIMIT = 1 << 40


@dataclass(frozen=True)
class LocalTable:
    """A table of any size, given in-process or kept by the server, and how many bytes of its lines may be told."""

    table: pl.DataFrame | pl.LazyFrame | str | Path
    lines_limit: int = _NO_LIMIT


def list_changes(
    request: pb.ListChangesRequest,
    emit: Callable[[pb.ListChangesResponse], None],
    cancelled: Callable[[], bool],
    local: LocalTable | None = None,
) -> None:
    """Emit one answer: the changes, and what they do to a table if one is given.

    Raises:
        TariffsError: what is wrong with the window, the scenario, a switch or the table.
    """
    window = read_window(
        required(request.start, "start", "Give the first day."),
        required(request.end, "end", "Give the last day."),
        word(request.hts, "hts"),
        word(request.origin, "origin"),
    )
    scenario = scenario_of(request.scenario, "scenario")
    law = law_under(scenario, request.switches, request.min_confidence)
    known_on = read_known_on(law, word(request.known_on, "known_on") or None, law.as_of)
    direction = direction_of(request.direction)
    notices = changes(law, window, known_on=known_on, direction=direction)
    steps = list(dict.fromkeys(notice.step for notice in notices if notice.step))
    zone = law.zones[direction]
    answer = pb.ListChangesResponse(
        changes=[_change(one, steps.index(one.step) if one.step else None, zone) for one in notices],
        provenance=provenance_of(
            {
                **law_facts(law),
                "known_on": known_on,
                "direction": direction,
                "scenarios": {scenario.id: scenario.digest},
            },
            request,
        ),
    )
    if local or request.WhichOneof("table"):
        _value(law, request, notices, local, cancelled, answer)
    emit(answer)


def _value(
    law: Law,
    request: pb.ListChangesRequest,
    notices: tuple[Notice, ...],
    local: LocalTable | None,
    cancelled: Callable[[], bool],
    answer: pb.ListChangesResponse,
) -> None:
    # Tables need compiled kernels; a list of notices must not pay for importing them.
    from tariffs.engine.runs.change_effects import changes_on_table

    def check() -> None:
        if cancelled():
            raise ServiceError("CANCELLED", "The caller cancelled the call.")

    table: pl.DataFrame | pl.LazyFrame | str | Path | None
    if local is not None:
        table, limit = local.table, local.lines_limit
    else:
        table, limit = _sent(request), arrow.MESSAGE_LIMIT
    found = changes_on_table(law, notices, table, check=check, direction=direction_of(request.direction))
    lines = found.lines.sort(pl.col("change").abs(), descending=True, maintain_order=True)
    answer.lines, answer.lines_left_off = _first(lines, limit)
    answer.effects, answer.effects_left_off = _first(found.measures, limit)
    answer.refused, _ = _first(found.refused, limit)
    sent = pl.read_ipc_stream(io.BytesIO(answer.refused))
    answer.refused_left_off = _refused_rows(found.refused) - _refused_rows(sent)


def _first(frame: pl.DataFrame, limit: int) -> tuple[bytes, int]:
    """As many rows as fit, and how many are left off."""
    data = next(arrow.batches(frame, limit))
    return data, frame.height - pl.read_ipc_stream(io.BytesIO(data)).height


def _refused_rows(refused: pl.DataFrame) -> int:
    """Rows of the table that were refused; a row has a line for each of its problems."""
    return refused["row"].n_unique()


def _sent(request: pb.ListChangesRequest) -> pl.DataFrame | None:
    return arrow.read_table(request.arrow) if request.WhichOneof("table") == "arrow" else None


def _change(notice: Notice, step: int | None, zone: ZoneInfo) -> pb.LawChange:
    return pb.LawChange(
        id=notice.id,
        kind=notice.kind,
        when=notice.when,
        measures=notice.measures,
        effect_time=instant_text(notice.at, zone),
        known_from=day_text(notice.known_from),
        text=notice.text,
        citations=notice.citations,
        confidence=value_of(pb.Confidence, notice.conf) if notice.conf else None,
        step=step,
    )
