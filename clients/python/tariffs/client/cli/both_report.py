"""`--both` of `tariffs impact` and `tariffs timeline`: imports and exports under the same scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape

from tariffs.client._wire.frames import write_table
from tariffs.client.cli import outputs
from tariffs.client.cli.render.impact import print_impact, print_timeline
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.amounts import percent, unit_for
from tariffs.client.results.both_sides import BothSides
from tariffs.client.results.impact import ImpactResult, TimelineResult

_TITLES = {
    "customs_value": "customs value",
    "duty": "duty",
    "effective_rate": "rate",
    "landed_change": "landed change",
    "value_after": "value after",
    "duty_after": "duty after",
    "duty_vs": "duty vs first",
}


def side_options(options: Mapping[str, Any], by: list[str] | None) -> dict[str, Any]:
    """Options of a run over both sides from those of one; `by` groups both sides where it is given.

    Raises:
        InvalidRequest: REQUEST_INVALID with `--direction export`.
    """
    if options["direction"] != "import":
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--both computes imports and exports; it takes no --direction.",
            field="--direction",
            fix="Leave out --direction, or --both.",
        )
    chosen = {name: value for name, value in options.items() if name not in {"direction", "by"}}
    return chosen | ({"by": by, "exports_by": by} if by else {})


def report_both(result: BothSides, kind: str, output: Path | None, *, as_json: bool, brief: bool) -> int:
    """Write and print both sides; the exit code is 1 if rows were refused on one."""
    if output is not None:
        for side, one in (("imports", result.imports), ("exports", result.exports)):
            write_table(_rows(one), output.with_stem(f"{output.stem}-{side}"), one.provenance)
    if as_json:
        outputs.print_document(f"{kind}-both", result.to_json_dict())
    else:
        _print_summary(result)
        _print_side("imports into the United States", result.imports, brief=brief)
        _print_side(
            "exports of the United States, duty of the countries they go to", result.exports, brief=brief
        )
    return 1 if result.refused_rows else 0


def _rows(result: ImpactResult | TimelineResult) -> Any:
    return result.groups if isinstance(result, ImpactResult) else result.segments


def _print_summary(result: BothSides) -> None:
    summary = result.summary
    keys = [name for name in summary.columns if name not in _TITLES]
    numbers = [name for name in summary.columns if name in _TITLES]
    unit = unit_for([value for name in numbers if name != "effective_rate" for value in summary[name]])
    rows = [
        [
            *(str(row[name]) for name in keys),
            *(percent(row[name]) if name == "effective_rate" else unit.cell(row[name]) for name in numbers),
        ]
        for row in summary.to_dicts()
    ]
    units = f"{unit.name}; rates in percent"
    console().print(text_table([*keys, *right(*(_TITLES[name] for name in numbers))], rows, units))


def _print_side(title: str, result: ImpactResult | TimelineResult, *, brief: bool) -> None:
    console().print(f"\n[bold]{escape(title)}[/bold]")
    if isinstance(result, ImpactResult):
        print_impact(result, brief=brief)
    else:
        print_timeline(result, brief=brief)
