"""`tariffs timeline`: effect of scenarios on a trade table over a period."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tariffs.client.cli import options
from tariffs.client.cli.commands import Output, UnderLaw
from tariffs.client.cli.options import examples
from tariffs.client.cli.run_command import Asked, both_sides, check_sides, started, with_run_options

EXAMPLES = examples(
    "tariffs timeline -s base -s forced-labor-20-on-china --start 2026-11-01 --end 2027-12-31 --response none",
    "tariffs timeline -s base -s rates-by-country --param cn=30% --start 2026-11-01 --end 2027-12-31",
)


@with_run_options("timeline")
def timeline(
    client: UnderLaw,
    asked: Asked,
    start: Annotated[str, typer.Option("--start", metavar="DAY", help="First day.")],
    end: Annotated[str, typer.Option("--end", metavar="DAY", help="Last day.")],
    scenario: options.Scenarios = None,
    both: options.Both = False,
    exports: options.ExportTable = None,
    cluster: options.Cluster = "",
    detach: options.Detach = False,
    **run: Any,
) -> Output:
    """Compute the effect of scenarios on a trade table for every day of a period.

    Days with the same duties form a segment. The exit code is 1 if rows were refused.
    """
    asked.check_detached(detach, cluster)
    check_sides(both, exports, cluster, detach)
    goods, scenarios = asked.goods(), scenario or ["base"]
    if both:
        sides = both_sides(client.timeline, goods, scenarios, exports, run, start=start, end=end)
        return asked.both(client, "timeline", sides)
    if detach:
        return started(client.start(goods, scenarios, period=(start, end), **run))
    result = client.timeline(goods, scenarios, start=start, end=end, **run, cluster=cluster, progress=True)
    return asked.answer(client, "timeline", result, result.segments)
