"""`tariffs validate trade`: forecasts of imports of 2025 beside what was imported, and beside simpler forecasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.progress import reporting
from tariffs.client.cli.commands import Output
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.errors import InvalidRequest, module_of
from tariffs.client.results.hindcast import CUTS, hindcast_chart

_WRONG_SIGN = 1
_SUFFIXES = {".svg", ".png"}
_SCORES = ("error", "growth", "realised", "slope", "with Jan-Feb", "rank", "coverage")
_PARTNERS = {"forecast": "forecast", "with trend": "with_trend", "realised": "realised"}
_SHOWN = ("all", "most")
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


def trade(known_on: KnownOn = "", output: Chart = None, markdown: Markdown = False) -> Output:
    """Compare forecasts of imports by partner, industry and month of 2025 with what was imported.

    The law known on a day and imports of 2024 go in; no change, one elasticity and trend are beside it. The exit code
    is 1 if imports did not fall more where the forecast falls more.
    """
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise InvalidRequest(
            "REQUEST_INVALID", f"Cannot draw {output}.", field="--output", fix="Name a .svg or .png file."
        )
    compare = module_of("server", "tariffs.engine.validation.hindcast").compare_trade
    with reporting(True) as report:
        answer: dict[str, Any] = compare(known_on=known_on, progress=report).to_dict()
    if output is not None:
        hindcast_chart(answer).save(str(output))

    def show() -> None:
        if markdown:
            print("\n".join(markdown_tables(answer)))
        else:
            _show(answer)

    return Output(answer, show, _WRONG_SIGN if answer["wrong_signs"] else 0)


def _show(answer: Mapping[str, Any]) -> None:
    out = console()
    for board in answer["boards"]:
        for first, last in board["windows"]:
            rows = [row for row in _of(answer["scores"], board, first, last) if row["cut"] in _SHOWN]
            caption = (
                f"{board['title']}; {first} to {last} over the year before. Error of partners in points, growth in "
                "percent, slopes with standard errors, coverage of p5 to p95 in percent."
            )
            cells = ((CUTS[row["cut"]], row["forecast"], *_numbers(row)) for row in rows)
            out.print(text_table(["goods", "forecast", *right(*_SCORES)], cells, caption))
        stated = board["stated"]
        for first, last in [*board["windows"][:1], *([stated] if stated else [])]:
            rows = [row for row in _of(answer["partners"], board, first, last) if row["cut"] == "most"]
            caption = f"{board['title']}; {CUTS['most']}, {first} to {last}, percent over the year before"
            out.print(text_table(["origin", *right(*_PARTNERS)], map(_partner, rows), caption))
    for one in answer["wrong_signs"]:
        out.print(f"Wrong sign: {one}", markup=False)
    frozen = answer["frozen"]
    state = "unchanged since" if frozen["unchanged"] else "CHANGED after"
    out.print(f"Parameters frozen on {frozen['on']}: {state}. See docs/hindcast.md.", markup=False)


def _of(rows: Sequence[Mapping[str, Any]], board: Mapping[str, Any], *span: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if (row["board"], row["first"], row["last"]) == (board["id"], *span)]


def _numbers(row: Mapping[str, Any]) -> list[str]:
    slope = _number(row["slope"], 1, 2)
    return [
        _number(row["error"], 1, 1),
        _number(row["total"], 100, 1),
        _number(row["realised_total"], 100, 1),
        slope if slope == "-" else f"{slope} ({row['slope_error']:.2f})",
        _number(row["controlled"], 1, 2),
        _number(row["rank"], 1, 2),
        _number(row["coverage"], 100, 0),
    ]


def _partner(row: Mapping[str, Any]) -> list[str]:
    return [row["origin"] or "all", *(_number(row[name], 100, 1) for name in _PARTNERS.values())]


def _number(value: float | None, unit: float, digits: int) -> str:
    return "-" if value is None else f"{value * unit:.{digits}f}"


def markdown_tables(answer: Mapping[str, Any]) -> Iterator[str]:
    """Write the scores of every board and window, and partners of the first, as Markdown."""
    for board in answer["boards"]:
        for first, last in board["windows"]:
            yield from (f"### {board['title'].capitalize()}: {first} to {last}", "")
            yield f"| goods | forecast | {' | '.join(_SCORES)} |"
            yield "|---" * (2 + len(_SCORES)) + "|"
            for row in _of(answer["scores"], board, first, last):
                yield f"| {CUTS[row['cut']]} | {' | '.join([row['forecast'], *_numbers(row)])} |"
            yield ""
    board = answer["boards"][0]
    for first, last in board["windows"][:1]:
        yield f"| partner | {' | '.join(_PARTNERS)} |"
        yield "|---" * (1 + len(_PARTNERS)) + "|"
        for row in _of(answer["partners"], board, first, last):
            if row["cut"] == "most":
                yield f"| {' | '.join(_partner(row))} |"
