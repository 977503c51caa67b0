"""Keep the embedded table, prepared, in a snapshot: it is the same for everyone with the same law and switches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.packed_arrays import Arrays, pack, unpack
from tariffs.engine.base.snapshot import files_digest, read_snapshot, write_snapshot
from tariffs.engine.law.model import Claim
from tariffs.engine.law.notes import Note
from tariffs.engine.tables.atoms import ATOM_RATES, ATOMS, AtomRates, Atoms, atoms_of, ordinary_rates_of
from tariffs.engine.tables.line_arrays import PIECE_STARTS, LineArrays
from tariffs.engine.tables.trade_table import NOTE_SCHEMA, REFUSED_SCHEMA, CheckedTable

_NAME = "table"
_MADE_OF = ("schedule/data/*", *(f"{room}/*.py" for room in ("base", "schedule", "law", "tables")))
_MAPPINGS = ("facts", "special")
_TEXTS = ("baseline", "bases", "products", "product_digits")


Fields = Mapping[str, Any]
"""Fields of a `PreparedTable` by name."""


def kept_table(facts: object, claims: Mapping[str, Claim], make: Callable[[], Fields]) -> Fields:
    """Return the prepared table of imports from its snapshot, made and kept there if there is none.

    Args:
        facts: what the table depends on besides the data and code of the engine, as plain data.
    """
    parts = (files_digest(*_MADE_OF), np.__version__, pl.__version__, facts)
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    data = read_snapshot(_NAME, key)
    if data is not None:
        return _fields_of(*unpack(data))
    table = make()
    if _is_plain(table):
        atoms = atoms_of(claims, table["lines"])
        arrays = _arrays(table, atoms, ordinary_rates_of(table["lines"], atoms))
        write_snapshot(_NAME, key, pack(_document(table, atoms), arrays))
    return table


def _is_plain(table: Fields) -> bool:
    """Test whether a table has what is kept alone: no row refused or noted, nothing declared by its lines."""
    lines, checked = table["lines"], table["checked"]
    nothing = (checked.refused.height, checked.notes.height, lines.quantities, table["markets"])
    all_default = all(of is None for of in lines.sourced.values()) and lines.vat is None
    return not any(nothing) and all_default and checked.lines.columns == ["hts", "origin", "customs_value"]


def _document(table: Fields, atoms: Atoms) -> dict[str, Any]:
    lines = table["lines"]
    return {
        **{name: table[name] for name in _TEXTS},
        "notes": [asdict(note) for note in table["notes"]],
        "digest": table["checked"].digest,
        **{name: list(getattr(lines, name)) for name in ("codes", "origins", "sourced", *_MAPPINGS)},
        "claims": atoms.claims,
    }


def _arrays(table: Fields, atoms: Atoms, rates: AtomRates) -> Arrays:
    lines = table["lines"]
    own = {f"{name} {claim}": array for name in _MAPPINGS for claim, array in getattr(lines, name).items()}
    parts: dict[str, Any] = {"lines": lines, ATOMS: atoms, ATOM_RATES: rates}
    of_parts = {
        f"{part} {one.name}": getattr(of, one.name)
        for part, of in parts.items()
        for one in fields(of)
        if isinstance(getattr(of, one.name), np.ndarray)
    }
    return {
        **own, **of_parts, PIECE_STARTS: lines.piece_starts, "product_of_line": table["product_of_line"]
    }  # fmt: skip


def _fields_of(document: dict[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the prepared table of what was kept."""

    def part(name: str) -> dict[str, Any]:
        return {
            key.removeprefix(f"{name} "): array for key, array in arrays.items() if key.startswith(f"{name} ")
        }

    rates = AtomRates(**part(ATOM_RATES))
    atoms = Atoms(**part(ATOMS), claims=tuple(document["claims"]))
    mappings: dict[str, Any] = {
        name: {claim: arrays[f"{name} {claim}"] for claim in document[name]} for name in _MAPPINGS
    }
    lines = LineArrays(
        codes=document["codes"],
        origins=document["origins"],
        **part("lines"),
        **mappings,
        sourced=dict.fromkeys(document["sourced"]),
        cache={PIECE_STARTS: arrays[PIECE_STARTS], ATOMS: atoms, ATOM_RATES: rates},
    )
    product_of_line = arrays["product_of_line"]
    frame = pl.DataFrame(
        {
            "hts": pl.Series(document["products"], dtype=pl.String).gather(product_of_line),
            "origin": pl.Series(document["origins"], dtype=pl.String).gather(lines.origin),
            "customs_value": lines.value,
        }
    )
    rows = pl.int_range(frame.height, dtype=pl.Int64, eager=True).alias("row")
    refused, notes = (pl.DataFrame(schema=schema) for schema in (REFUSED_SCHEMA, NOTE_SCHEMA))
    return {
        **{name: document[name] for name in _TEXTS},
        "notes": tuple(Note(**note) for note in document["notes"]),
        "checked": CheckedTable(frame, rows, refused, notes, document["digest"]),
        "lines": lines,
        "product_of_line": product_of_line,
    }
