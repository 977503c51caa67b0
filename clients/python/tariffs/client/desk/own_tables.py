"""Tables of the reader: stored from a file, mapped by hand, checked, and listed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlencode

import polars as pl

from tariffs.client._wire.column_mapping import builtin_mappings
from tariffs.client._wire.entry_table import REQUIRED
from tariffs.client._wire.frames import read_mapped
from tariffs.client.client import Client
from tariffs.client.desk.fields import Field
from tariffs.client.desk.page import Download, Page, Parts, Site, answer, block, csv_file
from tariffs.client.desk.question import Question
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.table_check import COLUMN_TITLES, TableCheck
from tariffs.client.results.table_handle import TableHandle
from tariffs.run_spec.spec import OPTIONS

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet", ".arrow")
_MAPPED = (*REQUIRED, "entry_date", "quantity", "unit", "line_id", "entry_id")
_REFUSED_SHOWN = 500
_STORED = ("table", "stored", "kept until", "shared with", "rows")
_HEADS = ("row", "column", "found", "what is wrong, and what to write")
_WORDS = "Upload a table with a code, an origin and a value in each row; every page can then compute on it."
_REFUSED = ("row", "column", "found", "message")
_COLUMN = "column."
_USES = {"/compare": "Compare scenarios on it", "/timeline": "Day by day", "/sweep": "Sweep a parameter"}
_OPTIONS = (
    Field(
        "mapping",
        "Names of its columns",
        "select",
        choices=[("", "its own"), *((one, one) for one in builtin_mappings())],
    ),
    Field(
        "date_format",
        "Format of its days",
        "select",
        choices=[("", "told by the column"), *((one, one) for one in OPTIONS["date_format"].choices)],
    ),
)


@dataclass(frozen=True, slots=True)
class StoredTables:
    """Tables that the reader has stored or shares."""

    tables: tuple[TableHandle, ...]
    schema: ClassVar[str] = "tables-list"


def ask(client: Client, question: Question, site: Site) -> TableCheck | StoredTables:
    """Check how a stored table is read; without one list those that there are."""
    table = question.table()
    if table is None:
        return StoredTables(site.tables)
    return client.check_table(table, date_format=question.get("date_format"))


def show(question: Question, site: Site, found: TableCheck | StoredTables | None) -> Parts:
    """Show the tables of the reader, and how one of them is read."""
    stored = [
        (
            (one.name[7:15], f"/tables?{urlencode({'table': one.name})}"),
            one.create_time[:10],
            one.expire_time[:10],
            one.shared_with or "",
            f"{one.row_count:,}",
        )
        for one in site.tables
    ]
    kept = block("grid", "Stored tables, kept on this server", _STORED, stored, words=4)
    if not isinstance(found, TableCheck):
        return answer("Your table", block("dim", _WORDS), kept, upload=_OPTIONS)
    name = question.get("table")
    refused = found.refused.head(_REFUSED_SHOWN).select(_REFUSED).rows()
    left_out = (
        refused and f"Rows that cannot be used: {found.rows - found.usable:,}. The other rows are computed."
    )
    return answer(
        f"Your table {name[7:15]}",
        block("big", f"{found.usable:,}", f"of {found.rows:,} rows can be used"),
        block("facts", [fact for fact in found.facts() if fact[0] not in {"rows", "file"}]),
        block("links", [(words, question.address(path)) for path, words in _USES.items()]),
        block("grid", left_out, _HEADS, refused, words=4, kind="tall"),
        block("grid", "How its columns are read", COLUMN_TITLES, found.column_rows(), numbers=(3, 4)),
        *(block("dim", one.message) for one in found.notes),
        block("downloads", True),
        kept,
        upload=_OPTIONS,
        own=("table", name, {"delete": "Delete this table"}),
    )


def refused_of(check: TableCheck | StoredTables) -> pl.DataFrame:
    """Return the refused rows of a table; raises InvalidRequest without one."""
    if isinstance(check, StoredTables):
        raise InvalidRequest("REQUEST_INVALID", "The address names no table.", field="table")
    return check.refused


def mapping_file(question: Question) -> str:
    """Write the mapping that an address describes, as a file that commands and Python read; empty without one."""
    columns = question.beginning(_COLUMN)
    known = {name: column for name, column in columns.items() if name in _MAPPED}
    if not known:
        return ""
    lines = [f"{name} = {json.dumps([column], ensure_ascii=False)}" for name, column in known.items()]
    return "\n".join(
        ['schema = "tariffs.mapping/v1"', 'title = "Mapped by hand"', "", "[columns]", *lines, ""]
    )


def store(client: Client, question: Question, data: Path) -> str:
    """Store the rows of a file that was uploaded, and return the address of the table.

    The question has the `name` of the file, `mapping` and `column.NAME` of its columns.

    Raises:
        InvalidRequest: the file cannot be used as a whole; the message names it as the reader knows it.
    """
    name = question.get("name", "the file")
    suffix = Path(name).suffix.lower()
    path = data.rename(data.with_suffix(suffix if suffix in SUFFIXES else ".csv"))
    try:
        with tempfile.TemporaryDirectory(prefix="tariffs-desk-") as folder:
            mapping = _mapping(question, Path(folder))
            # Said before rows are stored: which columns are missing, or which cells cannot be read.
            client.check_table(path, mapping=mapping, date_format=question.get("date_format"))
            handle = client.upload(read_mapped(path, mapping).frame)
    except InvalidRequest as error:
        message = error.message.replace(str(path), name)
        raise InvalidRequest(error.reason, message, field=error.field, fix=error.fix) from error
    return Question("/tables", (("table", handle.name),)).address(date_format=question.get("date_format"))


def mapping_fields(folder: Path, error: InvalidRequest) -> list[Field]:
    """Make a field for each column of a trade table, if the file uploaded to a folder lacks some under their names."""
    files = [one for one in folder.iterdir() if one.is_file()]
    if error.reason != "COLUMN_MISSING" or not files:
        return []
    columns = read_mapped(files[0], "").frame.columns
    choices = [("", "not in the file"), *((one, one) for one in columns)]
    by_name = {one.lower().replace(" ", "_"): one for one in columns}
    return [
        Field(
            f"{_COLUMN}{name}",
            name.replace("_", " "),
            "select",
            by_name.get(name, ""),
            choices,
            needed="*" if name in REQUIRED else "",
        )
        for name in _MAPPED
    ]


def _mapping(question: Question, folder: Path) -> str:
    text = mapping_file(question)
    if not text:
        chosen = question.get("mapping")
        # A path would be a file of the server.
        return chosen if chosen in builtin_mappings() else ""
    path = folder / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@dataclass(frozen=True, slots=True)
class MappingFile:
    """Mapping by hand, as a file."""

    text: str


def ask_mapping(client: Client, question: Question, site: Site) -> MappingFile:
    """Write the mapping that an address describes."""
    return MappingFile(mapping_file(question))


def show_mapping(question: Question, site: Site, file: MappingFile) -> Parts:
    """Show the file."""
    words = "Keep it, and give it to --mapping of a command."
    return answer(
        "Mapping of columns",
        block("pre", file.text or "No column is chosen."),
        block("dim", words),
        block("downloads", True),
    )


def delete(client: Client, fields: Mapping[str, str]) -> str:
    """Delete the table that a form names."""
    client.delete_table(fields.get("table", ""))
    return "/tables"


TABLES = Page(
    "/tables", "Tables", "table-check", ask, show, fields=(Field("table", "Table", "hidden"),), is_personal=True,
    act=delete, store=store, files={"csv": csv_file("Refused rows (csv)", refused_of)}, template="rows.html.j2",
)  # fmt: skip
MAPPING = Page(
    "/tables/mapping", "Mapping", "desk_mapping", ask_mapping, show_mapping,
    files={"toml": Download("mapping.toml", "application/toml", "toml", lambda file: file.text.encode())},
)  # fmt: skip
