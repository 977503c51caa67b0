"""`tariffs validate soybeans`: soybeans shipped to China in 2025 by the model and as observed, by month."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from tariffs.client._wire.progress import reporting
from tariffs.client.cli import options
from tariffs.client.cli.commands import Output
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.errors import InvalidRequest, module_of
from tariffs.client.results.amounts import percent
from tariffs.client.results.shipments import months_chart

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = ("2024", "price", "duty 2025", "model 2025", "observed 2025")
_TONS = 1e6
_SUFFIXES = {".svg", ".png"}
Chart = Annotated[
    Path | None, typer.Option("--output", "-o", help="Draw model and observation to this .svg or .png file.")
]


def soybeans(horizon: options.Horizon = "short", output: Chart = None) -> Output:
    """Compare shipments of soybeans to China in 2025 by the model with those reported, by month and exporter.

    The model has the months of 2024 under the duties of 2025; what it leaves out is printed below.
    """
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise InvalidRequest(
            "REQUEST_INVALID", f"Cannot draw {output}.", field="--output", fix="Name a .svg or .png file."
        )
    with reporting(True) as report:
        compare = module_of("server", "tariffs.engine.validation.soybeans").compare_soybeans
        answer: dict[str, Any] = compare(horizon=horizon, progress=report).to_dict()
    if output is not None:
        months_chart(pl.DataFrame(answer["rows"], infer_schema_length=None)).save(str(output))
    return Output(answer, lambda: _show(answer))


def _show(answer: dict[str, Any]) -> None:
    out = console()
    rows = [
        [
            row["origin"],
            _span(row),
            _number(row["before"], _TONS, 2),
            _number(row["price"], 1, 0),
            percent(row["rate"]),
            _number(row["model"], _TONS, 2),
            _number(row["observed"], _TONS, 2),
        ]
        for row in sorted(answer["rows"], key=lambda row: (row["origin"] != "US", row["origin"]))
    ]
    caption = (
        "million tons shipped to China; price in dollars a ton at the port of export in 2024; duty in percent"
    )
    out.print(text_table(["origin", "months", *right(*_NUMBERS)], rows, caption))
    out.print("\nThe model leaves out:", markup=False)
    for one in answer["left_out"]:
        out.print(f"- {_span(one)}: {one['text']}", markup=False)


def _number(value: float | None, unit: float, digits: int) -> str:
    return "-" if value is None else f"{value / unit:,.{digits}f}"


def _span(row: dict[str, Any]) -> str:
    first, last = _MONTHS[row["first"] - 1], _MONTHS[row["last"] - 1]
    return first if first == last else f"{first}-{last}"
