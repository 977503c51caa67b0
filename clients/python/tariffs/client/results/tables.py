"""Tables of named rows, as all displays show them: keys, numbers in one unit, and a total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from tariffs.client.results.amounts import PERCENT, MoneyUnit, short_unit, three, unit_for
from tariffs.client.results.columns import is_fraction, labels, number_cell, title_of
from tariffs.client.results.short_names import label_of

SHOWN_ROWS = 10
_WIDEST, _AUTHORITY = 60, "authority"


@dataclass(frozen=True, slots=True)
class ShortTable:
    """Table as text, to be printed in any form.

    Attributes:
        caption: units of its numbers.
        heads: titles of its columns.
        rows: cells.
        words: how many of the first columns hold words; the others hold numbers.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1

    def __str__(self) -> str:
        lines = [list(self.heads), *([cell[:_WIDEST] for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        sides = ["<"] * self.words + [">"] * (len(self.heads) - self.words)
        text = [
            "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True))
            for line in lines
        ]
        return "\n".join(line.rstrip() for line in [*filter(None, [self.caption]), *text])

    def narrow(self) -> ShortTable:
        """Join the columns of words into one."""
        count = self.words
        heads, *rows = (
            [", ".join(filter(None, row[:count])), *row[count:]] for row in (self.heads, *self.rows)
        )
        return ShortTable(self.caption, heads, rows)


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of a result that make a table.

    Attributes:
        title: its name in a report and of its sheet in a workbook.
        frame: all rows and columns, in order.
        keys: columns that name a row.
        numbers: columns of numbers shown.
        shown: largest number of rows shown; a workbook has all.
        heads: titles of the numbers; by default those of their columns.
        total: last row by column, if there is one.
        total_name: name of the last row.
        of: column of results that all numbers are of, where they are those of several runs.
        unit: unit of amounts; by default the one that fits the largest.
    """

    title: str
    frame: pl.DataFrame
    keys: Sequence[str]
    numbers: Sequence[str]
    shown: int = 15
    heads: Sequence[str] = ()
    total: Mapping[str, object] = field(default_factory=dict)
    total_name: str = "total"
    of: str = ""
    unit: MoneyUnit | None = None

    def exact(self) -> ShortTable:
        """Write the rows with codes and two decimals, and the number of those left out."""
        amounts = [name for name in self.numbers if not is_fraction(name)]
        unit = self.unit or unit_for([value for name in amounts for value in self.frame[name]])
        blank, left_out = [""] * (len(self.keys) - 1), self.frame.height - self.shown
        rows = [
            [*labels(row, self.keys), *(number_cell(name, row[name], unit) for name in self.numbers)]
            for row in self._rows()
        ]
        if left_out > 0:
            rows.append([f"and {left_out:,} more", *blank, *[""] * len(self.numbers)])
        if self.total and self.keys:
            ends = [number_cell(name, self.total.get(name), unit) for name in self.numbers]
            rows.append([self.total_name, *blank, *ends])
        caption = "; ".join(filter(None, [self.title, unit.name, "rates in percent"]))
        heads = [*map(_spaced, self.keys), *(self.heads or map(title_of, self.numbers))]
        return ShortTable(caption, heads, rows, len(self.keys))

    def short(self) -> ShortTable:
        """Write the rows by name in one column and numbers with three digits; the total says how many are left out."""
        shown, ends = self._rows(), [self.total] if self.total else []
        shares = {name: is_fraction(self.of or name) for name in self.numbers}
        amounts = [row.get(name) for row in (*shown, *ends) for name in self.numbers if not shares[name]]
        unit = MoneyUnit(PERCENT, 2, "percent") if amounts == [] else self.unit or short_unit(amounts)
        left_out = self.frame.height - self.shown
        more = [f"{self.total_name}, with {left_out:,} more" if left_out > 0 else self.total_name] * len(ends)
        rows = [
            [name, *(three(row.get(one), PERCENT if shares[one] else unit.dollars) for one in self.numbers)]
            for name, row in zip([*map(self._name, shown), *more], (*shown, *ends), strict=True)
        ]
        heads = self.heads or [title_of(one) + (", %" if shares[one] else "") for one in self.numbers]
        caption = ", ".join(filter(None, [self.title, unit.name]))
        if left_out > 0 and not ends:
            caption += f"; {left_out:,} smaller ones are left out"
        return ShortTable(caption, [", ".join(map(title_of, self.keys)), *heads], rows)

    def _rows(self) -> list[dict[str, object]]:
        return self.frame.head(self.shown).to_dicts()

    def _name(self, row: Mapping[str, object]) -> str:
        values = {key: row[key] for key in self.keys}
        names = {key: "-" if one is None else label_of(key, str(one)) for key, one in values.items()}
        authority = names.pop(_AUTHORITY) if len(names) > 1 and _AUTHORITY in names else ""
        return ": ".join(filter(None, [authority, ", ".join(names.values())]))


def _spaced(key: str) -> str:
    return key.replace("_", " ")
