"""Read the tables by origin beside the measures: `by_origin: NAME` of a row takes its columns of the table.

`measures/FILE.csv` belongs to `measures/FILE.yaml` and has a line an origin. Its columns are `origin`, `country` for
readers, and `NAME.KEY`: the key of a row under a name of our own, as in `april.rate` and `april.heading`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tariffs.engine.law.expand_rows import ROW_KEYS
from tariffs.engine.law.known_names import check_known
from tariffs.engine.law.raw_fields import Raw, fault

_FOR_READERS = frozenset({"origin", "country"})
_LISTS = frozenset({"products", "not_products", "if"})

Rows = Mapping[str, Sequence[Raw]]
"""Rows by the name that `by_origin` gives them, one for each origin that has a value under the name."""


def read_table(text: str, file: str) -> Rows:
    """Read a table by origin; raises LawError, LAW_INVALID, for a column of no key of rows."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = [name for name in reader.fieldnames or () if name not in _FOR_READERS]
    for column in columns:
        if column.partition(".")[2] not in ROW_KEYS:
            raise fault(f"{file}: {column}", "a column is origin, country, or NAME.KEY with a key of rows")
    found: dict[str, list[Raw]] = {column.partition(".")[0]: [] for column in columns}
    for line in reader:
        for name, rows in found.items():
            cells = {
                column.partition(".")[2]: line[column]
                for column in columns
                if column.partition(".")[0] == name
            }
            row = {key: cell.split() if key in _LISTS else cell for key, cell in cells.items() if cell}
            if row:
                rows.append({"origins": [line["origin"]], **row})
    return found


def with_tables(content: Any, tables: Rows, file: str) -> Any:
    """Put the rows of the tables in place of rows with `by_origin: NAME`, each with the other keys of its row.

    Raises:
        ScenarioError: NOTHING_MATCHED for a name that the table does not have, with the nearest.
        LawError: LAW_INVALID for columns that no row takes.
    """
    named = set(_named(content))
    check_known(named, tables, "columns by origin", f"{file}: by_origin")
    for name in sorted(tables.keys() - named):
        raise fault(f"{file}: by_origin", f"no row takes the columns {name} of the table")
    return _filled(content, tables)


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, Mapping):
        if _takes_columns(value):
            yield value["by_origin"]
        for part in value.values():
            yield from _named(part)


def _takes_columns(row: Raw) -> bool:
    return isinstance(row.get("by_origin"), str)


def _filled(value: Any, tables: Rows) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(part, tables) for key, part in value.items()}
    if isinstance(value, list):
        return [row for item in value for row in _rows(item, tables)]
    return value


def _rows(item: Any, tables: Rows) -> Iterator[Any]:
    if not (isinstance(item, Mapping) and _takes_columns(item)):
        yield _filled(item, tables)
        return
    shared = {key: value for key, value in item.items() if key != "by_origin"}
    yield from ({**shared, **row} for row in tables[item["by_origin"]])
