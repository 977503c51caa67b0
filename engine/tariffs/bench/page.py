"""Write the results of a bench into a page: a table between two marks, and a plot beside the page."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tariffs.engine.errors import InputError

_MARKED = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)
_TITLES = ("row", "beside", "measured", "target", "met", "spread", "runs", "ms", "ms of the rival")
_BAR, _LEFT, _WIDTH = 22, 390, 320
_DECADES = 1.5
"""Powers of ten that the plot shows on each side of the target."""
Rows = Sequence[Mapping[str, Any]]


def write_page(path: Path, report: Mapping[str, Any]) -> None:
    """Replace the part between the marks of a page, and write the plot as `<page>.svg` beside it.

    Args:
        report: the document of `tariffs bench --json`.

    Raises:
        InputError: as `read_page`.
    """
    text = read_page(path)
    plot = path.with_suffix(".svg")
    lines = [*page_lines(report), "", f"![Measured over target, by row]({plot.name})", ""]
    made = "\n".join(lines)
    path.write_text(_MARKED.sub(lambda found: f"{found[1]}{made}{found[2]}", text), encoding="utf-8")
    plot.write_text(plot_of(report["rows"]), encoding="utf-8")


def read_page(path: Path) -> str:
    """Read a page that has the two marks.

    Raises:
        InputError: REQUEST_INVALID if the page has no marks.
    """
    text = path.read_text(encoding="utf-8")
    if not _MARKED.search(text):
        raise InputError(
            "REQUEST_INVALID",
            f"{path.name} has no marks `<!-- bench -->` and `<!-- /bench -->`.",
            field="markdown",
            fix="Name docs/speed.md, or put the two marks on lines of their own.",
        )
    return text


def page_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the machine and the rows as Markdown."""
    yield ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in report["machine"].items()) + "."
    yield ""
    yield f"| {' | '.join(_TITLES)} |"
    yield "|---" * len(_TITLES) + "|"
    for row in report["rows"]:
        yield f"| {' | '.join(cells_of(row))} |"
    if report["skipped"]:
        yield ""
        yield (
            "Not measured: "
            + "; ".join(f"{one['name']} ({one['reason']})" for one in report["skipped"])
            + "."
        )


def cells_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Write a row as the cells of a table, in the order of the page."""
    # A cancelled row is a lower bound.
    measured = f"{'> ' if row['stopped'] else ''}{row['measured']:.3g}"
    return (
        row["title"],
        row["rival"] or "-",
        measured,
        row["target_text"],
        "yes" if row["met"] else "no",
        f"{row['spread']:.0%}",
        str(row["runs"]),
        _number(row["milliseconds"]),
        _number(row["rival_milliseconds"]),
    )


def plot_of(rows: Rows) -> str:
    """Draw each row's measured ratio over its target as a bar on a scale of powers of ten, as SVG.

    A bar to the left of the middle line is a target met.
    """
    shown = [row for row in rows if row["part_of_target"]]
    height = _BAR * (len(shown) + 2)
    middle = _LEFT + _WIDTH / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 60}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for place, row in enumerate(shown):
        power = max(-_DECADES, min(_DECADES, math.log10(row["part_of_target"])))
        length = abs(power) / _DECADES * _WIDTH / 2
        left, top = middle - (length if power < 0 else 0), _BAR * place + 6
        name = escape(f"{row['title']} ({row['name']})" if len(row["title"]) < 40 else row["title"])
        parts += [
            f'<text x="{_LEFT - 8}" y="{top + 12}" text-anchor="end">{name}</text>',
            f'<rect x="{left:.1f}" y="{top}" width="{length:.1f}" height="{_BAR - 8}" '
            f'fill="{"#2a7" if row["met"] else "#c43"}"/>',
            f'<text x="{_LEFT + _WIDTH + 6}" y="{top + 12}">{row["part_of_target"]:.2g}</text>',
        ]
    bottom = _BAR * len(shown) + 4
    parts += [
        f'<line x1="{middle}" y1="0" x2="{middle}" y2="{bottom}" stroke="black"/>',
        f'<text x="{middle}" y="{bottom + 18}" text-anchor="middle">'
        "measured over target; left of the line is met</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3g}" if value < 1_000 else f"{value:,.0f}"
