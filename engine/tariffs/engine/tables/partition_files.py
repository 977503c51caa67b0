"""Write the parts of a partitioned result: Parquet files in a directory or at a URL, and the run beside them."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.tables.partitions import SCHEME, load_fsspec

PROVENANCE = "provenance.json"


def write_part(folder: str, name: str, number: int, frame: pl.DataFrame) -> None:
    """Write one part; writing it again, after its worker died, gives the same file.

    Args:
        folder: a directory or URL.
        name: name of the result, a directory below.

    Raises:
        InputError: TABLE_UNREADABLE if it cannot be written.
    """
    data = io.BytesIO()
    frame.write_parquet(data)
    _write(f"{folder.rstrip('/')}/{name}/part-{number:05}.parquet", data.getvalue())


def write_provenance(folder: str, provenance: Mapping[str, object]) -> None:
    """Write what is needed to reproduce a result beside its parts; errors as `write_part`."""
    text = json.dumps(provenance, indent=2, sort_keys=True, default=str)
    _write(f"{folder.rstrip('/')}/{PROVENANCE}", text.encode())


def _write(path: str, data: bytes) -> None:
    try:
        if SCHEME in path:
            with load_fsspec().open(path, "wb", auto_mkdir=True) as file:
                file.write(data)
            return
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: two workers may write the same part.
        beside = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
        beside.write_bytes(data)
        beside.replace(place)
    except OSError as error:
        raise InputError(
            "TABLE_UNREADABLE",
            f"{path} cannot be written: {error.strerror or error}.",
            field="lines_to",
            fix="Name a directory that this process, and every worker of a cluster, can write to.",
        ) from error
