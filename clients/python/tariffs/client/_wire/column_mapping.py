"""Rename the columns of a broker's table by a mapping: a built-in one by name, or a TOML or YAML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.client.errors import InvalidRequest, module_of

SCHEMA = "tariffs.mapping/v1"
HEADINGS = "filed_headings"
_FOLDER = Path(__file__).resolve().parent / "mappings"
_KEYS = frozenset({"schema", "title", "source", "columns", "provisions", "values"})
_IGNORED = re.compile(r"[^0-9a-z]+")
_AMOUNT_MARKS = r"[$,\s]"


@dataclass(frozen=True, slots=True)
class Provisions:
    """Rows that are duties on the goods of another row: those of a chapter, joined to it by the keys of its line."""

    chapter: str
    line: tuple[str, ...]
    amount: str = ""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Mapping of columns.

    Attributes:
        title: what tables it is for.
        columns: names in the broker's table of each column, the first that is there counts.
        provisions: rows to join to the row of their goods, if the table has such.
        values: replacements of cells by column.
    """

    title: str
    columns: Mapping[str, tuple[str, ...]]
    provisions: Provisions | None = None
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MappedTable:
    """Table under a mapping, and the columns it was made from by their new names."""

    frame: pl.DataFrame
    sources: Mapping[str, str]


