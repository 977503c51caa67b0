"""Read the files of a law as one mapping of text, from a directory or from any other place that holds them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any

from tariffs.engine.law.documents import SOURCES, CitedFiles, LawFiles
from tariffs.engine.law.expand_rows import ROW_KEYS
from tariffs.engine.law.known_names import check_known
from tariffs.engine.law.raw_fields import Raw, check_keys, fault

_FOR_READERS = frozenset({"origin", "country"})
_LISTS = frozenset({"products", "and_products", "not_products", "if"})

Rows = Mapping[str, Sequence[Raw]]
"""Rows by the name that `by_origin` gives them, one for each origin that has a value under the name."""


def read_table(text: str, file: str) -> Rows:
    """Read a table by origin beside measures; raises LawError, LAW_INVALID, for a column of no key of rows.

    Its columns are `origin`, `country` for readers, and `NAME.KEY`: the key of a row under a name of our own, such as
    `april.rate`. `by_origin: NAME` of a row takes the columns of the name.
    """
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


HERE = Path(__file__).parent / "data"
_FILE_KEYS = frozenset({"row_sets", "measures", "events"})
# The file of each part beside the measures, by the head of its paths.
_FILES = {
    **{
        name: f"{name}.yaml"
        for name in (
            *("version", "switches", "references", "claims", "groups", "fees", "authorities", "refunds"),
            *("port_fees", "port_calls", "constraints", "retired", "line_notes", "list_changes"),
        )
    },
    "terms": "claims.yaml",
    "programs": "groups.yaml",
    "refused_origins": "groups.yaml",
    "rules": "stacking.yaml",
    "lists": "lists",
    "sources": SOURCES,
}


class DirectoryFiles:
    """Files of a law in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self, pattern: str) -> Sequence[str]:
        """List the files that match a pattern, sorted."""
        return sorted(path.relative_to(self._directory).as_posix() for path in self._directory.glob(pattern))

    def mapping(self, name: str) -> Any:
        """Read a YAML file with every scalar as text."""
        # A process that has the law in its snapshot reads no YAML.
        from tariffs.engine.law.yaml_texts import load_yaml

        return load_yaml(self._directory / name)

    def text(self, name: str) -> str:
        """Read a file of text."""
        return (self._directory / name).read_text(encoding="utf-8")


def read_raw(directory: Path = HERE) -> dict[str, Any]:
    """Read the law's files as one mapping of text."""
    return raw_of(DirectoryFiles(directory))


def raw_of(files: LawFiles) -> dict[str, Any]:
    """Read the files of a law as one mapping of text, with citations by key spelled out."""
    files = CitedFiles(files)
    raw: dict[str, Any] = {"row_sets": {}, "measures": [], "events": [], "files": dict(_FILES)}
    for name in files.names("measures/*.yaml"):
        content = check_keys(_read_measures(files, name) or {}, _FILE_KEYS, PurePosixPath(name).name)
        _note_file(raw, content, name)
        for row_set in content.get("row_sets", {}).keys() & raw["row_sets"].keys():
            raise fault(f"row_sets.{row_set}", "two files have a row set of this name")
        raw["row_sets"].update(content.get("row_sets", {}))
        raw["measures"] += content.get("measures", [])
        raw["events"] += content.get("events", [])
    raw["version"] = files.mapping("version.yaml")
    raw["sources"] = files.documents
    raw["rules"] = files.mapping("stacking.yaml")["rules"]
    raw |= _parts(files.mapping("claims.yaml"), "claims", "terms")
    raw["switches"] = files.mapping("switches.yaml")["switches"]
    raw |= _parts(files.mapping("groups.yaml"), "groups", "programs", "refused_origins")
    for part in ("fees", "authorities", "refunds", "port_fees", "port_calls", "constraints"):
        raw[part] = files.mapping(f"{part}.yaml")
    # Law packs built before these files existed do not have them.
    for part, key in (("line_notes", "notes"), ("list_changes", "changes")):
        if files.names(f"{part}.yaml"):
            raw[part] = files.mapping(f"{part}.yaml")[key]
    raw["markets"] = {
        PurePosixPath(name).stem: _read_market(files, name) for name in files.names("markets/*.yaml")
    }
    raw["files"] |= {f"markets.{name}": f"markets/{name}.yaml" for name in raw["markets"]}
    raw["references"] = files.mapping("references.yaml")["references"]
    raw["retired"] = files.mapping("retired.yaml") or {}
    raw["lists"] = {
        PurePosixPath(name).stem.upper(): _read_list(files.text(name)) for name in files.names("lists/*.csv")
    }
    return raw


def _parts(content: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key in names}


def _note_file(raw: Raw, content: Raw, file: str) -> None:
    """Record the file of the measures, row sets and events of some content, by the head of their paths."""
    files = raw["files"]
    files |= {f"row_sets.{name}": file for name in content.get("row_sets", {})}
    files |= {f"measures.{item.get('id')}": file for item in content.get("measures", [])}
    first = len(raw["events"])
    files |= {f"events[{first + n}]": file for n in range(len(content.get("events", [])))}


def _read_measures(files: LawFiles, name: str) -> Any:
    """Read a file of measures, with the rows of the table by origin beside it, if there is one."""
    table = f"{name.removesuffix('.yaml')}.csv"
    rows = read_table(files.text(table), table) if files.names(table) else {}
    return with_tables(files.mapping(name), rows, name)


def _read_market(files: LawFiles, name: str) -> dict[str, Any]:
    """Read the file of a market, with the lines of its schedule, if it has any, as text."""
    lines = f"{name.removesuffix('.yaml')}_lines.csv"
    return {**files.mapping(name), **({"lines": files.text(lines)} if files.names(lines) else {})}


def _read_list(text: str) -> list[Sequence[str]]:
    rows = csv.reader(io.StringIO(text, newline=""))
    head = next(rows)
    columns = itemgetter(*(head.index(name) for name in ("code", "from", "to")))
    return [columns(row) for row in rows if row]
