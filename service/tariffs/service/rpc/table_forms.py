"""Read the table form of a batch: columns and date formats of the table that its lines come from."""

from __future__ import annotations

from collections.abc import Sequence

from tariffs.engine.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import known_on_notes
from tariffs.engine.tables.columns import contract_types
from tariffs.engine.tables.dates import format_of, read_format
from tariffs.engine.tables.sources import near_misses
from tariffs.service.rpc.checks import few, word
from tariffs.v1 import common_pb2

TEXTS_LIMIT = 2000
CHARGE_COLUMNS = ("adcvd", "excise", "other_charges")
"""Columns that entry tables have and trade tables do not."""


def date_formats(table: common_pb2.TableForm) -> dict[str, str]:
    """Return the date format of each column: that of the request, else the one inferred from the column's texts.

    Raises:
        InputError: REQUEST_INVALID for an unknown format or too many columns or texts.
    """
    stated = read_format(word(table.date_format, "table.date_format"))
    few(table.dates, "table.dates")
    formats = {}
    for one in table.dates:
        few(one.texts, "table.dates.texts", TEXTS_LIMIT)
        name = word(one.column, "table.dates.column")
        formats[name] = stated or format_of(word(text, "table.dates.texts") for text in one.texts)
    return formats


def table_notes(
    law: Law, table: common_pb2.TableForm, known_on: str | None, further: Sequence[str] = ()
) -> tuple[Note, ...]:
    """Make the notes on a batch's table, which may have `further` columns besides those of a line, and its options.

    Raises:
        InputError: REQUEST_INVALID for too many columns or names too long.
    """
    few(table.columns, "table.columns")
    own = [word(name, "table.columns") for name in table.columns]
    remarks = near_misses(own, [*contract_types(law.claims), *CHARGE_COLUMNS, *further])
    return (*(Note("COLUMN_UNREAD", text) for text in remarks), *known_on_notes(law, known_on))
