"""`tariffs refund`: refunds of entries."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client.cli import options, outputs, table_options
from tariffs.client.cli.commands import LAW, Output, Own, UnderLaw, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.entries import SHOWN_REFUNDS, print_refunds
from tariffs.run_spec.option import Kind

EXAMPLES = examples(
    "tariffs refund entries.csv",
    "tariffs refund entries.csv --top 50 -o refunds.parquet",
    "tariffs refund entries.csv --interest-rate corporate --paid-on 2026-12-15 --json",
)


_INTEREST = (
    "Interest (19 USC 1505): corporate or other for the quarterly rates of that payer, or a yearly rate, 7% or 0.07. "
    "Compounded daily from deposit. Default: none."
)
_PAID_ON = (
    "Day of the reliquidation to which interest runs, for rows without reliquidation_date. Default: the law's "
    "as-of day."
)


@with_options(
    Own(
        "--authority",
        "NODE",
        "Authority whose duties are refunded; may be repeated. Default: ieepa.",
        kind=Kind.KEYS,
        argument="authorities",
    ),
    Own("--interest-rate", "PAYER|RATE", _INTEREST),
    Own("--paid-on", "DAY", _PAID_ON),
    ...,
    *LAW,
    "date_format",
)
def refund(
    client: UnderLaw,
    entries: Annotated[
        Path,
        typer.Argument(
            metavar="ENTRIES",
            help="A .csv, .parquet or .arrow file (- is standard input) with liquidation, liquidation_date, "
            "deposit_date and drawback.",
        ),
    ],
    scenario: options.Scenario = None,
    mapping: table_options.Mapping = "",
    sheet: table_options.Sheet = "",
    header_row: table_options.HeaderRow = 0,
    top: Annotated[
        int,
        typer.Option("--top", metavar="N", min=1, help="Print only the N largest refunds; -o writes all."),
    ] = SHOWN_REFUNDS,
    output: options.Output = None,
    refused: options.Refused = None,
    brief: options.Brief = False,
    **given: Any,
) -> Output:
    """Compute refunds of entries, by entry, heading and collection window, and in total.

    A refund is duty assessed under a void authority and not owed, less drawback. The column by_act is the duty that
    retroactive acts gave back: duty as known on the entry day less duty as known now. The columns
    protest_by and suit_by are the last days for these. The exit code is 1 if rows were refused.
    """
    outputs.check_files(output, refused)
    goods = table_options.source(entries, mapping, sheet, header_row)
    result = client.refund(goods, scenario=scenario, progress=True, **given)
    path, show = (
        refused or outputs.refused_path(entries),
        partial(print_refunds, result, top=top, brief=brief),
    )
    return outputs.written(client, "refund", result, result.entries, [output], path, show)
