"""Tables of a result, as notebooks, reports and workbooks show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tariffs.client.results import html


@dataclass(frozen=True, slots=True)
class Section:
    """Table of a result.

    Attributes:
        title: its name in a report and of its sheet in a workbook.
        frame: all rows and columns.
        keys: columns shown as text.
        numbers: columns of numbers shown.
        shown: largest number of rows shown; a workbook has all.
    """

    title: str
    frame: pl.DataFrame
    keys: Sequence[str]
    numbers: Sequence[str]
    shown: int = 15

    def to_html(self) -> str:
        """Write the rows that are shown as an HTML table."""
        return html.frame_table(self.frame, self.keys, self.numbers, shown=self.shown, caption=self.title)
