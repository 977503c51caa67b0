"""Methods of the contract, and a request in good faith for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass

import tariffs.v1
from tests.service.hostile import good_table, stream_of

VALID: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[1] / "compat" / "v1_0" / "calls.json").read_text(encoding="utf-8")
)

POINT = {"scenario": {"name": "base"}, "on": "2026-07-01"}
VALID |= {
    "SimulationService/StartRun": {
        "simulate": {"points": [POINT], "response": "RESPONSE_MODEL_NONE"},
        "requestId": "hostile-1",
    },
    "SimulationService/SimulateLines": {"config": {"points": [POINT]}},
    "SweepService/Sweep": {
        "scenario": {"name": "base"},
        "on": "2026-07-01",
        "grid": {"axes": [{"name": "elasticity.sigma", "values": ["x0.5:x1:x0.5"]}]},
        "response": "RESPONSE_MODEL_NONE",
    },
    "SweepService/Seek": {
        "scenario": {"name": "rates-by-country"},
        "parameter": "start",
        "low": "2027-01-01",
        "high": "2027-01-02",
        "column": "duty",
        "target": 1e9,
        "response": "RESPONSE_MODEL_NONE",
    },
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
