"""Read the options of a run from its request: one reader for all verbs, streams of rows and long runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tariffs.engine.errors import InputError
from tariffs.engine.response.parameters import SETS
from tariffs.engine.runs.options import Options
from tariffs.service.rpc.checks import choice, direction_of, word, words
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.wire import arrow
from tariffs.service.wire.status import request_invalid, too_large
from tariffs.v1 import simulation_service_pb2 as pb

KEYS_LIMIT = 8
Reader = Callable[[Any, str], object]


def _keys(keys: Any, field: str) -> tuple[str, ...]:
    if len(keys) > KEYS_LIMIT:
        raise request_invalid(
            f"The request has {len(keys)} grouping keys; the limit is {KEYS_LIMIT}.",
            field,
            "Send fewer keys.",
        )
    return tuple(word(key, field) for key in keys)


def _plain(value: Any, field: str) -> object:
    return value


def _chosen(enum: Any) -> Reader:
    return lambda value, field: choice(enum, value, field)


_FIELDS: Mapping[str, tuple[str, Reader]] = {
    "baseline": ("baseline", word),
    "response": ("response", _chosen(pb.ResponseModel)),
    "horizon": ("horizon", _chosen(pb.Horizon)),
    "market": ("market", _chosen(pb.Market)),
    "fx_offset": ("fx_offset", _plain),
    "by": ("by", _keys),
    "known_on": ("known_on", word),
    "switches": ("switches", words),
    "min_confidence": ("min_conf", word),
    "direction": ("direction", lambda value, field: direction_of(value)),
    "to": ("to", word),
    "date_format": ("date_format", word),
    "include_lines": ("lines", _plain),
    "attribute": ("attribute", _plain),
    "draws": ("draws", _plain),
    "seed": ("seed", _plain),
    "consumer_prices": ("consumer_prices", _chosen(pb.ConsumerPriceMethod)),
    "ahead": ("ahead", word),
    "reaction": ("reaction", _plain),
}
"""Option of the engine and reader of each field; a message has those of its verb."""


def options_of(request: Any, parameters: str) -> Options:
    """Read the options of a run; what a request leaves out, or its message has not, has its default.

    Args:
        request: a request of any verb.
        parameters: the parameter set, as `parameters_of` gives it.

    Raises:
        InputError: REQUEST_INVALID for a field that cannot be read.
    """
    own = request.DESCRIPTOR.fields_by_name
    read = {
        option: reader(getattr(request, field), field)
        for field, (option, reader) in _FIELDS.items()
        if field in own
    }
    given: dict[str, Any] = {option: value for option, value in read.items() if value}
    return Options(parameters=parameters, **given)


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
