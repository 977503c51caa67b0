"""`tariffs duty`: one entry line, or with `--entries` a file of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tariffs.client._wire.frames import write_table
from tariffs.client.cli import options, outputs
from tariffs.client.cli.render.entries import print_entries
from tariffs.client.cli.render.quote import print_quote
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.entries import VIEWS, EntriesResult, flat

EXAMPLES = """
[bold]Examples[/bold]

  tariffs duty 9503.00.0073 --origin CN --date 2025-11-10 --value 10000

  tariffs duty 7318.15.8066 --origin CA --date 2025-05-20 --value 10000 --claim usmca_share=1 --json

  tariffs duty 9503.00.0073 --origin CN --date 2026-11-24 --value 10000 -s ieepa-upheld-truce-lapsed

  tariffs duty 1201.90 --origin US --direction export --date 2027-01-11 --value 10000 --freight 420

  tariffs duty --entries entries.csv --view entry -o entries.parquet
"""


def duty(
    hts: Annotated[
        str | None,
        typer.Argument(
            metavar="HTS", help="HTS code of 4 to 10 digits, with or without dots.", show_default=False
        ),
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--origin", metavar="CC", help="Country of origin, ISO alpha-2.")
    ] = None,
    value: Annotated[str | None, typer.Option("--value", metavar="USD", help="Customs value.")] = None,
    date: Annotated[
        str | None,
        typer.Option("--date", metavar="DAY", help="Entry day or instant. Default: the law's as-of day."),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="NAME=VALUE", help="A fact declared about the goods."),
    ] = None,
    quantity: Annotated[
        str | None, typer.Option("--quantity", help="Quantity; specific rates need it.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Its unit: kg, no, W, ...")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="ocean|air|land", help="It decides fees.")
    ] = None,
    freight: Annotated[
        str | None, typer.Option("--freight", metavar="USD", help="For the landed cost.")
    ] = None,
    insurance: Annotated[
        str | None, typer.Option("--insurance", metavar="USD", help="For the landed cost.")
    ] = None,
    charge: Annotated[
        list[str] | None,
        typer.Option(
            "--charge",
            metavar="KIND=SIZE",
            help="A charge of your own for the landed cost: adcvd=216.37%, 'excise=1.07 USD/L', other=250.",
        ),
    ] = None,
    direction: options.Direction = "import",
    ordinary_rate: Annotated[
        str | None,
        typer.Option(
            "--ordinary-rate",
            metavar="RATE",
            help="The ordinary rate, 9.8% or 0.098, where schedule or law have none to compute.",
        ),
    ] = None,
    entries: Annotated[
        Path | None,
        typer.Option(
            "--entries",
            metavar="FILE",
            help="Rate every line of a .csv, .parquet or .arrow file, or of - (standard input).",
        ),
    ] = None,
    date_format: options.DateFormat = "",
    view: Annotated[
        str,
        typer.Option("--view", metavar="|".join(VIEWS), help="What of an entry file is shown and written."),
    ] = VIEWS[0],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the view of an entry file to this .parquet or .csv file."),
    ] = None,
    refused: Annotated[
        Path | None, typer.Option("--refused", help="Write refused rows here. Default: <FILE>-refused.csv.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", "-s", metavar="NAME_OR_FILE", help="Edits to the law.")
    ] = None,
    known_on: options.KnownOn = None,
    switch: options.Switches = None,
    min_conf: options.MinConf = "",
    target: options.Target = None,
    local: options.Local = False,
    as_json: options.Json = False,
) -> int:
    """The duty on one entry line, or on every line of a file: each layer named, cited and explained.

    Of exports it is the duty in the country that answers with duties of its own.

    With --entries, rows that cannot be rated are refused one by one, written to a file, and make the exit code 1; fees
    are taken once per entry_id, and --date is the day of lines that name none.
    """
    claims, switches = options.pairs(claim, "--claim"), options.pairs(switch, "--switch")
    charges = options.pairs(charge, "--charge")
    if entries is not None:
        one_line = (
            *(hts, origin, value, claim, charge, quantity, unit, mode, freight, insurance, ordinary_rate),
        )
        _check_direction(direction)
        _check_file_options(one_line, view, output, refused)
        with options.connected(target, local) as client:
            result = client.duties(
                options.source(entries),
                on=date,
                scenario=scenario,
                known_on=known_on,
                switches=switches,
                min_confidence=min_conf,
                date_format=date_format,
                progress=True,
            )
        return _write(result, view, output, refused or outputs.refused_path(entries), as_json)
    if date_format:
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--date-format is for the columns of --entries.",
            field="--date-format",
            fix="Write --date as 2025-11-10.",
        )
    if hts is None or origin is None or value is None:
        raise InvalidRequest(
            "REQUEST_INVALID",
            "One line needs HTS, --origin and --value.",
            fix="Or give a file with --entries.",
        )
    with options.connected(target, local) as client:
        quote = client.duty(
            hts,
            origin,
            date,
            value,
            claims,
            quantity=quantity,
            unit=unit,
            mode=mode,
            freight=freight,
            insurance=insurance,
            charges=charges,
            scenario=scenario,
            known_on=known_on,
            switches=switches,
            min_confidence=min_conf,
            direction=direction,
            ordinary_rate=ordinary_rate,
        )
    if as_json:
        print(json.dumps(quote.to_json_dict()))
    else:
        print_quote(quote)
    return 0


def _check_direction(direction: str) -> None:
    if direction != "import":
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--entries takes entries into the United States.",
            field="--direction",
            fix="A table of exports: tariffs impact TABLE --direction export --response none --lines lines.csv.",
        )


def _check_file_options(
    one_line: tuple[object, ...], view: str, output: Path | None, refused: Path | None
) -> None:
    if any(one is not None for one in one_line):
        raise InvalidRequest(
            "REQUEST_INVALID",
            "--entries excludes HTS and the options of one line.",
            fix="Put them into columns of the file.",
        )
    if view not in VIEWS:
        raise InvalidRequest(
            "REQUEST_INVALID", f"--view is {view!r}.", fix=f"Give one of {', '.join(VIEWS)}."
        )
    for path in filter(None, (output, refused)):
        options.writable(path)


def _write(result: EntriesResult, view: str, output: Path | None, refused: Path, as_json: bool) -> int:
    if output is not None:
        frame = result.view(view)
        write_table(flat(frame) if output.suffix.lower() == ".csv" else frame, output, result.provenance)
    path = outputs.write_refused(result.refused, refused, result.provenance)
    if as_json:
        print(json.dumps(result.to_json_dict(path)))
    else:
        print_entries(result, view)
    return 1 if result.refused.height else 0
