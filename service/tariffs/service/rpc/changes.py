"""LawService.ListChanges: changes of the law in a window of days, and their effect on the lines of a table."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.entry_dates import read_known_on
from tariffs.engine.runs.law_history.law_changes import Notice, TableGoods, changes, read_window
from tariffs.service.rpc.checks import direction_of, required, word
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.run_options import LocalInputs
from tariffs.service.rpc.shared import first_rows, instant_text, law_asked, law_provenance
from tariffs.service.wire import arrow
from tariffs.service.wire.status import Cancelled, check_cancelled
from tariffs.v1 import law_service_pb2 as pb

if TYPE_CHECKING:
    from tariffs.engine.tables.prepare import PreparedTable


def list_changes(
    request: pb.ListChangesRequest, cancelled: Cancelled, local: LocalInputs | None = None
) -> pb.ListChangesResponse:
    """List the changes, and their effect on a table if one is given.

    Raises:
        TariffsError: an invalid window, scenario, switch or table.
    """
    window = read_window(
        required(request.start, "start", "Give the first day."),
        required(request.end, "end", "Give the last day."),
        word(request.hts, "hts"),
        word(request.origin, "origin"),
    )
    scenario, law = law_asked(request)
    known_on = read_known_on(law, word(request.known_on, "known_on") or None, law.as_of)
    direction = direction_of(request.direction)
    market = law.market_of(direction, word(request.to, "to"))
    lines = _lines(law, request, local, market)
    notices = changes(law, window, known_on=known_on, market=market, goods=lines.goods if lines else None)
    steps = list(dict.fromkeys(notice.step for notice in notices if notice.step))
    zone = law.zones[market]
    response = pb.ListChangesResponse(
        changes=[
            message_of(
                pb.LawChange,
                one,
                effect_time=instant_text(one.at, zone),
                step=steps.index(one.step) if one.step else None,
            )
            for one in notices
        ],
        provenance=law_provenance(law, request, [scenario], known_on=known_on, direction=direction),
    )
    if lines:
        _add_effects(law, notices, lines, market, cancelled, response)
    return response


class _Lines(NamedTuple):
    """Lines of a request's table, their codes and origins, and the bytes of lines that its answer may have."""

    prepared: PreparedTable
    goods: TableGoods
    limit: int


def _lines(law: Law, request: pb.ListChangesRequest, local: LocalInputs | None, market: str) -> _Lines | None:
    if not local and not request.WhichOneof("table"):
        return None
    # Tables need compiled kernels; a list of notices must not import them.
    from tariffs.engine.runs.law_history.change_effects import goods_of
    from tariffs.engine.tables.export_lines import prepared_for

    if not local:
        sent = arrow.read_table(request.arrow) if request.WhichOneof("table") == "arrow" else None
        local = LocalInputs(sent, lines_limit=arrow.MESSAGE_LIMIT)
    prepared = prepared_for((market,), local.table, law)
    return _Lines(prepared, goods_of(law, prepared, market), local.lines_limit)


def _add_effects(
    law: Law,
    notices: tuple[Notice, ...],
    lines_of_table: _Lines,
    market: str,
    cancelled: Cancelled,
    response: pb.ListChangesResponse,
) -> None:
    from tariffs.engine.runs.law_history.change_effects import changes_on_table

    limit = lines_of_table.limit
    check = partial(check_cancelled, cancelled)
    effects = changes_on_table(law, notices, lines_of_table.prepared, check=check, market=market)
    lines = effects.lines.sort(pl.col("change").abs(), descending=True, maintain_order=True)
    response.lines, response.lines_left_off = first_rows(lines, limit)
    response.effects, response.effects_left_off = first_rows(effects.measures, limit)
    response.refused, _ = first_rows(effects.refused, limit)
    sent = pl.read_ipc_stream(io.BytesIO(response.refused))
    response.refused_left_off = _refused_rows(effects.refused) - _refused_rows(sent)


def _refused_rows(refused: pl.DataFrame) -> int:
    """Count the refused rows of a table; a row has one line for each of its problems."""
    return refused["row"].n_unique()
