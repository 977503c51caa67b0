"""`tariffs score`: revenue of scenarios by fiscal year."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tariffs.client.cli import options, outputs
from tariffs.client.cli.commands import Output, UnderLaw
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.notes import print_ending
from tariffs.client.cli.render.results import print_table
from tariffs.client.cli.render.table import console
from tariffs.client.cli.run_command import Asked, with_run_options
from tariffs.client.results.scores import score_document, score_tables

EXAMPLES = examples(
    "tariffs score --from 2026 --to 2035 -s base",
    "tariffs score --from 2027 --to 2030 -s base -s forced-labor-20-on-china --tax-offset jct_2023",
)
_OF_A_TABLE = (
    "table", "mapping", "sheet", "header_row", "refused", "top", "wide", "by", "baseline", "direction", "date_format",
)  # fmt: skip


@with_run_options("timeline", *_OF_A_TABLE)
def score(
    client: UnderLaw,
    asked: Asked,
    first: Annotated[int, typer.Option("--from", metavar="YEAR", help="First fiscal year.")] = 2026,
    to: Annotated[int, typer.Option("--to", metavar="YEAR", help="Last fiscal year.")] = 2035,
    scenario: options.Scenarios = None,
    **run: Any,
) -> Output:
    """Compute the revenue of scenarios by fiscal year, on imports that grow as CBO projects.

    Conventional: after the response of trade, the loss of income and payroll taxes, and refunds.
    """
    result = client.score(scenario or ["base"], first=first, last=to, **run, progress=True)
    years = result.score
    assert years is not None
    for path in filter(None, (asked.output, asked.report)):
        outputs.write_result(client, result, years, path)

    def show() -> None:
        for table in score_tables(years):
            print_table(table)
        print_ending(console(), result, brief=asked.brief, folded=True)

    plain = {**result.to_json_dict(), "scenarios": score_document(years)}
    return Output(outputs.document("score", plain), show)
