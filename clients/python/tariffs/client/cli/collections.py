"""`tariffs collections`: duty from the law to the treasury, by month, authority and origin."""

from __future__ import annotations

from typing import Any

from tariffs.client._wire.frames import write_table
from tariffs.client.cli import options, outputs
from tariffs.client.cli.commands import LAW, Output, Own, UnderLaw, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.collections import Collections
from tariffs.run_spec.option import Kind

EXAMPLES = examples(
    "tariffs collections --from 2025-01 --to 2026-10 --by month",
    "tariffs collections --from 2025-04 --to 2025-12 --by origin --without rest --json",
)


@with_options(
    Own("--from", "MONTH", "First month, such as 2025-01.", ..., str, "start"),
    Own("--to", "MONTH", "Last month.", ..., str, "end"),
    Own("--by", "KEYS", "Keys of the rows: month, authority, origin. Default: all three.", kind=Kind.KEYS),
    Own("--without", "STEPS", "Steps to leave out: claims, exemptions, afloat, rest.", kind=Kind.KEYS),
    ...,
    *LAW,
)
def collections(
    client: UnderLaw,
    scenario: options.Scenario = None,
    output: options.Output = None,
    report: options.Report = None,
    **given: Any,
) -> Output:
    """Follow duty on US imports from the law to the treasury: assessed, claimed, exempt, afloat, collected, refunded.

    Shares are frozen estimates of 2025; the rest is what they leave unexplained. Months after February 2026 hold
    imports at the mean of the six before.
    """
    if output is not None:
        options.writable(output)
    if report is not None:
        options.report_file(report)
    result = client.collections(scenario=scenario, **given)
    if output is not None:
        write_table(result.rows, output, result.provenance)
    if report is not None:
        result.report(report)
    document = outputs.document("collections", result.to_json_dict())
    return Output(document, lambda: _show(result))


def _show(result: Collections) -> None:
    out, table = console(), result.table()
    out.print(text_table([table.heads[0], *right(*table.heads[1:])], table.rows, table.caption))
    for note in result.notes:
        out.print(note.message, markup=False)
    print_footer(out, result.provenance)
