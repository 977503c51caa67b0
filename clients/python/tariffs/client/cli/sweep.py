"""`tariffs sweep`: a scenario at many points of its parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.frames import read_table
from tariffs.client.cli import options, outputs, runs, table_options
from tariffs.client.cli.commands import with_run_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.side_by_side import print_answer
from tariffs.client.cli.render.sweep import print_sweep
from tariffs.client.results.answer import SHOWN_ROWS

EXAMPLES = examples(
    "tariffs sweep -s rates-by-country --on 2027-01-11 --vary cn=0%:50%:10%",
    "tariffs sweep -s rates-by-country --vary start=2026-12-01:2027-01-31:7d --on 2027-01-11 --response none",
)


@with_run_options("sweep")
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
    top: Annotated[
        int | None,
        typer.Option(
            "--top", metavar="N", min=1, help="Print only the N groups with the largest duty; -o writes all."
        ),
    ] = None,
    output: options.Output = None,
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
    """Compute a scenario at many points of its parameters: landed cost and trade volume, by group and in total.

    At most 100,000 points. `-o` writes the long format, ready to plot: a row per point and group, the parameters
    first, rates as fractions. `tariffs scenario show NAME` lists the parameters of a scenario.
    """
    if output is not None:
        options.result_file(output)
    if refused is not None:
        options.writable(refused)
    axes = {name: options.keys([values]) for name, values in options.pairs(vary, "--vary").items()}
    run |= {"vary": axes, "points": None if points is None else read_table(points)}
    options.refuse_cluster(cluster, "--detach", detach)
    with options.connected(target, local, run.pop("law_version")) as client:
        lines = table and table_options.source(table)
        if detach:
            runs.refuse_files((output, refused))
            runs.print_started(client.start_sweep(lines, scenario, **run).name, as_json)
            return 0
        result = client.sweep(lines, scenario, **run, cluster=cluster, progress=True)
    if output is not None:
        outputs.write_result(client, result, result.groups, output)
    refused_path = outputs.write_refused(
        result.refused, refused or outputs.refused_path(table), result.provenance
    )
    shown = result if top is None else result.top(top)
    if as_json:
        outputs.print_document("sweep", shown.to_json_dict(refused_path))
    elif wide:
        print_sweep(shown, brief=brief)
    else:
        print_answer(shown, top=top or SHOWN_ROWS, brief=brief)
    return 1 if result.refused.height else 0
