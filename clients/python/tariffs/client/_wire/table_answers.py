"""Convert the answer of CheckTable."""

from __future__ import annotations

from collections.abc import Mapping

from tariffs.client._wire import answers
from tariffs.client._wire.frames import from_arrow
from tariffs.client.results.table_check import TableCheck, TableColumn
from tariffs.v1 import table_service_pb2


def table_check(
    answer: table_service_pb2.CheckTableResponse, form: str, sources: Mapping[str, str]
) -> TableCheck:
    """Convert the answer; `form` says how the file is written, `sources` names renamed columns in it."""
    columns = (
        TableColumn(
            name=one.name,
            source=sources.get(one.name, ""),
            role=one.role,
            read_as=one.read_as,
            filled=one.filled_count,
            refused=one.refused_count,
            example=one.example,
        )
        for one in answer.columns
    )
    return TableCheck(
        form=form,
        columns=tuple(columns),
        rows=answer.row_count,
        usable=answer.usable_count,
        customs_value=answer.customs_value,
        code_digits=dict(sorted(answer.code_digits.items())),
        origins=answer.origin_count,
        first_day=answer.first_day,
        last_day=answer.last_day,
        refused=from_arrow(answer.refused),
        refused_left_off=answer.refused_left_off,
        notes=answers.notes(answer.notes),
        law_version=answer.law_version,
    )
