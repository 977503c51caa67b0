"""`--both` of `tariffs impact` and `tariffs timeline`: imports and exports under the same scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.markup import escape

from tariffs.client._wire.frames import write_table
from tariffs.client.cli import outputs
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.client import Client
from tariffs.client.results.both_sides import TITLES, BothSides, Side
from tariffs.client.results.columns import text_rows, title_of
from tariffs.client.results.impact import ImpactResult, TimelineResult


def write_both(
    client: Client, result: BothSides[Side], output: Path | None, lines: Path | None, refused: Path
) -> None:
    """Write both sides to files: one report or workbook, or a file a side with its name at the end of the stem.

    Args:
        client: looks up the law behind a report.
        result: both sides.
        output: file of results; rows of groups or segments as .parquet or .csv are a file a side.
        lines: file of lines, a file a side.
        refused: file of refused rows, a file a side that has any.
    """
    if output is not None and output.suffix.lower() == ".xlsx":
        result.to_excel(output)
    elif output is not None and output.suffix.lower() == ".html":
        write_both_report(client, result, output)
    for side, one in result.sides.items():
        if output is not None and output.suffix.lower() not in {".xlsx", ".html"}:
            outputs.write_result(client, one, _rows(one), _of_side(output, side))
        if lines is not None and isinstance(one, ImpactResult) and one.lines is not None:
            write_table(one.lines, _of_side(lines, side), one.provenance)
        outputs.write_refused(one.refused, _of_side(refused, side), one.provenance)


def write_both_report(client: Client, result: BothSides[Side], path: Path) -> None:
    """Write one report of both sides; the client looks up the law behind it."""
    texts = {side: outputs.legal_text(client, one) for side, one in result.sides.items()}
    result.report(path, law={side: text for side, text in texts.items() if text is not None})


def print_both(result: BothSides[Side], kind: str, show: Callable[[Side], None], *, as_json: bool) -> int:
    """Print both sides, each by `show`; the exit code is 1 if rows were refused on one."""
    if as_json:
        outputs.print_document(f"{kind}-both", result.to_json_dict())
        return 1 if result.refused_rows else 0
    _print_summary(result)
    for side, one in result.sides.items():
        console().print(f"\n[bold]{escape(TITLES[side])}[/bold]")
        show(one)
    return 1 if result.refused_rows else 0


def _of_side(path: Path, side: str) -> Path:
    return path.with_stem(f"{path.stem}-{side}")


def _rows(result: ImpactResult | TimelineResult) -> Any:
    return result.groups if isinstance(result, ImpactResult) else result.segments


def _print_summary(result: BothSides[Side]) -> None:
    section = result.sections[0]
    units, rows = text_rows(section.frame, section.keys, section.numbers, section.frame.height)
    console().print(text_table([*section.keys, *right(*map(title_of, section.numbers))], rows, units))
