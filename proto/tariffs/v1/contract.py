"""List what the contract of this installation has: methods, and fields of their requests."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import tariffs.v1


@cache
def methods() -> frozenset[str]:
    """Methods as `DutyService/CalculateDuty`."""
    return frozenset(f"{service.name}/{method.name}" for service in services() for method in service.methods)


@cache
def request_fields() -> frozenset[str]:
    """Fields of requests and of the messages within them, as `SimulateRequest.points`."""
    seen: dict[str, Any] = {}
    waiting = [method.input_type for service in services() for method in service.methods]
    while waiting:
        message = waiting.pop()
        if message.full_name not in seen and message.file.package == tariffs.v1.__name__:
            seen[message.full_name] = message
            waiting += [field.message_type for field in message.fields if field.message_type is not None]
    return frozenset(f"{message.name}.{field.name}" for message in seen.values() for field in message.fields)


def field_name(message: str, number: int) -> str:
    """Name of a field of a message by its number; `field 7` where this contract has none."""
    for name in _modules():
        found = name.DESCRIPTOR.message_types_by_name.get(message)
        if found is not None and number in found.fields_by_number:
            return str(found.fields_by_number[number].name)
    return f"field {number}"


def services() -> list[Any]:
    """Descriptors of all services."""
    return [service for one in _modules() for service in one.DESCRIPTOR.services_by_name.values()]


@cache
def _modules() -> tuple[Any, ...]:
    names = {module.name for module in iter_modules(tariffs.v1.__path__) if module.name.endswith("_pb2")}
    return tuple(import_module(f"tariffs.v1.{name}") for name in sorted(names))
