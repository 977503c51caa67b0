"""`tariffs sweep`: a scenario at many points of its parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client._wire.frames import read_table
from tariffs.client.cli import options
from tariffs.client.cli.commands import Output, UnderLaw
from tariffs.client.cli.options import examples
from tariffs.client.cli.run_command import Asked, started, with_run_options

EXAMPLES = examples(
    "tariffs sweep -s rates-by-country --on 2027-01-11 --vary cn=0%:50%:10%",
    "tariffs sweep -s rates-by-country --vary start=2026-12-01:2027-01-31:7d --on 2027-01-11 --response none",
)


@with_run_options("sweep")
def sweep(
    client: UnderLaw,
    asked: Asked,
    scenario: options.WithParameters = "base",
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="NAME=VALUES",
            help="Values of a parameter: cn=0%:50%:0.5% (both ends), vn=10%,20%, start=2026-12-01:2027-01-31, "
            "truce=on,off, elasticity.sigma=x0.5,x2; may be repeated for all combinations.",
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
    cluster: options.Cluster = "",
    detach: options.Detach = False,
    **run: Any,
) -> Output:
    """Compute a scenario at up to 100,000 points of its parameters, by group and in total.

    `-o` writes a row per point and group. `tariffs scenario show NAME` lists the parameters.
    """
    axes = {name: options.keys([values]) for name, values in options.pairs(vary, "--vary").items()}
    run |= {"vary": axes, "points": None if points is None else read_table(points)}
    asked.check_detached(detach, cluster)
    if detach:
        return started(client.start_sweep(asked.goods(), scenario, **run))
    result = client.sweep(asked.goods(), scenario, **run, cluster=cluster, progress=True)
    shown = result if asked.top is None else result.top(asked.top)
    return asked.answer(client, "sweep", result, result.groups, shown=shown)
