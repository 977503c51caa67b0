"""Read the options of a run from its request, and what is given by reference: by a caller in the same process, or
by the server for a stored table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.runs.options import Options
from tariffs.run_spec.option import Kind
from tariffs.run_spec.spec import OPTIONS
from tariffs.service.rpc.checks import choice, table_text, word, words
from tariffs.service.wire import arrow
from tariffs.service.wire.status import request_invalid, too_large

KEYS_LIMIT = 8
SETS = OPTIONS["parameter_set"].choices
Reader = Callable[[Any, str], object]


def _keys(keys: Any, field: str) -> tuple[str, ...]:
    if len(keys) > KEYS_LIMIT:
        raise request_invalid(
            f"The request has {len(keys)} grouping keys; the limit is {KEYS_LIMIT}.",
            field,
            "Send fewer keys.",
        )
    return tuple(word(key, field) for key in keys)


_READERS: Mapping[Kind, Reader] = {
    Kind.DAY: word,
    Kind.TEXT: word,
    Kind.KEYS: _keys,
    Kind.PAIRS: words,
    Kind.TABLE: table_text,
}
"""Reader of each kind of values; numbers and flags are as the wire has them."""


def options_of(request: Any, parameters: str) -> Options:
    """Read the options of a run; what a request leaves out, or its message has not, has its default.

    Args:
        parameters: the parameter set, as `parameters_of` gives it.

    Raises:
        InputError: REQUEST_INVALID for a field that cannot be read.
    """
    fields = request.DESCRIPTOR.fields_by_name
    given: dict[str, Any] = {"parameter_set": parameters}
    for one in fields_of(Options):
        option = OPTIONS.get(one.name)
        if option is None or one.name not in fields or option.kind is Kind.PARAMETER_SET:
            continue
        value = getattr(request, one.name)
        if option.kind is Kind.CHOICE:
            value = choice(fields[one.name].enum_type, value, one.name)
        elif option.kind in _READERS:
            value = _READERS[option.kind](value, one.name)
        if value:
            given[one.name] = value
    return Options(**given)


@contextmanager
def parameters_of(request: Any, local: LocalInputs) -> Iterator[str]:
    """Provide the parameter set as the engine expects it: empty, a name, or the path of a temporary file."""
    source = request.WhichOneof("parameters")
    if local.parameters or source is None:
        yield local.parameters
    elif source == "parameter_set":
        # Any other text would be read as a path on the server's disk.
        if request.parameter_set not in SETS:
            raise InputError(
                "PARAMETER_INVALID",
                f"There is no parameter set {word(request.parameter_set, 'parameter_set')!r}.",
                field="parameter_set",
                fix=f"Use {', '.join(SETS)}, or send the table as CSV.",
            )
        yield request.parameter_set
    else:
        if len(request.parameter_csv) > arrow.MESSAGE_LIMIT:
            raise too_large(
                f"The parameter table has {len(request.parameter_csv):,} bytes.",
                "parameter_csv",
                f"Send at most {arrow.MESSAGE_LIMIT:,} bytes.",
                len(request.parameter_csv),
                arrow.MESSAGE_LIMIT,
            )
        with tempfile.TemporaryDirectory(prefix="tariffs-") as directory:
            path = Path(directory) / "parameters.csv"
            path.write_bytes(request.parameter_csv)
            yield str(path)


@dataclass(frozen=True, slots=True)
class LocalInputs:
    """A table and a parameter file that replace those of the request.

    Attributes:
        table: the table, or the path of its file.
        parameters: path of a parameter file.
        lines_limit: bytes of changed lines in a response of ListChanges.
        lines_to: directory or URL in which a partitioned table's lines are written; empty for none.
        cluster: address of the Dask scheduler that computes the run; empty for this process.
    """

    table: pl.DataFrame | pl.LazyFrame | str | Path | None = None
    parameters: str = ""
    lines_limit: int = 1 << 40
    lines_to: str = ""
    cluster: str = ""
