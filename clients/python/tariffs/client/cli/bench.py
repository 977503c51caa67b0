"""`tariffs bench`: measure the speed of the engine in this process, as ratios to rivals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.progress import reporting
from tariffs.client.cli import options
from tariffs.client.cli.commands import Output
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.errors import InvalidRequest, module_of

EXAMPLES = options.examples(
    "tariffs bench --quick", "tariffs bench --json", "tariffs bench --row sweep_rates"
)
_BELOW_FLOOR = 1
_TITLES = ("row", "beside")
_NUMBERS = ("measured", "target", "met", "spread", "runs", "ms", "rival ms")


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Measure the short rows in about a minute.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Measure 20 million shipments too; takes several GB of memory.")
    ] = False,
    row: Annotated[
        list[str] | None, typer.Option("--row", metavar="NAME", help="Measure this row; may be repeated.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Exit with 1 if a row reaches neither half of its target nor its floor."
        ),
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option(
            "--page", metavar="FILE", help="Write table and plot into a page such as docs/speed.md."
        ),
    ] = None,
) -> Output:
    """Measure the speed of the engine as ratios to Polars, DuckDB, NumPy and ready rates, in one run.

    Every rival first has to give the result of the engine. A ratio is the time of the engine over that of the rival,
    the median of interleaved rounds; milliseconds are shown beside it and depend on the machine.
    """
    if quick and full:
        raise InvalidRequest(
            "REQUEST_INVALID", "--quick and --full cannot be combined.", fix="Give one of them."
        )
    size = "quick" if quick else "full" if full else "standard"
    report_module, pages = (module_of("server", f"tariffs.bench.{name}") for name in ("report", "page"))
    if page:
        pages.read_page(page)  # a page that cannot be written must not cost the caller the results
    with reporting(True) as progress:
        report = report_module.run_bench(size, row or (), progress=progress)
    document: dict[str, Any] = report.to_dict()
    if page:
        pages.write_page(page, document)
    failed = report.failed if strict else ()
    if failed:
        typer.echo(f"Below half of the target and below the floor: {', '.join(failed)}.", err=True)
    return Output(document, lambda: _show(document, pages.cells_of), _BELOW_FLOOR if failed else 0)


def _show(document: dict[str, Any], cells_of: Any) -> None:
    out, machine = console(), document["machine"]
    caption = f"{machine['processor']}, {machine['cores']} cores, load average {machine['load_average']}"
    out.print(text_table([*_TITLES, *right(*_NUMBERS)], (cells_of(row) for row in document["rows"]), caption))
    for one in document["skipped"]:
        fix = f" ({one['fix']})" if one["fix"] else ""
        out.print(f"not measured: {one['name']}: {one['reason']}{fix}", markup=False)
