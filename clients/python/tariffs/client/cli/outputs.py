"""Write the files of refused rows."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import polars as pl

from tariffs.client._wire.frames import write_table
from tariffs.client.cli import options
from tariffs.client.cli.commands import Output
from tariffs.client.cli.option_names import in_options
from tariffs.client.cli.table_options import STDIN
from tariffs.client.client import Client
from tariffs.client.errors import TariffsError
from tariffs.client.results.entries import flat
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.refused import refused_words
from tariffs.client.results.shown import TableResult


def write_refused(refused: pl.DataFrame, path: Path, provenance: Mapping[str, object]) -> str | None:
    """Write refused rows, if there are any, and name the file on stderr; returns its path."""
    if not refused.height:
        return None
    texts = [in_options(text) for text in refused["message"]]
    write_table(refused.with_columns(pl.Series("message", texts, pl.String)), path, provenance)
    print(f"{refused_words(refused)}; see {path}.", file=sys.stderr)
    return str(path)


def write_result(client: Client, result: TableResult, rows: pl.DataFrame, path: Path) -> None:
    """Write a result by the suffix of the file: its rows (.parquet, .csv), all tables (.xlsx) or a report (.html).

    The client looks up the law behind a report or workbook.
    """
    kind = path.suffix.lower()
    if kind == ".xlsx":
        result.to_excel(path, law=legal_text(client, result))
    elif kind == ".html":
        result.report(path, law=legal_text(client, result))
    else:
        write_table(flat(rows) if kind == ".csv" else rows, path, result.provenance)


def legal_text(client: Client, result: TableResult) -> LegalText | None:
    """Look up the law behind a report; if it cannot be had the report is written without it, which stderr says."""
    try:
        # A client that was closed connects again.
        with client:
            return client.legal_text(result)
    except TariffsError as error:
        print(f"The report has neither scenarios in words nor sources: {error}", file=sys.stderr)
        return None


def check_files(output: Path | None, refused: Path | None) -> None:
    """Check the names of the files of a result and of refused rows; raises InvalidRequest."""
    if output is not None:
        options.result_file(output)
    if refused is not None:
        options.writable(refused)


def written(
    client: Client,
    kind: str,
    result: TableResult,
    rows: pl.DataFrame,
    files: Iterable[Path | None],
    refused: Path,
    show: Callable[[], object],
    shown: TableResult | None = None,
) -> Output:
    """Write a result to the files that are named, and its refused rows; returns the output of the command.

    The exit code is 1 if rows were refused. `shown` is what the document is of, by default the result.
    """
    for file in filter(None, files):
        write_result(client, result, rows, file)
    path = write_refused(result.refused, refused, result.provenance)
    plain = document(kind, (shown or result).to_json_dict(path))
    return Output(plain, show, 1 if result.refused.height else 0)


def document(kind: str, plain: Mapping[str, object]) -> dict[str, object]:
    """Make the JSON document of a result, which names its schema; the keys are in docs/json.md."""
    return {"schema": f"tariffs.{kind}/v1", **plain}


def refused_path(table: Path | None) -> Path:
    """Choose the file for refused rows: in the working directory, else in a temporary one."""
    is_named = table and table != STDIN and "*" not in table.name
    here = Path(f"{table.stem if table and is_named else 'table'}-refused.csv")
    try:
        with tempfile.TemporaryFile(dir=here.resolve().parent):
            return here
    except OSError:  # a folder that cannot be written to must not cost the caller the result
        return Path(tempfile.mkdtemp(prefix="tariffs-")) / here.name
