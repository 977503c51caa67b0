"""Tables of the reader: stored from a file, mapped by hand, checked, and listed."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tariffs.client._wire.column_mapping import builtin_mappings
from tariffs.client._wire.csv_text import for_people
from tariffs.client._wire.entry_table import REQUIRED
from tariffs.client._wire.frames import read_mapped
from tariffs.client.client import Client
from tariffs.client.desk.fields import Field
from tariffs.client.desk.page import Page, Parts, Site
from tariffs.client.desk.question import Question
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.law import Law
from tariffs.client.results.table_check import COLUMN_TITLES, TableCheck
from tariffs.run_spec.spec import OPTIONS

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet", ".arrow")
_MAPPED = (*REQUIRED, "entry_date", "quantity", "unit", "line_id", "entry_id")
_REFUSED_SHOWN = 500
_COLUMN = "column."


def ask(client: Client, question: Question, law: Law) -> TableCheck | None:
    """Check how a stored table is read."""
    table = question.table()
    return None if table is None else client.check_table(table, date_format=question.get("date_format"))


def show(question: Question, site: Site, check: TableCheck | None) -> Parts:
    """Show the tables of the reader, and how one of them is read."""
    formats = [("", "told by the column"), *((one, one) for one in OPTIONS["date_format"].choices)]
    mappings = [("", "its own"), *((one, one) for one in builtin_mappings())]
    refused = check.refused.head(_REFUSED_SHOWN) if check else None
    return {
        "check": check,
        "mapped": (),
        "own": question.get("table").removeprefix("tables/")[:8],
        "heads": COLUMN_TITLES,
        "refused": [] if refused is None else refused.select("row", "column", "found", "message").rows(),
        "refused_file": question.address(**{"as": "csv"}),
        "uses": [(words, question.address(path)) for path, words in _uses(question)],
        "suffixes": ",".join(SUFFIXES),
        "stored": [
            (
                (one.name[7:15], f"/tables?{urlencode({'table': one.name})}"),
                one.create_time[:10],
                one.expire_time[:10],
                one.shared_with or "",
                f"{one.row_count:,}",
            )
            for one in site.tables
        ],
        "options": [
            Field("mapping", "Names of its columns", "select", "", mappings),
            Field("date_format", "Format of its days", "select", "", formats),
        ],
    }


def _uses(question: Question) -> list[tuple[str, str]]:
    return [
        ("/compare", "Compare scenarios on it"),
        ("/timeline", "Day by day"),
        ("/sweep", "Sweep a parameter"),
    ]


def csv_of(check: TableCheck) -> bytes:
    """Write the refused rows for people."""
    return for_people(check.refused).write_csv().encode()


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

    Args:
        client: stores them.
        question: `name` of the file, `mapping` and `column.NAME` of its columns.
        data: the file.

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
            is_required=name in REQUIRED,
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


def ask_mapping(client: Client, question: Question, law: Law) -> MappingFile:
    """Write the mapping that an address describes."""
    return MappingFile(mapping_file(question))


def show_mapping(question: Question, site: Site, file: MappingFile | None) -> Parts:
    """Show the file."""
    return {"text": file.text if file else ""}


TABLES = Page(
    "/tables",
    "tables.html.j2",
    "Your table",
    ask,
    show,
    "table-check",
    files={"csv": ("text/csv", "csv", csv_of)},
)
MAPPING = Page(
    "/tables/mapping",
    "mapping_file.html.j2",
    "Mapping",
    ask_mapping,
    show_mapping,
    "desk_mapping",
    files={"toml": ("application/toml", "toml", lambda file: file.text.encode())},
)
