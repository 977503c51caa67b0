"""`tariffs timeline`: effect of scenarios on a trade table over a period."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from tariffs.client.cli import options, outputs, runs, table_options
from tariffs.client.cli.both_report import print_both, side_options, write_both
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.impact import print_timeline

EXAMPLES = examples(
    "tariffs timeline -s base -s truce-extended --start 2026-11-01 --end 2027-12-31 --response none",
    "tariffs timeline -s rates-by-country --param cn=30% --param start=2027-03-01 --start 2027-01-01 --end 2027-12-31",
    "tariffs timeline -s base --start 2025-01-01 --end 2026-12-31 --by authority --known-on entry -o days.parquet",
)


def timeline(
    start: Annotated[str, typer.Option("--start", metavar="DAY", help="First day.")],
    end: Annotated[str, typer.Option("--end", metavar="DAY", help="Last day.")],
    table: options.TradeTable = None,
    scenario: options.Scenarios = None,
    param: options.Param = None,
    baseline: options.Baseline = None,
    response: options.Response = "armington",
    horizon: options.Horizon = "path",
    ahead: options.Ahead = None,
    market: options.Market = "product",
    fx_offset: options.FxOffset = 0.0,
    parameter_set: options.ParameterSet = None,
    by: options.GroupBy = None,
    direction: options.Direction = "import",
    to: options.To = "",
    both: options.Both = False,
    exports: options.ExportTable = None,
    mapping: table_options.Mapping = "",
    sheet: table_options.Sheet = "",
    header_row: table_options.HeaderRow = 0,
    date_format: options.DateFormat = "",
    cluster: options.Cluster = "",
    known_on: options.KnownOn = None,
    claims: options.Claims = "",
    switch: options.Switches = None,
    min_conf: options.MinConf = "",
    output: options.Output = None,
    detach: Annotated[
        bool,
        typer.Option("--detach", help="Start the run on the server and return at once; see `tariffs runs`."),
    ] = False,
    law_version: options.LawVersion = "",
    target: options.Target = None,
    local: options.Local = False,
    brief: options.Brief = False,
    as_json: options.Json = False,
) -> int:
    """Compute the effect of scenarios on a trade table for every day of a period.

    Days with the same duties form a segment. The exit code is 1 if rows were refused.
    """
    if output is not None:
        options.result_file(output)
    switches, parameters = options.law_switches(switch, claims), options.pairs(param, "--param")
    run_options: dict[str, Any] = {
        "by": options.keys(by or ["origin"]),
        "baseline": baseline,
        "response": response,
        "horizon": horizon,
        "market": market,
        "fx_offset": fx_offset,
        "ahead": ahead,
        "parameters": parameters,
        "parameter_set": parameter_set,
        "known_on": known_on,
        "switches": switches,
        "min_confidence": min_conf,
        "direction": direction,
        "to": to,
        "date_format": date_format,
    }
    options.refuse_cluster(cluster, "--detach", detach)
    options.refuse_cluster(cluster, "--both", both)
    with options.connected(target, local, law_version) as client:
        lines, scenarios = (
            table and table_options.source(table, mapping, sheet, header_row),
            scenario or ["base"],
        )
        if both:
            runs.refuse_detached(detach)
            sides = client.timeline_both(
                lines,
                scenarios,
                start=start,
                end=end,
                **side_options(
                    run_options, options.keys(by or []), exports and table_options.source(exports)
                ),
            )
            write_both(client, sides, output, None, outputs.refused_path(table))
            return print_both(sides, "timeline", partial(print_timeline, brief=brief), as_json=as_json)
        options.refuse_exports(exports)
        if detach:
            runs.refuse_files((output,))
            runs.print_started(
                client.start(lines, scenarios, period=(start, end), **run_options).name, as_json
            )
            return 0
        result = client.timeline(
            lines, scenarios, start=start, end=end, **run_options, cluster=cluster, progress=True
        )
    if output is not None:
        outputs.write_result(client, result, result.segments, output)
    if as_json:
        outputs.print_document("timeline", result.to_json_dict())
    else:
        print_timeline(result, brief=brief)
    return 1 if result.refused.height else 0
