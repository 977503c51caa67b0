"""SweepService.Seek: find the values of a parameter at which a result meets a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tariffs.engine.runs.sweeps.seek import Jump, Root, Seek, Target, Value, Vary, seek
from tariffs.engine.tables.partitions import is_partitioned
from tariffs.run_spec.option import SEEK
from tariffs.service.rpc.checks import required, word
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.run_options import KEYS_LIMIT, LocalInputs, options_of, parameters_of
from tariffs.service.rpc.run_plan import table_of
from tariffs.service.rpc.shared import provenance_of, scenario_of
from tariffs.service.rpc.verbs import named_of, progress_of, refused_messages
from tariffs.service.wire import arrow
from tariffs.service.wire.status import Cancelled, request_invalid
from tariffs.v1 import sweep_service_pb2

VALUES_LIMIT = 1_000


def run_seek(
    request: sweep_service_pb2.SeekRequest,
    emit: Callable[[sweep_service_pb2.SeekResponse], None],
    cancelled: Cancelled,
    local: LocalInputs | None = None,
) -> None:
    """Seek a target and emit its messages in order: progress, refused rows, and last the answer.

    Raises:
        TariffsError: an invalid request, or CANCELLED.
    """
    local = local or LocalInputs()
    response = sweep_service_pb2.SeekResponse
    scenario, vary, target = scenario_of(request.scenario, "scenario"), _vary(request), _target(request)
    with parameters_of(request, local) as parameters:
        options = options_of(request, parameters)
        options.refuse(verb=SEEK, files=is_partitioned(local.table))
        result = seek(
            table_of(request, local),
            scenario,
            vary,
            target,
            **named_of(request),
            law=LAWS.named(request.law_version),
            options=options,
            progress=progress_of(response, emit),
            cancelled=cancelled,
        )
    for message in refused_messages(result.refused, response):
        emit(message)
    emit(_answer(result, request))


def _vary(request: sweep_service_pb2.SeekRequest) -> Vary:
    return Vary(
        required(request.parameter, "parameter", "Give the name of a parameter."),
        required(request.low, "low", "Give the lowest value."),
        required(request.high, "high", "Give the highest value."),
    )


def _target(request: sweep_service_pb2.SeekRequest) -> Target:
    column = required(request.column, "column", "Give a result column.")
    where: dict[str, Sequence[str]] = {}
    for index, one in enumerate(request.where[: KEYS_LIMIT + 1]):
        key = required(one.key, f"where[{index}].key", "Give a key of groups.")
        if key in where or len(where) == KEYS_LIMIT or not 1 <= len(one.values) <= VALUES_LIMIT:
            raise request_invalid(
                f"The filter on {key} cannot be used: it is given twice, is one of more than {KEYS_LIMIT}, or has "
                f"{len(one.values):,} values.",
                f"where[{index}]",
                f"Give at most {KEYS_LIMIT} keys, each once with 1 to {VALUES_LIMIT:,} values.",
            )
        where[key] = [word(value, f"where[{index}].values") for value in one.values]
    return Target(column, request.target, where)


def _answer(result: Seek, request: sweep_service_pb2.SeekRequest) -> sweep_service_pb2.SeekResponse:
    (path,) = arrow.batches(result.path)
    done = message_of(
        sweep_service_pb2.SeekResult,
        result,
        roots=map(_root, result.roots),
        jumps=map(_jump, result.jumps),
        nearest=_root(result.nearest),
        path=path,
        provenance=provenance_of(result.provenance, request),
    )
    return sweep_service_pb2.SeekResponse(done=done)


def _root(root: Root) -> sweep_service_pb2.SeekRoot:
    to = None if root.to is None else _value(root.to)
    return message_of(sweep_service_pb2.SeekRoot, root, value=_value(root.value), to=to)


def _jump(jump: Jump) -> sweep_service_pb2.SeekJump:
    value, next_value = _value(jump.value), _value(jump.next_value)
    return message_of(sweep_service_pb2.SeekJump, jump, value=value, next_value=next_value)


def _value(value: Value) -> sweep_service_pb2.ParameterValue:
    if isinstance(value, str):
        return sweep_service_pb2.ParameterValue(text=value)
    return sweep_service_pb2.ParameterValue(number=value)
