"""`tariffs impact`: effect of scenarios on a trade table."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.frames import is_partitioned, write_table
from tariffs.client.cli import options, outputs, runs, table_options
from tariffs.client.cli.both_report import print_both, write_both, write_both_report
from tariffs.client.cli.commands import of_both_sides, with_run_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.impact import SHOWN_GROUPS, impact_details, print_impact
from tariffs.client.cli.render.side_by_side import print_answer
from tariffs.client.client import Client
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.answer import SHOWN_ROWS
from tariffs.client.results.impact import ImpactResult

EXAMPLES = examples(
    "tariffs impact -s base -s no-kuala-lumpur-deal --on 2025-12-01",
    "tariffs impact -s base -s ieepa-upheld-truce-lapsed --on 2026-11-20 --draws 64 --report report.html",
    "tariffs impact -s base -s rates-by-country --param cn=20% --param vn=10% --on 2027-01-11 --by hts4",
    "tariffs impact --both -s base -s canada-settles --on 2027-02-01",
    "tariffs impact entries.csv -s base -s mine.yaml --baseline 2025-01-01 --by origin,hts2 -o groups.parquet",
)


@with_run_options("impact")
def impact(
    table: options.TradeTable = None,
    scenario: options.Scenarios = None,
    both: options.Both = False,
    exports: options.ExportTable = None,
    mapping: table_options.Mapping = "",
    sheet: table_options.Sheet = "",
    header_row: table_options.HeaderRow = 0,
    top: Annotated[
        int | None,
        typer.Option(
            "--top", metavar="N", min=1, help="Print the first N groups, by default 10; -o writes all."
        ),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="COLUMN",
            help="Print groups with the largest values of this column first, such as duty, duty_vs or value_vs.",
        ),
    ] = "",
    output: options.Output = None,
    report: options.Report = None,
    lines: Annotated[
        Path | None,
        typer.Option("--lines", help="Write every line of every scenario to this .parquet or .csv file."),
    ] = None,
    refused: options.Refused = None,
    wide: options.Wide = False,
    brief: options.Brief = False,
    as_json: options.Json = False,
    cluster: options.Cluster = "",
    detach: options.Detach = False,
    target: options.Target = None,
    local: options.Local = False,
    **run: Any,
) -> int:
    """Compute the effect of scenarios on a trade table: landed cost and trade volume, by group and in total.

    Rows that cannot be used are written to a file of refused rows, and the exit code is 1.
    """
    if output is not None:
        options.result_file(output)
    if report is not None:
        options.report_file(report)
    is_folder = table is not None and is_partitioned(table_options.located(table))
    for path in filter(None, (None if is_folder else lines, refused)):
        options.writable(path)
    options.refuse_cluster(cluster, "--detach", detach)
    options.refuse_cluster(cluster, "--both", both)
    run["include_lines"] = lines is not None and not is_folder
    with options.connected(target, local, run.pop("law_version")) as client:
        goods = table and table_options.source(table, mapping, sheet, header_row)
        scenarios = scenario or ["base"]
        if both:
            runs.refuse_detached(detach)
            second = exports and table_options.source(exports)
            sides = client.impact_both(goods, scenarios, **of_both_sides(run, second))
            write_both(client, sides, output, lines, refused or outputs.refused_path(table))
            if report is not None:
                write_both_report(client, sides, report)
            show = partial(_show, wide=wide, top=top, sort=sort, brief=brief)
            return print_both(sides, "impact", show, as_json=as_json)
        options.refuse_exports(exports)
        if detach:
            runs.refuse_files((output, report, lines, refused))
            runs.print_started(client.start(goods, scenarios, **run).name, as_json)
            return 0
        lines_to = lines if is_folder else None
        result = client.impact(goods, scenarios, **run, cluster=cluster, lines_to=lines_to, progress=True)
    refused_path = _write(
        client, result, output, None if is_folder else lines, refused or outputs.refused_path(table)
    )
    if report is not None:
        outputs.write_result(client, result, result.groups, report)
    if as_json:
        outputs.print_document("impact", result.to_json_dict(refused_path))
    else:
        _show(result, wide=wide, top=top, sort=sort, brief=brief)
    return 1 if result.refused.height else 0


def _show(result: ImpactResult, *, wide: bool, top: int | None, sort: str, brief: bool) -> None:
    column = _sortable(result, sort)
    if wide:
        print_impact(result, top=top or SHOWN_GROUPS, sort=column, brief=brief)
    else:
        print_answer(result, *impact_details(result), top=top or SHOWN_ROWS, sort=column, brief=brief)


def _sortable(result: ImpactResult, column: str) -> str:
    """Check the column to sort by; raises InvalidRequest REQUEST_INVALID if the groups have no numbers of that name."""
    numbers = [name for name, dtype in result.groups.schema.items() if dtype.is_numeric()]
    if not column or not numbers or column in numbers:
        return column if numbers else ""
    raise InvalidRequest(
        "REQUEST_INVALID",
        f"The groups have no column {column!r} of numbers.",
        field="--sort",
        fix=f"Give one of {', '.join(numbers)}.",
    )


def _write(
    client: Client, result: ImpactResult, output: Path | None, lines: Path | None, refused: Path
) -> str | None:
    if output is not None:
        outputs.write_result(client, result, result.groups, output)
    if lines is not None and result.lines is not None:
        write_table(result.lines, lines, result.provenance)
    return outputs.write_refused(result.refused, refused, result.provenance)
