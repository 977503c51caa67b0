"""TableService.CheckTable: describe how a table is read, and list the rows that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from tariffs.engine.law import Law
from tariffs.engine.law.law import IMPORT
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.table_rows import entry_note
from tariffs.engine.tables.columns import contract_types
from tariffs.engine.tables.dates import read_format
from tariffs.engine.tables.describe_table import TableDescription, describe_table
from tariffs.engine.tables.sources import read_source
from tariffs.engine.tables.trade_table import CheckedTable
from tariffs.service.rpc.checks import direction_of, word
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.run_options import LocalInputs
from tariffs.service.rpc.shared import first_rows, notes_of
from tariffs.service.wire import arrow
from tariffs.service.wire.status import Cancelled, request_invalid
from tariffs.v1 import common_pb2
from tariffs.v1 import table_service_pb2 as pb


def check_table(
    request: pb.CheckTableRequest, cancelled: Cancelled, local: LocalInputs | None = None
) -> pb.CheckTableResponse:
    """Describe how the table is read.

    Raises:
        InputError: the table cannot be read as a whole, or an option is wrong.
    """
    if local is None or local.table is None:
        if request.WhichOneof("table") != "arrow":
            raise request_invalid("No table was given.", "table", "Send the table, or the handle of one.")
        local = LocalInputs(arrow.read_table(request.arrow), lines_limit=arrow.MESSAGE_LIMIT)
    date_format = read_format(word(request.date_format, "date_format"))
    law = LAWS.named(request.law_version)
    market = law.market_of(direction_of(request.direction), word(request.to, "to"))
    frame = (
        read_source(local.table, contract_types(law.claims)) if local.table is not None else pl.DataFrame()
    )
    checked = _checked(frame, law, market, date_format)
    described = describe_table(frame, checked, law.claims, law.zones[market], date_format)
    note = entry_note(law, checked) if market == IMPORT else None
    return _response(described, checked, local.lines_limit, law.version, note)


def _checked(frame: pl.DataFrame, law: Law, market: str, date_format: str) -> CheckedTable:
    # Preparing a table needs compiled kernels; they must not be imported with this module.
    from tariffs.engine.tables.export_lines import prepare_exports
    from tariffs.engine.tables.prepare import check_imports

    if market == IMPORT:
        return check_imports(frame, law, date_format)
    return prepare_exports(frame, law, market, date_format).checked


def _response(
    described: TableDescription, checked: CheckedTable, limit: int, law_version: str, note: Note | None
) -> pb.CheckTableResponse:
    refused, left_off = first_rows(checked.refused, limit)
    return message_of(
        pb.CheckTableResponse,
        described,
        columns=[
            message_of(
                pb.TableColumn,
                column,
                filled_count=column.filled,
                refused_count=column.refused,
                example=column.example[:_EXAMPLE_LIMIT],
            )
            for column in described.columns
        ],
        refused=refused,
        refused_left_off=left_off,
        notes=[*_merged(checked.notes), *notes_of([note] if note else [])],
        law_version=law_version,
    )


_EXAMPLE_LIMIT = 60


def _merged(notes: pl.DataFrame) -> Iterator[common_pb2.Note]:
    """Merge the notes on rows: one a reason, with the number of rows and the first message."""
    for reason, rows, message in (
        notes.group_by("reason", maintain_order=True)
        .agg(pl.len().alias("rows"), pl.col("message").first())
        .iter_rows()
    ):
        yield common_pb2.Note(
            reason=reason, message=message if rows == 1 else f"{rows:,} rows, the first: {message}"
        )
