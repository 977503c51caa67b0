"""Read answer messages into dataclasses, by the names and the types of their fields."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from google.protobuf import struct_pb2
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from tariffs.client._wire.frames import from_arrow
from tariffs.client.errors import from_status
from tariffs.client.results.quote import Provenance
from tariffs.v1 import common_pb2, sweep_service_pb2

_DETAILS_KEPT = 1024
_UNIONS = (Union, types.UnionType)
Converter = Callable[[Any], Any]
# The wire writes `start_time` for `start`, `default_value` for `default`, and `row_count` for `rows`.
_ENDINGS = ("", "_time", "_value", "_count")
_OTHER_NAMES = {"text": "yaml", "problem": "failure"}
T = TypeVar("T")


def read(kind: type[T], message: Message, /, **own: Any) -> T:
    """Read a message into a dataclass: each field from that of the same name, converted to the type of the dataclass.

    Text becomes an amount, bytes of Arrow a frame, a value of an enum its name in lower case, a message another
    dataclass; what is not set is None where the type allows it. Fields that the message lacks have their default, and
    those of `own` are not read from it.
    """
    return cast(T, _plan(cast(Any, kind), message.DESCRIPTOR, tuple(own)).made(message, own))


def read_all(kind: type[T], messages: Iterable[Message]) -> tuple[T, ...]:
    """Read messages into dataclasses, in order."""
    return tuple(read(kind, message) for message in messages)


def provenance(message: common_pb2.Provenance) -> Provenance:
    """Convert provenance into plain data; digests that do not apply are None."""
    return {
        "law_version": message.law_version,
        "law_digest": message.law_digest,
        "law_read_to": message.law_read_to,
        "engine_version": message.engine_version,
        "known_on": message.known_on,
        "scenarios": [{"id": one.id, "digest": one.digest} for one in message.scenarios],
        "table_digest": message.table_digest or None,
        "parameter_digest": message.parameter_digest or None,
        "switches": dict(sorted(message.switches.items())),
        "bases": list(message.bases),
        "details": _sorted(_details(message.details.SerializeToString())),
        "run_digest": message.run_digest,
    }


@lru_cache(maxsize=_DETAILS_KEPT)
def _details(encoded: bytes) -> dict[str, Any]:
    """Decode details, which most lines of a table share with others; read only."""
    return MessageToDict(struct_pb2.Struct.FromString(encoded))


def _sorted(value: Any) -> Any:
    """Sort keys at every level: those of a protobuf Struct come in an order that differs between runs."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


class _Plan(NamedTuple):
    """Recipe of a dataclass from a message: by places, since names would take twice as long in quotes.

    Attributes:
        kind: the dataclass.
        names: its fields that the message has.
        get: gets the values of all of them.
        are_first: whether these are the first fields of the dataclass.
        converters: place of a field, its converter, and its name in the message if it may be unset.
    """

    kind: Any
    names: list[str]
    get: Callable[[Any], Sequence[Any]]
    are_first: bool
    converters: list[tuple[int, Converter, str]]

    def made(self, message: Any, own: Mapping[str, Any]) -> Any:
        """Make the dataclass of a message."""
        values = [*self.get(message)]
        for place, convert, optional in self.converters:
            values[place] = None if optional and not message.HasField(optional) else convert(values[place])
        if self.are_first and not own:
            return self.kind(*values)
        return self.kind(**dict(zip(self.names, values, strict=True)), **own)


@cache
def _plan(kind: Any, descriptor: Any, left_out: tuple[str, ...]) -> _Plan:
    hints, known = get_type_hints(kind), descriptor.fields_by_name
    names, sources, converters = list[str](), list[str](), list[tuple[int, Converter, str]]()
    for name in (one.name for one in fields(kind) if one.name not in left_out):
        given = (*(f"{name}{ending}" for ending in _ENDINGS), f"{name[:-1]}_count", _OTHER_NAMES.get(name))
        source = next((one for one in given if one in known), None)
        if source is None:
            continue
        convert, is_optional = _converter(hints[name], known[source]), type(None) in get_args(hints[name])
        optional = source if is_optional and known[source].has_presence else ""
        if convert or optional:
            converters.append((len(names), convert or _same, optional))
        names.append(name)
        sources.append(source)
    are_first = names == [one.name for one in fields(kind)][: len(names)]
    return _Plan(kind, names, _getter(sources), are_first, converters)


def _getter(names: Sequence[str]) -> Callable[[Any], Sequence[Any]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda message: [getattr(message, name) for name in names]


def _converter(hint: Any, field: Any) -> Converter | None:
    """Choose how a value of the wire becomes one of a type; None where it is one already."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        one = _converter(args[0], field)
        return tuple if one is None else lambda values: tuple(map(one, values))
    if field.message_type is not None and field.message_type.name in _MESSAGES:
        return _MESSAGES[field.message_type.name]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        entry = _converter(args[1], field.message_type.fields_by_name["value"])
        if entry is None:
            return lambda values: dict(sorted(values.items()))
        return lambda values: {key: entry(value) for key, value in sorted(values.items())}
    if origin in _UNIONS:
        return _converter(args[0], field) if field.has_presence else lambda value: value or None
    if is_dataclass(hint):
        plan = _plan(cast(Any, hint), field.message_type, ())
        return lambda message: plan.made(message, {})
    if field.enum_type is not None:
        return enum_words(field.enum_type)
    if hint is Decimal:
        return Decimal
    # Bytes that are not wanted as such are a frame; its type is not named, since Polars need not be loaded for others.
    return from_arrow if field.type == field.TYPE_BYTES and hint is not bytes else None


def _same(value: Any) -> Any:
    return value


def enum_words(enum: EnumDescriptor) -> Converter:
    """Name values of an enum in lower case without its prefix, letters as they are; one of a newer server by number."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    names = {number: value.name.removeprefix(prefix) for number, value in enum.values_by_number.items()}
    words = {number: name if len(name) == 1 else name.lower() for number, name in names.items()} | {0: ""}
    return lambda number: words.get(number, str(number))


def _parameter_value(message: sweep_service_pb2.ParameterValue) -> float | str:
    return message.text if message.WhichOneof("kind") == "text" else message.number


_MESSAGES: Mapping[str, Converter] = {
    "Provenance": provenance,
    "ParameterValue": _parameter_value,
    "Status": from_status,
}
