"""`tariffs timeline`: effect of scenarios on a trade table over a period."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from tariffs.client.cli import options, outputs, runs, table_options
from tariffs.client.cli.both_report import print_both, write_both
from tariffs.client.cli.commands import of_both_sides, with_run_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.impact import print_timeline
from tariffs.client.cli.render.side_by_side import print_answer

EXAMPLES = examples(
    "tariffs timeline -s base -s forced-labor-20-on-china --start 2026-11-01 --end 2027-12-31 --response none",
    "tariffs timeline -s base -s rates-by-country --param cn=30% --start 2026-11-01 --end 2027-12-31",
)


@with_run_options("timeline")
def timeline(
    start: Annotated[str, typer.Option("--start", metavar="DAY", help="First day.")],
    end: Annotated[str, typer.Option("--end", metavar="DAY", help="Last day.")],
    table: options.TradeTable = None,
    scenario: options.Scenarios = None,
    both: options.Both = False,
    exports: options.ExportTable = None,
    mapping: table_options.Mapping = "",
    sheet: table_options.Sheet = "",
    header_row: table_options.HeaderRow = 0,
    output: options.Output = None,
    wide: options.Wide = False,
    brief: options.Brief = False,
    as_json: options.Json = False,
    cluster: options.Cluster = "",
    detach: options.Detach = False,
    target: options.Target = None,
    local: options.Local = False,
    **run: Any,
) -> int:
    """Compute the effect of scenarios on a trade table for every day of a period.

    Days with the same duties form a segment. The exit code is 1 if rows were refused.
    """
    if output is not None:
        options.result_file(output)
    options.refuse_cluster(cluster, "--detach", detach)
    options.refuse_cluster(cluster, "--both", both)
    show = partial(print_timeline if wide else print_answer, brief=brief)
    with options.connected(target, local, run.pop("law_version")) as client:
        goods = table and table_options.source(table, mapping, sheet, header_row)
        scenarios = scenario or ["base"]
        if both:
            runs.refuse_detached(detach)
            second = exports and table_options.source(exports)
            sides = client.timeline_both(goods, scenarios, start=start, end=end, **of_both_sides(run, second))
            write_both(client, sides, output, None, outputs.refused_path(table))
            return print_both(sides, "timeline", show, as_json=as_json)
        options.refuse_exports(exports)
        if detach:
            runs.refuse_files((output,))
            runs.print_started(client.start(goods, scenarios, period=(start, end), **run).name, as_json)
            return 0
        result = client.timeline(
            goods, scenarios, start=start, end=end, **run, cluster=cluster, progress=True
        )
    if output is not None:
        outputs.write_result(client, result, result.segments, output)
    if as_json:
        outputs.print_document("timeline", result.to_json_dict())
    else:
        show(result)
    return 1 if result.refused.height else 0
