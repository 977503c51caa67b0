"""`tariffs impact`: effect of scenarios on a trade table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.frames import is_partitioned
from tariffs.client.cli import options, table_options
from tariffs.client.cli.commands import Output, UnderLaw
from tariffs.client.cli.options import examples
from tariffs.client.cli.run_command import Asked, both_sides, check_sides, started, with_run_options

EXAMPLES = examples(
    "tariffs impact -s base -s no-kuala-lumpur-deal --on 2025-12-01",
    "tariffs impact -s base -s ieepa-upheld-truce-lapsed --on 2026-11-20 --draws 64 --report report.html",
    "tariffs impact -s base -s rates-by-country --param cn=20% --param vn=10% --on 2027-01-11 --by hts4",
    "tariffs impact --both -s base -s canada-settles --on 2027-02-01",
    "tariffs impact entries.csv -s base -s mine.yaml --baseline 2025-01-01 --by origin,hts2 -o groups.parquet",
)


@with_run_options("impact")
def impact(
    client: UnderLaw,
    asked: Asked,
    scenario: options.Scenarios = None,
    both: options.Both = False,
    exports: options.ExportTable = None,
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="COLUMN",
            help="Print groups with the largest values of this column first, such as duty, duty_vs or value_vs.",
        ),
    ] = "",
    lines: Annotated[
        Path | None,
        typer.Option("--lines", help="Write every line of every scenario to this .parquet or .csv file."),
    ] = None,
    cluster: options.Cluster = "",
    detach: options.Detach = False,
    **run: Any,
) -> Output:
    """Compute the effect of scenarios on a trade table: landed cost and trade volume, by group and in total.

    Rows that cannot be used are written to a file of refused rows, and the exit code is 1.
    """
    is_folder = asked.table is not None and is_partitioned(table_options.located(asked.table))
    if lines is not None and not is_folder:
        options.writable(lines)
    asked.check_detached(detach, cluster, lines)
    check_sides(both, exports, cluster, detach)
    run["include_lines"] = lines is not None and not is_folder
    goods, scenarios = asked.goods(), scenario or ["base"]
    if both:
        sides = both_sides(client.impact, goods, scenarios, exports, run)
        return asked.both(client, "impact", sides, lines=lines, sort=sort)
    if detach:
        return started(client.start(goods, scenarios, **run))
    lines_to = lines if is_folder else None
    result = client.impact(goods, scenarios, **run, cluster=cluster, lines_to=lines_to, progress=True)
    return asked.answer(
        client, "impact", result, result.groups, sort=sort, lines=None if is_folder else lines
    )
