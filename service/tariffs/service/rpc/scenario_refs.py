"""Find the scenarios that a request names, and put the texts of stored ones in place of their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor

from tariffs.service.storage.scenario_names import PREFIX, StoredName, StoredVersion, parse_name
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import common_pb2

Find = Callable[[StoredName, str], StoredVersion]
_REF = common_pb2.ScenarioRef.DESCRIPTOR.full_name


def has_scenarios(descriptor: Descriptor) -> bool:
    """Return True if requests of a type name scenarios."""
    return bool(_fields(descriptor))


def names_stored(request: Any) -> bool:
    """Return True if a request names a stored scenario, or has what only the server may set."""
    return any(ref.name.startswith(PREFIX) or ref.stored_name for ref, _ in refs_of(request))


def put_texts(request: Any, find: Find) -> None:
    """Put the text of each stored scenario that a request names in place of its name; blocks.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND, SCENARIO_CHANGED.
        InputError: REQUEST_INVALID.
    """
    for ref, field in refs_of(request):
        if ref.stored_name or ref.stored_version:
            raise request_invalid("stored_name is set by the server alone.", field, "Leave it out.")
        if not ref.name.startswith(PREFIX):
            continue
        found = find(parse_name(ref.name, field), field)
        ref.yaml = found.text
        ref.stored_name, ref.stored_version = found.full_name, found.version


def refs_of(request: Any, path: str = "") -> Iterator[tuple[Any, str]]:
    """Yield the scenarios that a request names, each with its field."""
    for name, is_repeated, is_ref in _fields(request.DESCRIPTOR):
        value, field = getattr(request, name), path + name
        if is_repeated:
            found = [(one, f"{field}[{index}]") for index, one in enumerate(value)]
        else:
            found = [(value, field)] if is_ref or request.HasField(name) else []
        for one, place in found:
            if is_ref:
                yield one, place
            else:
                yield from refs_of(one, f"{place}.")


def add_stored(provenance: common_pb2.Provenance, request: Any) -> None:
    """Add names and versions of stored scenarios to a provenance, from the request that has them."""
    if not has_scenarios(request.DESCRIPTOR):
        return
    refs = {ref.stored_name: ref for ref, _ in refs_of(request) if ref.stored_name}
    for ref in refs.values():
        for one in provenance.scenarios:
            if one.id == ref.stored_name.rpartition("/")[2]:
                one.stored_name, one.stored_version = ref.stored_name, ref.stored_version


@lru_cache(maxsize=256)
def _fields(descriptor: Descriptor) -> tuple[tuple[str, bool, bool], ...]:
    """Return the fields of a message that are scenarios or hold some: whether they are lists, and whether scenarios."""
    own = [(field, field.message_type) for field in descriptor.fields if field.message_type is not None]
    return tuple(
        (field.name, bool(field.is_repeated), kind.full_name == _REF)
        for field, kind in own
        # Messages of others, such as Struct, may hold themselves.
        if kind.full_name == _REF or (kind.file.package == descriptor.file.package and _fields(kind))
    )
