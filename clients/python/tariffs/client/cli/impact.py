"""`tariffs impact`: effect of scenarios on a trade table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.frames import is_partitioned, write_table
from tariffs.client.cli import options, outputs, runs, table_options
from tariffs.client.cli.both_report import print_both, side_options, write_both, write_both_report
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.impact import SHOWN_GROUPS, print_impact
from tariffs.client.client import Client
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.impact import ImpactResult

EXAMPLES = examples(
    "tariffs impact -s base -s truce-extended --on 2027-01-11",
    "tariffs impact -s base -s rates-by-country --param cn=20% --param vn=10% --on 2027-01-11",
    "tariffs impact entries.csv -s base -s mine.yaml --baseline 2025-01-01 --by origin,hts2 -o groups.parquet",
    "tariffs impact -s base -s truce-extended --on 2027-01-11 --report report.html",
    "tariffs impact -s base -s truce-extended --on 2027-01-11 --draws 256 --seed 7",
    "tariffs impact --on 2025-11-17 --consumer-prices yale",
    "tariffs impact -s base -s truce-extended --on 2027-01-11 --top 5 --sort duty_vs --brief",
    "tariffs impact -s ieepa-upheld-truce-lapsed --on 2026-11-20 --response none --json",
    "tariffs impact --both -s base -s canada-settles --on 2027-02-01",
    "tariffs impact --both --reaction 1 -s base -s forced-labor-20-on-china --on 2027-02-01 --horizon short",
    "tariffs impact soybeans.csv --direction export -s base -s soybeans-freed --on 2027-01-11 --baseline 2025-01-01",
)


def impact(
    table: options.TradeTable = None,
    scenario: options.Scenarios = None,
    param: options.Param = None,
    on: options.On = None,
    baseline: options.Baseline = None,
    response: options.Response = "armington",
    horizon: options.Horizon = "path",
    ahead: options.Ahead = None,
    market: options.Market = "product",
    fx_offset: options.FxOffset = 0.0,
    parameter_set: options.ParameterSet = None,
    by: options.GroupBy = None,
    draws: Annotated[
        int,
        typer.Option(
            "--draws", metavar="N", help="Draws of the elasticities for ranges: 256, 1024, 4096, ..."
        ),
    ] = 0,
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="S", help="Seed of the draws; the same seed gives the same ranges."),
    ] = 0,
    top: Annotated[
        int, typer.Option("--top", metavar="N", min=1, help="Print only the first N groups; -o writes all.")
    ] = SHOWN_GROUPS,
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="COLUMN",
            help="Print groups with the largest values of this column first, such as duty, duty_vs or value_vs. "
            "Default: customs_value.",
        ),
    ] = "",
    attribute: Annotated[
        bool,
        typer.Option(
            "--attribute",
            help="Split the difference of each scenario from the first one by change and authority.",
        ),
    ] = False,
    consumer_prices: Annotated[
        str,
        typer.Option(
            "--consumer-prices",
            metavar="dollar|percent|yale|dollar_2024|percent_2024|dollar_offset|percent_offset",
            help="Effect on consumer prices, with margins constant in dollars or percent, or by Yale's method; offset: "
            "less the 17.4 % that a rise of the dollar takes off.",
        ),
    ] = "",
    direction: options.Direction = "import",
    to: options.To = "",
    both: options.Both = False,
    reaction: Annotated[
        float,
        typer.Option(
            "--reaction",
            metavar="SLOPE",
            help="With --both or --direction export: what partners add on goods of the United States for 1 that a "
            "scenario adds to the mean duty on theirs; reciprocity: 1. Default: 0, they answer nothing.",
        ),
    ] = 0.0,
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
    report: options.Report = None,
    lines: Annotated[
        Path | None,
        typer.Option("--lines", help="Write every line of every scenario to this .parquet or .csv file."),
    ] = None,
    refused: options.Refused = None,
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
    switches, parameters = options.law_switches(switch, claims), options.pairs(param, "--param")
    options.refuse_cluster(cluster, "--detach", detach)
    options.refuse_cluster(cluster, "--both", both)
    with options.connected(target, local, law_version) as client:
        run_options: dict[str, Any] = {
            "on": on,
            "by": options.keys(by or ["origin"]),
            "baseline": baseline,
            "response": response,
            "horizon": horizon,
            "market": market,
            "fx_offset": fx_offset,
            "reaction": reaction,
            "ahead": ahead,
            "parameters": parameters,
            "parameter_set": parameter_set,
            "known_on": known_on,
            "switches": switches,
            "min_confidence": min_conf,
            "include_lines": lines is not None and not is_folder,
            "draws": draws,
            "seed": seed,
            "attribute": attribute,
            "consumer_prices": consumer_prices,
            "direction": direction,
            "to": to,
            "date_format": date_format,
        }
        if both:
            runs.refuse_detached(detach)
            sides = client.impact_both(
                table and table_options.source(table, mapping, sheet, header_row),
                scenario or ["base"],
                **side_options(
                    run_options, options.keys(by or []), exports and table_options.source(exports)
                ),
            )
            write_both(client, sides, output, lines, refused or outputs.refused_path(table))
            if report is not None:
                write_both_report(client, sides, report)

            def show(one: ImpactResult) -> None:
                print_impact(one, top=top, sort=_sortable(one, sort), brief=brief)

            return print_both(sides, "impact", show, as_json=as_json)
        options.refuse_exports(exports)
        if detach:
            runs.refuse_files((output, report, lines, refused))
            runs.print_started(
                client.start(
                    table and table_options.source(table, mapping, sheet, header_row),
                    scenario or ["base"],
                    **run_options,
                ).name,
                as_json,
            )
            return 0
        result = client.impact(
            table and table_options.source(table, mapping, sheet, header_row),
            scenario or ["base"],
            **run_options,
            cluster=cluster,
            lines_to=lines if is_folder else None,
            progress=True,
        )
    refused_path = _write(
        client, result, output, None if is_folder else lines, refused or outputs.refused_path(table)
    )
    if report is not None:
        outputs.write_result(client, result, result.groups, report)
    if as_json:
        outputs.print_document("impact", result.to_json_dict(refused_path))
    else:
        print_impact(result, top=top, sort=_sortable(result, sort), brief=brief)
    return 1 if result.refused.height else 0


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