def builtin_mappings() -> tuple[str, ...]:
    """Names of the built-in mappings."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def read_mapping(name: str | Path) -> ColumnMapping:
    """Read a built-in mapping by name, or a file ending in .toml, .yaml or .yml.

    Raises:
        InvalidRequest: REQUEST_INVALID if there is no such mapping, or it is not one.
        ExtraMissing: a YAML file without PyYAML, which the extra `server` brings.
    """
    path = Path(name)
    if str(name) in builtin_mappings():
        return _builtin(str(name))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(builtin_mappings())
        raise _invalid(f"{name} is not a mapping: {error}.", f"Name one of {known}, or a file.") from None
    return _mapping(_parsed(path, text), str(name))


def fitting_mapping(columns: Sequence[str], required: Sequence[str]) -> str:
    """Name of a built-in mapping that finds all required columns in a table; empty if there is none."""
    fits = (name for name in builtin_mappings() if set(required) <= set(_sources(columns, _builtin(name))))
    return next(fits, "")


def apply_mapping(frame: pl.DataFrame, mapping: ColumnMapping) -> MappedTable:
    """Rename the columns of a table and join rows of provisions to their goods; other columns stay.

    Letter case, spaces and punctuation of column names do not matter. Joined rows are gone; the row of their goods has
    their codes in `filed_headings`, and the sum of their amounts added to its own.
    """
    sources = _sources(frame.columns, mapping)
    renamed = frame.rename({old: new for new, old in sources.items()})
    for name, replaced in mapping.values.items():
        if name in renamed.columns:
            texts = pl.col(name).cast(pl.String).str.strip_chars()
            plain = {text.casefold(): new for text, new in replaced.items()}
            renamed = renamed.with_columns(texts.str.to_lowercase().replace_strict(plain, default=texts))
    if mapping.provisions is not None and {"hts", *mapping.provisions.line} <= sources.keys():
        renamed = _joined(renamed, mapping.provisions)
    return MappedTable(renamed, sources)


def rename_known(frame: pl.DataFrame, known: Iterable[str]) -> pl.DataFrame:
    """Rename columns that differ from a known name in letter case, spaces and punctuation alone."""
    return apply_mapping(frame, ColumnMapping("known names", {name: (name,) for name in known})).frame


@cache
def _builtin(name: str) -> ColumnMapping:
    path = _FOLDER / f"{name}.toml"
    return _mapping(tomllib.loads(path.read_text(encoding="utf-8")), name)


def _sources(columns: Sequence[str], mapping: ColumnMapping) -> dict[str, str]:
    by_plain = {plain_name(name): name for name in reversed(columns)}
    found: dict[str, str] = {}
    for new, names in mapping.columns.items():
        old = next((by_plain[plain_name(name)] for name in names if plain_name(name) in by_plain), None)
        if old is not None and (new == old or new not in columns):
            found[new] = old
    return found


def plain_name(name: str) -> str:
    """Letters and digits of a column name, in lower case."""
    return _IGNORED.sub("", name.casefold())


def _joined(frame: pl.DataFrame, provisions: Provisions) -> pl.DataFrame:
    """Join the rows of provisions to the first row of goods of their line; those of a line without goods stay."""
    keys, rows = list(provisions.line), frame.with_row_index("_row")
    code = pl.col("hts").cast(pl.String).str.replace_all(r"[^0-9]", "")
    rows = rows.with_columns(_provision=code.str.starts_with(provisions.chapter).fill_null(value=False))
    goods = rows.filter(~pl.col("_provision")).unique(keys, keep="first", maintain_order=True)
    aims = [pl.col("hts").cast(pl.String).str.join("; ").alias(HEADINGS)]
    if provisions.amount in frame.columns:
        aims.append(_number(provisions.amount).sum().alias("_added"))
    added = rows.filter("_provision").group_by(keys).agg(aims)
    joined = goods.select("_row", *keys).join(added, on=keys, how="inner", nulls_equal=True).drop(keys)
    met = rows.filter("_provision").join(
        goods.select(keys), on=keys, how="semi", nulls_equal=True, maintain_order="left"
    )
    kept = rows.join(met, on="_row", how="anti", maintain_order="left")
    result = kept.join(joined, on="_row", how="left", maintain_order="left")
    if "_added" in result.columns:
        total = _number(provisions.amount).fill_null(0.0) + pl.col("_added")
        result = result.with_columns(
            pl.when(pl.col("_added").is_null())
            .then(_number(provisions.amount))
            .otherwise(total)
            .alias(provisions.amount)
        ).drop("_added")
    return result.drop("_row", "_provision")


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.replace_all(_AMOUNT_MARKS, "").cast(pl.Float64, strict=False)


def _parsed(path: Path, text: str) -> object:
    if path.suffix.lower() == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _invalid(f"{path} is no TOML: {error}.", "Mend the file.") from None
    yaml = module_of("server", "yaml")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _invalid(f"{path} is no YAML: {str(error).splitlines()[0]}.", "Mend the file.") from None


def _mapping(document: object, name: str) -> ColumnMapping:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise _invalid(f"{name} is not a mapping.", f'Begin it with schema = "{SCHEMA}" (schema: in YAML).')
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise _invalid(
            f"{name} has the unknown keys {', '.join(unknown)}.", f"Use {', '.join(sorted(_KEYS))}."
        )
    columns = {
        new: _names(given, f"{name}, columns.{new}") for new, given in _table(document, "columns", name)
    }
    if not columns:
        raise _invalid(f"{name} maps no column.", 'Give columns, such as hts = ["Tariff No."].')
    parts = dict(_table(document, "provisions", name))
    provisions = None
    if parts:
        line = _names(parts.get("line", ()), f"{name}, provisions.line")
        provisions = Provisions(str(parts.get("chapter", "")), line, str(parts.get("amount", "")))
        if not (provisions.chapter and line):
            raise _invalid(f"{name} has provisions without chapter or line.", "Give both.")
    values = {
        column: {str(old): str(new) for old, new in replaced.items()}
        for column, replaced in _table(document, "values", name)
        if isinstance(replaced, dict)
    }
    return ColumnMapping(str(document.get("title", name)), columns, provisions, values)


def _table(document: Mapping[str, object], key: str, name: str) -> list[tuple[str, Any]]:
    given = document.get(key) or {}
    if not isinstance(given, dict):
        raise _invalid(f"{key} of {name} is not a table.", "Give names with values.")
    return [(str(one), value) for one, value in given.items()]


def _names(given: object, place: str) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else given
    if isinstance(names, list | tuple) and all(isinstance(one, str) for one in names):
        return tuple(names)
    raise _invalid(f"{place} is {given!r}.", "Give a column name, or a list of them.")


def _invalid(message: str, fix: str) -> InvalidRequest:
    return InvalidRequest("REQUEST_INVALID", message, field="mapping", fix=fix)
