"""Write results as short plain text, for `print` and the prompt of Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from tariffs.client.results.columns import text_rows, title_of

_WIDEST = 60


def grid(heads: Sequence[str], numbers: int, rows: Iterable[Sequence[str]]) -> str:
    """Align rows of texts under their heads; the last `numbers` columns are aligned to the right."""
    lines = [list(heads), *([cell[:_WIDEST] for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    first = len(heads) - numbers
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place >= first else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def frame_grid(frame: pl.DataFrame, keys: Sequence[str], numbers: Sequence[str], shown: int) -> str:
    """Align the first rows of a frame: amounts in one unit, fractions in percent; says the unit in the first line."""
    unit, rows = text_rows(frame, keys, numbers, shown)
    text = grid([*keys, *map(title_of, numbers)], len(numbers), rows)
    left_out = frame.height - shown
    more = f"\nand {left_out:,} more rows" if left_out > 0 else ""
    return f"{unit}\n{text}{more}"
