"""`tariffs duty`: duty on one entry line, or with `--entries` on a file of lines."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from tariffs.client.cli import options, outputs, table_options
from tariffs.client.cli.commands import CLAIM, LAW, UNIT, Output, Own, UnderLaw, with_options
from tariffs.client.cli.options import examples
from tariffs.client.cli.render.entries import print_entries
from tariffs.client.cli.render.quote import print_brief, print_quote
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.entries import VIEWS
from tariffs.client.results.short_names import spelled_out
from tariffs.run_spec.option import Kind

EXAMPLES = examples(
    "tariffs duty 9503.00.0073 --origin CN --date 2025-11-10 --value 10000",
    "tariffs duty 9503.00.0073 --origin CN --date 2026-11-24 --value 10000 -s ieepa-upheld-truce-lapsed",
    "tariffs duty 9503.00.0073 --origin CN --date 2027-01-11 --value 10000 -s rates-by-country --param cn=20% --why",
    "tariffs duty 1201.90 --origin US --direction export --date 2027-01-11 --value 10000 --freight 420",
    "tariffs duty --entries entries.csv --view entry -o entries.parquet",
)


_LINE = (
    Own("--origin", "CC", "Country of origin, ISO 3166-1 alpha-2 code."),
    Own("--value", "USD", "Customs value in US dollars."),
    CLAIM,
    Own("--quantity", None, "Quantity; required for specific rates."),
    UNIT,
    Own("--mode", "ocean|air|land", "Mode of transport; decides fees, and relief in transit."),
    Own("--freight", "USD", "Freight, for the landed cost."),
    Own("--insurance", "USD", "Insurance, for the landed cost."),
    Own(
        "--charge",
        "KIND=SIZE",
        "Your own charge for the landed cost: adcvd=216.37%, 'excise=1.07 USD/L', other=250.",
        kind=Kind.PAIRS,
        argument="charges",
    ),
    Own(
        "--ordinary-rate",
        "RATE",
        "Ordinary rate, 9.8% or 0.098, where the schedule or the law data has no rate to compute.",
    ),
)
"""Options of one entry line."""
_DATE = Own("--date", "DAY", "Date or time of entry. Default: the law's as-of day.")


@with_options(
    *_LINE[:2],
    _DATE,
    *_LINE[2:],
    "direction",
    "to",
    "date_format",
    "parameters",
    *LAW,
)
def duty(
    client: UnderLaw,
    hts: Annotated[
        str | None,
        typer.Argument(
            metavar="HTS", help="HTS code of 4 to 10 digits, with or without dots.", show_default=False
        ),
    ] = None,
    entries: Annotated[
        Path | None,
        typer.Option(
            "--entries",
            metavar="FILE",
            help="Compute every line of a .csv, .parquet or .arrow file, or of - (standard input).",
        ),
    ] = None,
    mapping: table_options.Mapping = "",
    sheet: table_options.Sheet = "",
    header_row: table_options.HeaderRow = 0,
    view: Annotated[
        str, typer.Option("--view", metavar="|".join(VIEWS), help="Rows of an entry file to print and write.")
    ] = VIEWS[0],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write an entry file: its view as .parquet or .csv, all views as .xlsx, a report as .html.",
        ),
    ] = None,
    refused: options.Refused = None,
    scenario: options.Scenario = None,
    why: Annotated[
        bool, typer.Option("--why", help="Show the reason for each layer, and measures that did not apply.")
    ] = False,
    wide: options.Wide = False,
    brief: options.Brief = False,
    **given: Any,
) -> Output:
    """Compute the duty on one entry line, or on every line of a file, with each layer named and cited.

    For exports, the duty is that of the country that retaliates against the United States.

    With --entries, rows that cannot be used are written to a file of refused rows, and the exit code is 1. Fees are
    taken once per entry_id, and --date is the entry date of lines without one.
    """
    date = given.pop("date", None)
    line = {one.name: given.pop(one.name) for one in _LINE if one.name in given}
    if entries is not None:
        _check_direction(given.pop("direction"))
        del given["to"]
        _check_file_options(hts is not None or bool(line), view, output, refused)
        goods = table_options.source(entries, mapping, sheet, header_row)
        result = client.duties(goods, on=date, scenario=scenario, progress=True, **given)
        path = refused or outputs.refused_path(entries)
        show = partial(print_entries, result, view, brief=brief)
        return outputs.written(client, "entries", result, result.view(view), [output], path, show)
    if given.pop("date_format"):
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--date-format applies to the columns of --entries only.",
            field="--date-format",
            fix="Write --date as 2025-11-10.",
        )
    origin, value = line.pop("origin", None), line.pop("value", None)
    if hts is None or origin is None or value is None:
        raise InvalidRequest(
            "REQUEST_INVALID",
            "An entry line requires HTS, --origin and --value.",
            fix="Give them, or a file of lines with --entries.",
        )
    quote = client.duty(hts, origin, date, value, **line, scenario=scenario, why=why, **given)
    show = partial(print_brief, quote) if brief else partial(print_quote, quote, str if wide else spelled_out)
    return Output(outputs.document("duty", quote.to_json_dict()), show)


def _check_direction(direction: str) -> None:
    if direction != "import":
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--entries is for imports into the United States.",
            field="--direction",
            fix="For exports: tariffs impact TABLE --direction export --response none --lines lines.csv.",
        )


def _check_file_options(has_line: bool, view: str, output: Path | None, refused: Path | None) -> None:
    if has_line:
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--entries cannot be combined with HTS or options of one line.",
            fix="Put these values into columns of the file.",
        )
    if view not in VIEWS:
        raise InvalidRequest(
            "REQUEST_INVALID", f"--view is {view!r}.", fix=f"Give one of {', '.join(VIEWS)}."
        )
    outputs.check_files(output, refused)
