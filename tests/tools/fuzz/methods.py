"""Methods of the contract, and a request in good faith for each."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass

import tariffs.v1
from tests.service.small_requests import POINT, SMALL
from tests.tools.fuzz.hostile import good_table, stream_of

VALID: dict[str, Any] = SMALL | {
    "SimulationService/StartRun": {
        "simulate": {"points": [POINT], "response": "RESPONSE_MODEL_NONE"},
        "requestId": "hostile-1",
    },
    "SimulationService/SimulateLines": {"config": {"points": [POINT]}},
    "LawService/CalculatePortFee": {"on": "2025-10-20"},
    "TableService/CheckTable": {},
    "Operations/ListOperations": {"pageSize": 10},
    "Operations/WaitOperation": {"name": "operations/none", "timeout": "0.1s"},
}


def methods() -> Iterator[Any]:
    """Every method of every service that the contract has."""
    names = [module.name for module in iter_modules(tariffs.v1.__path__) if module.name.endswith("_pb2")]
    modules = [import_module(f"tariffs.v1.{name}") for name in sorted(set(names))]
    for module in (*modules, operations_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from service.methods


METHODS = {f"{method.containing_service.name}/{method.name}": method for method in methods()}


def valid(method: Any, place: int) -> Any:
    """A request in good faith, where one is known, and the messages of a stream by their place in it."""
    name = f"{method.containing_service.name}/{method.name}"
    message: Any = ParseDict(VALID.get(name, {}), GetMessageClass(method.input_type)())
    if "arrow" in message.DESCRIPTOR.fields_by_name and (place or not VALID.get(name, {}).get("config")):
        message.arrow = stream_of(good_table())
    return message
