"""Convert the rows of a bill of materials into messages, and add its own columns to the parts of an answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import polars as pl

from tariffs.client._wire.column_mapping import ColumnMapping, apply_mapping
from tariffs.client._wire.csv_text import ROW_FAULT
from tariffs.client._wire.entry_table import CHARGES, line_of, text_of, unread_rows
from tariffs.client.errors import InvalidRequest, TariffsError
from tariffs.client.results.law import Law
from tariffs.v1 import duty_service_pb2 as pb

_STRUCTURE = {"part": (), "parent": (), "quantity": ("qty",), "yield": (), "supplier": ("vendor",)}
_LIMITS = ("capacity", "min_order", "min_share", "max_share")
_GOODS = {"hts": ("code", "hts_code"), "origin": ("country_of_origin",), "unit_cost": ("unit_price",)}
_LINE = (
    "unit",
    "unit_quantity",
    "mode",
    "freight",
    "insurance",
    "ordinary_rate",
    "claims",
    *CHARGES.values(),
)
_NAMES = {**_STRUCTURE, **_GOODS, **dict.fromkeys((*_LIMITS, *_LINE), ())}
_NEEDED = ("part", "parent")
_PAIRS = re.compile(r"[;\n]")


class BomTable(NamedTuple):
    """Bill of materials as read, one message a row, and rows that cannot be sent as they are."""

    frame: pl.DataFrame
    messages: list[pb.BomRow]
    faults: dict[int, InvalidRequest]

    def with_own_columns(self, parts: pl.DataFrame) -> pl.DataFrame:
        """Add the caller's own columns to the parts of an answer, by row."""
        own = [name for name in self.frame.columns if name not in _NAMES and name not in parts.columns]
        numbered = self.frame.select(own).with_row_index("row").cast({"row": parts["row"].dtype})
        return parts.join(numbered, on="row", how="left", maintain_order="left")

    def refused(self, failures: Iterable[tuple[int, TariffsError]]) -> pl.DataFrame:
        """Make the frame of refused rows; an error found before a row was sent has precedence."""
        rows = []
        for row, failure in failures:
            error = self.faults.get(row, failure)
            column = (error.field or "").removeprefix("claims.")
            found = self.frame[column][row] if column in self.frame.columns else None
            told = {"column": column, "reason": error.reason, "found": text_of(found), "message": str(error)}
            rows.append({"row": row, "part": self.messages[row].part, **told})
        columns = ("part", "column", "reason", "found", "message")
        return pl.DataFrame(rows, schema={"row": pl.Int64, **dict.fromkeys(columns, pl.String)}).sort("row")


def read_bom(frame: pl.DataFrame, law: Law) -> BomTable:
    """Convert the rows of a bill of materials into messages; the law says which columns are claims.

    Raises:
        InvalidRequest: COLUMN_MISSING or TABLE_EMPTY.
    """
    claims = [claim.id for claim in law.claims]
    unread = unread_rows(frame)
    names = {name: (name, *others) for name, others in {**_NAMES, **dict.fromkeys(claims, ())}.items()}
    frame = apply_mapping(frame.drop(ROW_FAULT, strict=False), ColumnMapping("bill", names)).frame
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise InvalidRequest(
            "COLUMN_MISSING",
            f"The table lacks {', '.join(missing)}; it has {', '.join(frame.columns) or 'no columns'}.",
            field=missing[0],
            fix="A bill of materials has part and parent, and hts, origin and unit_cost of parts that are bought.",
        )
    if not frame.height:
        raise InvalidRequest("TABLE_EMPTY", "The table has no rows.", field="rows")
    table = BomTable(frame, [], {})
    declared = [name for name in claims if name in frame.columns]
    for place, row in enumerate(frame.iter_rows(named=True)):
        message = pb.BomRow(good_share=text_of(row.get("yield")))
        for name in (*_STRUCTURE, *_LIMITS):
            if name != "yield":
                setattr(message, name, text_of(row.get(name)))
        try:
            if place in unread:
                raise InvalidRequest("ROW_UNREADABLE", unread[place])
            message.line.CopyFrom(_line(row, declared))
        except InvalidRequest as error:
            table.faults[place] = error
        table.messages.append(message)
    return table


def _line(row: dict[str, Any], declared: Collection[str]) -> pb.EntryLine:
    """Make the message of one unit of a part; claims are columns, or pairs of name and value in one column."""
    pairs = [pair.partition("=") for pair in _PAIRS.split(text_of(row.get("claims"))) if pair.strip()]
    given = {name.strip(): value.strip() for name, _, value in pairs}
    unit = {
        "customs_value": row.get("unit_cost"),
        "quantity": row.get("unit_quantity"),
        "hts": row.get("hts"),
    }
    return line_of(
        {**row, "origin": row.get("origin"), **unit, **given}, {**dict.fromkeys(declared), **given}, "", {}
    )
