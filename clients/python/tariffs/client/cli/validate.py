"""`tariffs validate`: the engine's answers beside published ones. It runs in this process."""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table

from tariffs.client._progress import reporting
from tariffs.client.cli import options, render
from tariffs.client.errors import extra_missing

app = typer.Typer(help="Answers of the engine beside published figures.", no_args_is_help=True)
_UNEXPLAINED = 1


@app.command("economics", epilog="[bold]Example[/bold]\n\n  tariffs validate economics --json")
def economics(as_json: options.Json = False) -> int:
    """Effective rates and trade after the response beside those of Yale, CBO, WTO and others.

    Every figure is run on US imports of 2024 under the law of its day. One outside its tolerance has its reason; one
    without makes the exit code 1.
    """
    with reporting(True) as report:
        found = _engine().reproduce(progress=report)
    rows = [_row(one) for one in found.rows]
    if as_json:
        print(json.dumps({"rows": rows, "provenance": dict(found.provenance)}))
    else:
        _show(rows)
    return _UNEXPLAINED if any(not row["within"] and not row["reason"] for row in rows) else 0


def _engine() -> Any:
    try:
        # By name at run time: the client does not depend on the engine, only this command does.
        return importlib.import_module("tariffs.engine.reproduction")
    except ModuleNotFoundError as error:
        raise extra_missing("server", error.name) from error


def _row(one: Any) -> dict[str, Any]:
    figure = asdict(one.published)
    ours = {name: getattr(one, name) for name in ("ours", "low", "high", "difference", "within")}
    return figure | {"origins": list(one.published.origins), "switches": dict(one.published.switches)} | ours


def _show(rows: list[dict[str, Any]]) -> None:
    out = render.console()
    table = Table(box=None, pad_edge=False)
    for title in ("row", "episode", "figure"):
        table.add_column(title)
    for title in ("published", "ours", "low", "high", "difference", "tolerance"):
        table.add_column(title, justify="right")
    table.add_column("")
    reasons: dict[str, int] = {}
    for row in rows:
        mark = "ok" if row["within"] else f"[{reasons.setdefault(row['reason'], len(reasons) + 1)}]"
        numbers = ("published", "ours", "low", "high", "difference", "tolerance")
        table.add_row(row["row"], row["episode"], _label(row), *(f"{row[n] * 100:.1f}" for n in numbers), mark)
    table.caption = "percent, or points; low and high are the parameter sets"
    table.caption_justify = "left"
    out.print(table)
    for reason, number in reasons.items():
        out.print(f"[{number}] {reason or 'not explained'}", markup=False)


def _label(row: dict[str, Any]) -> str:
    about = [*row["origins"], *(f"{name}={value}" for name, value in row["switches"].items())]
    return " ".join([row["figure"].replace("_", " "), *about])
