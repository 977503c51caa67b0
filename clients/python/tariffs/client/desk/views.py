"""Show the view of a result as an answer, with its chart, downloads, tables and assumptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from tariffs.client._wire.csv_text import for_people
from tariffs.client.desk.page import Block, Download, Parts, answer, block
from tariffs.client.results.view import View

REPORT = Download("Report", "text/html", "html", lambda found: found.report().encode())


def csv_file(words: str, rows: Callable[[Any], pl.DataFrame]) -> Download:
    """Describe the rows of an answer as a file for people, with nothing that a spreadsheet computes."""
    return Download(words, "text/csv", "csv", lambda found: for_people(rows(found)).write_csv().encode())


def shown(
    view: View,
    *drawn: Block,
    goods: str = "",
    refused: int = 0,
    behind: Block | None = None,
) -> Parts:
    """Show a view of the goods, with drawings before its tables, a block behind them, and the count of refused rows."""
    left_out = f"{refused:,} rows were refused and are not in the figures." if refused else ""
    blocks: tuple[Any, ...] = (
        block("dim", goods and f"Goods: {goods}."),
        block("said", view.answer),
        block("warn", left_out),
        *drawn,
        block("downloads", True),
        block("passages", view),
        *([behind] if behind else []),
        block("assumed", view),
    )
    return answer(view.question, *blocks)
