"""Build HTML of results for notebooks and reports: tables, folded parts and notes, without scripts or network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

from tariffs.client.results.tables import ShortTable

STATE_COLOURS: Mapping[str, str] = {
    "applied": "#0b6e4f",
    "exempt": "#4a5568",
    "displaced": "#8a5a00",
    "suspended": "#0072b2",
    "undetermined": "#8b1e9b",
    "prohibited": "#b00020",
}
"""Colours of the states of a layer; each has a contrast of at least 4.5 to 1 on white."""
STYLE = (
    ".tariffs{font:14px/1.45 system-ui,sans-serif;color:#1a202c;background:#fff;padding:.5em;max-width:75em}"
    ".tariffs table{border-collapse:collapse;margin:.4em 0}.tariffs caption{text-align:left;color:#4a5568}"
    ".tariffs th,.tariffs td{padding:.15em .5em;border:0;border-bottom:1px solid #e2e8f0;text-align:left;"
    "background:#fff;color:inherit}.tariffs th{border-bottom:1px solid #4a5568}"
    ".tariffs .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".tariffs th,.tariffs th.n{white-space:normal;vertical-align:bottom}"
    ".tariffs .s{font-weight:600}.tariffs .dim{color:#4a5568}.tariffs details{margin:.3em 0}"
    ".tariffs summary{cursor:pointer;color:#0072b2}.tariffs .bill{display:flex;height:1.1em;max-width:40em;"
    "margin:.4em 0;print-color-adjust:exact}.tariffs .bill span{border-right:1px solid #fff}"
    ".tariffs .key{display:inline-block;width:.7em;height:.7em;margin-right:.4em;print-color-adjust:exact}"
    ".tariffs ul{margin:.2em 0 .2em 1.2em;padding:0}"
    ".tariffs .k{white-space:nowrap}.tariffs .wide{overflow-x:auto}.tariffs .wide:focus{outline:2px solid #0072b2}"
    ".tariffs svg{max-width:100%;height:auto}"
    ".tariffs pre{background:#f7fafc;padding:.6em;overflow-x:auto}"
)


_ON_ONE_LINE = 32
_WIDE_COLUMNS = 9


class NoteLike(Protocol):
    """Note on a result, as far as it is shown."""

    @property
    def reason(self) -> str:
        """Reason of the catalogue."""

    @property
    def message(self) -> str:
        """Text."""

    @property
    def scenario(self) -> str:
        """Scenario it is about, if any."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Cell of a table: text, what is shown when the pointer rests on it, the colour of a state, and that of a part.

    `key` is the colour of the part of a bar that the cell names; a square of it stands before the text.
    """

    text: str
    hover: str = ""
    colour: str = ""
    key: str = ""


def block(*parts: str) -> str:
    """Wrap parts in one element with its own style."""
    return f'<div class="tariffs"><style>{STYLE}</style>{"".join(parts)}</div>'


def paragraph(text: str, kind: str = "") -> str:
    """Write a paragraph of plain text; `kind` is a class of the style, such as dim."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """Write a short bold line."""
    return f"<p><strong>{escape(text)}</strong></p>"


def table(heads: Sequence[str], numbers: int, rows: Iterable[Sequence[str | Cell]], caption: str = "") -> str:
    """Write a table.

    Args:
        heads: titles of the columns.
        numbers: how many of the last columns hold numbers, aligned to the right.
        rows: cells of each row.
        caption: text above the table, such as the unit of its amounts.
    """
    first = len(heads) - numbers
    titles = "".join(
        f'<th scope="col"{_class(place >= first)}>{escape(head)}</th>' for place, head in enumerate(heads)
    )
    body = "".join(
        "<tr>" + "".join(_cell(cell, place >= first) for place, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    text = f"<table>{above}<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
    return _scrolling(text, caption) if len(heads) >= _WIDE_COLUMNS else text


def _scrolling(text: str, caption: str) -> str:
    """Put a wide table into a region that scrolls by itself, by keyboard too."""
    label = escape(caption or "table")
    return f'<div class="wide" role="region" aria-label="{label}" tabindex="0">{text}</div>'


def folded(summary: str, *parts: str) -> str:
    """Write parts that open on a click; nothing if there are none."""
    body = "".join(parts)
    return f"<details><summary>{escape(summary)}</summary>{body}</details>" if body else ""


def items(texts: Iterable[str]) -> str:
    """Write a list of texts; nothing for no text."""
    lines = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{lines}</ul>" if lines else ""


def code(text: str) -> str:
    """Write text as it is, in letters of one width."""
    return f"<pre>{escape(text)}</pre>"


def merged_notes(notes: Iterable[NoteLike]) -> list[str]:
    """Write each different note once, with the scenarios that have it, if it is not on the whole run."""
    scenarios: dict[tuple[str, str], dict[str, None]] = {}
    for note in notes:
        scenarios.setdefault((note.reason, note.message), {})[note.scenario] = None
    return [
        f"{reason}: {message}" + (f" ({', '.join(names)})" if all(names) else "")
        for (reason, message), names in scenarios.items()
    ]


def folded_notes(notes: Iterable[NoteLike]) -> str:
    """Write the different notes, folded under their number."""
    texts = merged_notes(notes)
    return folded(f"{len(texts)} {'note' if len(texts) == 1 else 'notes'}", items(texts)) if texts else ""


def law_line(provenance: Mapping[str, object]) -> str:
    """Name the law of a result, and say that it is an estimate."""
    read_to = f", read to {provenance['law_read_to']}" if provenance.get("law_read_to") else ""
    version, known_on = provenance.get("law_version"), provenance.get("known_on")
    return f"Law {version}{read_to}, known on {known_on}. A planning estimate, not a ruling."


def short(one: ShortTable) -> str:
    """Write a table of text."""
    return table(one.heads, len(one.heads) - one.words, one.rows, one.caption)


def bill_bar(parts: Sequence[tuple[str, float, str]]) -> str:
    """Draw amounts as one stacked bar.

    Args:
        parts: label, amount and colour of each part; amounts of 0 or less are left out.
    """
    sizes = [part for part in parts if part[1] > 0]
    total = sum(size for _, size, _ in sizes)
    spans = "".join(
        f'<span title="{escape(label)}" style="width:{size / total:.2%};background:{colour}"></span>'
        for label, size, colour in sizes
    )
    words = ", ".join(label for label, _, _ in sizes)
    return f'<div class="bill" role="img" aria-label="{escape(words)}">{spans}</div>' if sizes else ""


def _cell(cell: str | Cell, number: bool) -> str:
    if isinstance(cell, str):
        kind = _class(number) or (' class="k"' if len(cell) <= _ON_ONE_LINE else "")
        return f"<td{kind}>{escape(cell)}</td>"
    hover = f' title="{escape(cell.hover)}"' if cell.hover else ""
    style = f' style="color:{cell.colour}"' if cell.colour else ""
    kind = _class(number) or (' class="s"' if cell.colour else "")
    square = f'<span class="key" style="background:{cell.key}"></span>' if cell.key else ""
    return f"<td{hover}{style}{kind}>{square}{escape(cell.text)}</td>"


def _class(number: bool) -> str:
    return ' class="n"' if number else ""
