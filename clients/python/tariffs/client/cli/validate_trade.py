"""`tariffs validate trade`: forecasts of imports of 2025 beside what was imported, and beside simpler forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client.cli import options
from tariffs.client.cli.commands import Output, UnderLaw
from tariffs.client.cli.render.results import print_table
from tariffs.client.cli.render.table import console
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.hindcast import CUTS, Hindcast
from tariffs.client.results.view import Passage

_WRONG_SIGN = 1
_SUFFIXES = {".svg", ".png"}
KnownOn = Annotated[
    str,
    typer.Option(
        "--known-on", metavar="DAY", help="The law frozen on this day alone; `entry`: as acts were published."
    ),
]
Chart = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="Draw forecast and outcome of the first board to this .svg or .png file."
    ),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the tables of docs/hindcast.md.")]


def trade(
    client: UnderLaw,
    known_on: KnownOn = "",
    output: Chart = None,
    report: options.Report = None,
    markdown: Markdown = False,
) -> Output:
    """Compare forecasts of imports by partner, industry and month of 2025 with what was imported.

    The law known on a day and imports of 2024 go in; no change, one elasticity and trend are beside it. The exit code
    is 1 if imports did not fall more where the forecast falls more.
    """
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise InvalidRequest(
            "REQUEST_INVALID", f"Cannot draw {output}.", field="--output", fix="Name a .svg or .png file."
        )
    if report is not None:
        options.report_file(report)
    found = client.hindcast(known_on)
    if output is not None:
        found.chart().save(str(output))
    if report is not None:
        found.report(report)

    def show() -> None:
        if markdown:
            print("\n".join(_markdown(found)))
        else:
            _show(found)

    return Output(found.to_json_dict(), show, _WRONG_SIGN if found.wrong_signs else 0)


def _show(found: Hindcast) -> None:
    out, view = console(), found.to_view()
    for part in (*found.score_tables(), *found.partner_tables()):
        out.print(f"\n{part.title}", markup=False)
        print_table(part.tables[0])
    for text in view.answer:
        out.print(text, markup=False)


def _markdown(found: Hindcast) -> Iterator[str]:
    """Write the scores of every board and window, and partners of the first, as Markdown."""
    for part in found.score_tables(tuple(CUTS)):
        yield from (f"### {part.title}", "", *_rows(part), "")
    yield from _rows(next(found.partner_tables()))


def _rows(part: Passage) -> Iterator[str]:
    (table,) = part.tables
    for place, row in enumerate([table.heads, *table.rows]):
        yield f"| {' | '.join(row)} |"
        if place == 0:
            yield "|---" * len(row) + "|"
