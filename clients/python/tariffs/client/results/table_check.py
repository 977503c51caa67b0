"""Result of checking a table: how it is read, before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tariffs.client.results import html
from tariffs.client.results.json_values import Plain
from tariffs.client.results.quote import Note
from tariffs.client.results.refused import refused_json
from tariffs.client.results.shown import refused_table
from tariffs.client.results.tables import ShortTable

COLUMN_TITLES = ("column", "role", "read as", "rows", "refused", "example")
"""Titles of the rows that `TableCheck.column_rows` gives."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """Column of a table.

    Attributes:
        name: its name.
        source: its name in the file, where a mapping has renamed it; else empty.
        role: required, optional, claim, or own: returned unchanged.
        read_as: what its cells are read as, days with their format; empty for an own column.
        filled: number of rows with a value.
        refused: number of rows whose value cannot be read.
        example: first value, as text.
    """

    name: str
    source: str
    role: str
    read_as: str
    filled: int
    refused: int
    example: str


@dataclass(frozen=True, slots=True, repr=False)
class TableCheck(Plain):
    """Description of how a table is read.

    Attributes:
        form: how the file is written: kind, encoding, separator.
        columns: its columns, in order.
        rows: number of rows.
        usable: number of rows that can be used.
        customs_value: US dollars of the usable rows.
        code_digits: number of usable rows by the number of digits of their HTS code.
        origins: number of different origins of the usable rows.
        first_day: first entry date of the usable rows; empty without entry dates.
        last_day: last entry date.
        refused: rows that cannot be used: `row, column, reason, found, message`; a row has one line for each problem.
        refused_left_off: number of lines of `refused` that the server did not send.
        notes: how cells were put right, one note a reason.
        law_version: version of the law whose claims and schedule were read.
    """

    form: str
    columns: tuple[TableColumn, ...]
    rows: int
    usable: int
    customs_value: float
    code_digits: Mapping[int, int]
    origins: int
    first_day: str
    last_day: str
    refused: pl.DataFrame
    refused_left_off: int
    notes: tuple[Note, ...]
    law_version: str
    _left_out = "refused_left_off"

    @property
    def ok(self) -> bool:
        """True if every row can be used."""
        return self.usable == self.rows

    def facts(self) -> list[tuple[str, str]]:
        """List what was understood, in words."""
        digits = ", ".join(f"{rows:,} of {count} digits" for count, rows in self.code_digits.items())
        refused = f"{self.rows - self.usable:,} are refused"
        facts = [
            ("file", self.form),
            (
                "rows",
                f"{self.rows:,}, of which {self.usable:,} can be used and {refused}",
            ),
            ("customs value", f"{self.customs_value:,.2f} USD in the rows that can be used"),
            ("codes", digits or "none"),
            ("origins", f"{self.origins:,}"),
        ]
        if self.first_day:
            facts.append(("entry dates", f"{self.first_day} to {self.last_day}"))
        return [*facts, ("law", self.law_version)]

    def column_rows(self) -> list[tuple[str, ...]]:
        """List the columns as rows of text under `column, role, read as, rows, refused, example`."""
        return [
            (
                f"{one.name} ({one.source})" if one.source else one.name,
                one.role,
                one.read_as or "-",
                f"{one.filled:,}",
                f"{one.refused:,}",
                one.example,
            )
            for one in self.columns
        ]

    def to_json_dict(self, refused_path: str | None = None) -> dict[str, object]:
        """Convert to the document of `table check --json`.

        Args:
            refused_path: the file that holds all refused rows, if one was written.
        """
        refused = refused_json(self.refused, refused_path, self.refused_left_off)
        return {"ok": self.ok, **Plain.to_json_dict(self), "refused": refused}

    def __repr__(self) -> str:
        facts = "\n".join(f"{name}: {text}" for name, text in self.facts())
        notes = "".join(f"\nnote {note.reason}: {note.message}" for note in self.notes)
        columns = ShortTable("", COLUMN_TITLES, self.column_rows(), len(COLUMN_TITLES))
        return f"{facts}\n\n{columns}\n{notes}"

    def _repr_html_(self) -> str:
        return html.block(
            html.table(("table", "understood as"), 0, [list(row) for row in self.facts()]),
            html.table(COLUMN_TITLES, 0, [list(row) for row in self.column_rows()]),
            refused_table(self.refused),
            html.folded_notes(self.notes),
        )
