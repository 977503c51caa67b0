"""`tariffs sweep`: a scenario at many points of its parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.frames import read_table
from tariffs.client.cli import options, outputs, runs, table_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.sweep import print_sweep

EXAMPLES = examples(
    "tariffs sweep -s rates-by-country --on 2027-01-11 --vary cn=0%:50%:10%",
    "tariffs sweep -s rates-by-country --vary cn=0%:50%:5% --vary vn=10%,20% --by origin,hts2 -o long.parquet",
    "tariffs sweep -s rates-by-country --vary start=2026-12-01:2027-01-31:7d --on 2027-01-11 --response none --json",
    "tariffs sweep -s rates-by-country --vary elasticity.sigma=x0.5:x2:x0.5 --param cn=30% --top 10",
    "tariffs sweep entries.csv -s mine.yaml --points points.csv --baseline 2025-01-01 -o long.parquet",
)


def sweep(
    table: options.TradeTable = None,
    scenario: options.WithParameters = "base",
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="NAME=VALUES",
            help="Values of a parameter: cn=0%:50%:0.5% (both ends), vn=10%,20%, start=2026-12-01:2027-01-31, "
            "truce=on,off; may be repeated for all combinations. elasticity.sigma, elasticity.eta and, of exact_hat, "
            "elasticity.theta multiply elasticities: x0.5,x2.",
        ),
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option(
            "--points",
            metavar="FILE",
            help="Points one by one: a CSV or Parquet file with a column a parameter.",
        ),
    ] = None,
    param: options.Param = None,
    on: options.On = None,
    baseline: options.Baseline = None,
    response: options.Response = "armington",
    horizon: options.Horizon = "path",
    market: options.Market = "product",
    fx_offset: options.FxOffset = 0.0,
    parameter_set: options.ParameterSet = None,
    by: options.GroupBy = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top", metavar="N", min=1, help="Print only the N groups with the largest duty; -o writes all."
        ),
    ] = None,
    direction: options.Direction = "import",
    to: options.To = "",
    date_format: options.DateFormat = "",
    cluster: options.Cluster = "",
    known_on: options.KnownOn = None,
    switch: options.Switches = None,
    min_conf: options.MinConf = "",
    output: options.Output = None,
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
    """Compute a scenario at many points of its parameters: landed cost and trade volume, by group and in total.

    At most 100,000 points. `-o` writes the long format, ready to plot: a row per point and group, the parameters
    first, rates as fractions. `tariffs scenario show NAME` lists the parameters of a scenario.
    """
    if output is not None:
        options.result_file(output)
    if refused is not None:
        options.writable(refused)
    axes = {name: options.keys([values]) for name, values in options.pairs(vary, "--vary").items()}
    run_options: dict[str, Any] = {
        "vary": axes,
        "points": None if points is None else read_table(points),
        "on": on,
        "by": options.keys(by or ["origin"]),
        "baseline": baseline,
        "response": response,
        "horizon": horizon,
        "market": market,
        "fx_offset": fx_offset,
        "parameters": options.pairs(param, "--param"),
        "parameter_set": parameter_set,
        "known_on": known_on,
        "switches": options.pairs(switch, "--switch"),
        "min_confidence": min_conf,
        "direction": direction,
        "to": to,
        "date_format": date_format,
    }
    options.refuse_cluster(cluster, "--detach", detach)
    with options.connected(target, local, law_version) as client:
        lines = table and table_options.source(table)
        if detach:
            runs.refuse_files((output, refused))
            runs.print_started(client.start_sweep(lines, scenario, **run_options).name, as_json)
            return 0
        result = client.sweep(lines, scenario, **run_options, cluster=cluster, progress=True)
    if output is not None:
        outputs.write_result(client, result, result.groups, output)
    refused_path = outputs.write_refused(
        result.refused, refused or outputs.refused_path(table), result.provenance
    )
    shown = result if top is None else result.top(top)
    if as_json:
        outputs.print_document("sweep", shown.to_json_dict(refused_path))
    else:
        print_sweep(shown, brief=brief)
    return 1 if result.refused.height else 0
