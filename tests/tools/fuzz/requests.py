"""Hostile requests made from descriptors, half of their words real, as bytes for any method."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tests.tools.fuzz import arrow_streams, scenario_texts
from tests.tools.fuzz.choices import ByteChoices
from tests.tools.fuzz.hostile import FLOATS, HOSTILE_TEXT, INTEGERS, parameter_files
from tests.tools.fuzz.methods import METHODS, valid
from tests.tools.fuzz.vocabulary import words

_F = FieldDescriptor
DEPTH_LIMIT = 5
MANY = 1_100
_INTEGER_RANGES = {
    _F.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    _F.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    _F.CPPTYPE_UINT32: (0, 2**32 - 1),
    _F.CPPTYPE_UINT64: (0, 2**64 - 1),
}
LENGTH = 480
"""Bytes of choices for one call."""
SMALL_TEXT = 5_000
_PARTS = (1, 2, 3, 5)
_HOSTILE = (0.0, 0.0, 0.03, 0.3)
_UNKNOWN_FIELDS = (
    b"\xc0\xa9\x07\x01",
    b"\xc2\xa9\x07\x02ab",
    b"\xc1\xa9\x07" + bytes(8),
    b"\xc3\xa9\x07\xc4\xa9\x07",
)
_METADATA = ("authorization", "authorization", "x-request-id", "user-agent", "traceparent", "x-law", "a-bin")
_VALUES = (
    "", "a", " a ", "x" * 200, "x" * 4_000, "%00%0a", "'; DROP TABLE runs; --", "../..", "{}", "~" * 65,
    "0-0",
)  # fmt: skip
_SCENARIOS = {"scenario", "first", "second"}
_WHOLE = {_F.CPPTYPE_INT32, _F.CPPTYPE_INT64, _F.CPPTYPE_UINT32, _F.CPPTYPE_UINT64}
_FLOATING = {_F.CPPTYPE_DOUBLE, _F.CPPTYPE_FLOAT}


@dataclass(frozen=True)
class WordForge:
    """Makes requests whose words are real as often as not, so that deep code is reached.

    Attributes:
        chance: makes every choice.
        hostile: share of the values that are hostile, of one request: a single such value hides all that comes after.
    """

    chance: random.Random
    hostile: float

    def body(self, kind: Any, valid: Message) -> bytes:
        """The bytes of one message: in good faith with changes, random throughout, damaged or nonsense."""
        way = self.chance.random()
        message = GetMessageClass(kind)()
        if way > 0.3:
            message.CopyFrom(valid)
            self._deepen(message)
            self._fill(message, self.chance.choice((0.04, 0.12, 0.3)), 0)
        elif way > 0.1:
            self._fill(message, self.chance.choice((0.2, 0.6)), 0)
        elif way > 0.03:
            return arrow_streams.damaged(self.chance, valid.SerializeToString())
        else:
            return self._garbage()
        data = message.SerializeToString()
        return data if self.chance.random() > 0.03 else data + self._unknown_field()

    def _unknown_field(self) -> bytes:
        """A field that no message has, of one of the wire types."""
        return self.chance.choice(_UNKNOWN_FIELDS)

    def _deepen(self, message: Any) -> None:
        """Give a request a scenario text or a table, where it takes one: most of the engine lies behind these two."""
        fields = message.DESCRIPTOR.fields_by_name
        for name in _SCENARIOS & set(fields):
            if not fields[name].is_repeated and self.chance.random() > 0.4:
                getattr(message, name).yaml = scenario_texts.text(self.chance)
        if "arrow" in fields and not ("config" in fields and message.HasField("config")):
            message.arrow = arrow_streams.stream(self.chance)
        if "baseline" in fields:
            message.baseline = "2025-01-01"

    def _garbage(self) -> bytes:
        if self.chance.random() < 0.3:
            return b"\x0a\xff\xff\x7f" * self.chance.randrange(1, 20_000)
        return self.chance.randbytes(self.chance.randrange(1, 300))

    def _fill(self, message: Message, density: float, depth: int) -> None:
        for field in message.DESCRIPTOR.fields:
            if self.chance.random() < density:
                self._set(message, field, density, depth)
            elif _is_message(field) and not field.is_repeated and message.HasField(field.name):
                self._fill(getattr(message, field.name), density, depth + 1)

    def _set(self, message: Message, field: Any, density: float, depth: int) -> None:
        if _is_map(field):
            self._set_map(getattr(message, field.name), field)
        elif field.is_repeated:
            self._set_repeated(getattr(message, field.name), field, density, depth)
        elif _is_message(field):
            below = getattr(message, field.name)
            below.SetInParent()
            if depth < DEPTH_LIMIT:
                self._fill(below, density, depth + 1)
        else:
            setattr(message, field.name, self._scalar(field))

    def _set_map(self, target: Any, field: Any) -> None:
        key, value = field.message_type.fields
        for _ in range(self.chance.choice((1, 2, 300))):
            if value.message_type is None:
                target[self._scalar(key)] = self._scalar(value)

    def _set_repeated(self, target: Any, field: Any, density: float, depth: int) -> None:
        count = self.chance.choice((0, 1, 1, 2, 3, MANY))
        if _is_message(field) and depth < DEPTH_LIMIT:
            added = target.add()
            self._fill(added, density, depth + 1)
            target.extend([added] * (count - 1 if added.ByteSize() < 2_000 else 0))
        elif not _is_message(field):
            text = self._scalar(field)
            target.extend([text] * (count if not isinstance(text, str | bytes) or len(text) < 2_000 else 1))

    def _scalar(self, field: Any) -> Any:
        """A value of a field: of a number or enumeration one in its range, unless it is to be hostile."""
        if self.chance.random() < self.hostile:
            return self._hostile_value(field)
        if field.enum_type is not None:
            return self.chance.choice(tuple(field.enum_type.values_by_number))
        if field.cpp_type in _WHOLE:
            return self.chance.choice((0, 1, 2, 16, 100))
        if field.cpp_type in _FLOATING:
            return self.chance.choice((0.0, 0.25, 0.5, 1.0, 100.0))
        return self._hostile_value(field)

    def _hostile_value(self, field: Any) -> Any:
        if field.cpp_type in _INTEGER_RANGES:
            low, high = _INTEGER_RANGES[field.cpp_type]
            return self.chance.choice([number for number in INTEGERS if low <= number <= high])
        if field.cpp_type == _F.CPPTYPE_ENUM:
            return self.chance.choice((*field.enum_type.values_by_number, -1, 77, 2**31 - 1))
        if field.cpp_type == _F.CPPTYPE_BOOL:
            return self.chance.random() < 0.5
        if field.cpp_type in {_F.CPPTYPE_DOUBLE, _F.CPPTYPE_FLOAT}:
            return self.chance.choice(FLOATS)
        if field.type == _F.TYPE_BYTES:
            return self._bytes(field.name)
        return self._text(field.name)

    def _text(self, name: str) -> str:
        if name == "yaml":
            return scenario_texts.text(self.chance)
        known = words().get(name)
        if known and self.chance.random() >= self.hostile:
            return self.chance.choice(known)
        text = self.chance.choice(HOSTILE_TEXT)
        # Texts of megabytes are worth a few calls, and not every field of every call.
        return text if self.chance.random() < 0.2 else text[:SMALL_TEXT]

    def _bytes(self, name: str) -> bytes:
        if name == "parameter_csv":
            return self.chance.choice(parameter_files())
        return arrow_streams.stream(self.chance)


def _is_message(field: Any) -> bool:
    return bool(field.cpp_type == _F.CPPTYPE_MESSAGE)


def _is_map(field: Any) -> bool:
    return _is_message(field) and bool(field.message_type.GetOptions().map_entry)


def bodies_from(name: str, data: bytes) -> Sequence[bytes]:
    """The messages of one call of a method, the same for the same bytes."""
    chance = ByteChoices(data)
    method, forge = METHODS[name], WordForge(chance, chance.choice(_HOSTILE))
    count = chance.choice(_PARTS) if method.client_streaming else 1
    made = [forge.body(method.input_type, valid(method, place)) for place in range(count)]
    if len(made) > 1 and chance.random() < 0.2:
        chance.shuffle(made)
    return made


def choices(seed: int) -> bytes:
    """Bytes of choices by number."""
    return random.Random(seed).randbytes(LENGTH)


def metadata(chance: random.Random) -> tuple[tuple[str, str | bytes], ...]:
    """Metadata of a call: tokens, request ids and others, hostile as far as a client library lets them pass."""
    return tuple(_pairs(chance))


def _pairs(chance: random.Random) -> Iterator[tuple[str, str | bytes]]:
    for _ in range(chance.choice((1, 1, 2, 4))):
        name = chance.choice(_METADATA)
        if name.endswith("-bin"):
            yield name, chance.randbytes(chance.choice((0, 1, 200)))
        else:
            yield name, (_token(chance) if name == "authorization" else _value(chance))


def _token(chance: random.Random) -> str:
    kind = chance.choice(("Bearer ", "bearer ", "Basic ", "Bearer", "", "Bearer  "))
    return kind + chance.choice((_jwt(chance), _value(chance), "token-of-ann-0123456789abcdef"))


def _jwt(chance: random.Random) -> str:
    """A text in the form of a JSON web token, mostly with a header that a verifier must refuse."""
    header = {
        "alg": chance.choice(("none", "HS256", "RS256", "EdDSA", "", None, 5, ["RS256"], "none\0")),
        "typ": "JWT",
        "kid": chance.choice(("../../etc/passwd", "1", "' OR 1=1 --", "x" * 500)),
        "jwk": chance.choice(({}, {"kty": "oct", "k": "AA"}, None)),
        "crit": chance.choice((["b64"], None, [])),
    }
    claims = {
        "sub": chance.choice(("ann", "", "\u202e", "a" * 300, 5)),
        "exp": chance.choice((0, 2**63, -1, 1e308, "tomorrow", None)),
        "aud": chance.choice(("tariffs", ["tariffs"], {}, None)),
        "roles": chance.choice((["admin"], "admin", {"admin": True})),
    }
    parts = [_part(header), _part(claims), _part({"s": 1})[: chance.choice((0, 4, 43))]]
    return ".".join(parts[: chance.choice((3, 3, 3, 2, 1))])


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _value(chance: random.Random) -> str:
    return chance.choice(_VALUES)
