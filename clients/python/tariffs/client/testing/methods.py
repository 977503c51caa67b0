"""Look up the methods of the contract by name, with their messages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tariffs.client.errors import InvalidRequest

_SERVICES = ("duty", "law", "refund", "scenario", "simulation", "sweep", "table")


@dataclass(frozen=True, slots=True)
class Method:
    """Method of the contract.

    Attributes:
        path: its full name, as gRPC writes it.
        request: class of its requests.
        response: class of its answers.
        requests_stream: True if a call sends several requests.
        responses_stream: True if a call has several answers.
    """

    path: str
    request: type[Message]
    response: type[Message]
    requests_stream: bool
    responses_stream: bool


@cache
def methods() -> dict[str, Method]:
    """All methods by their name, such as CalculateDuty."""
    modules: list[Any] = [import_module(f"tariffs.v1.{name}_service_pb2") for name in _SERVICES]
    return {
        method.name: Method(
            f"/{service.full_name}/{method.name}",
            GetMessageClass(method.input_type),
            GetMessageClass(method.output_type),
            method.client_streaming,
            method.server_streaming,
        )
        for module in (*modules, operations_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


def method_named(name: str) -> Method:
    """Look up a method; raises InvalidRequest for a name that the contract does not have."""
    if name not in methods():
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"The contract has no method {name!r}.",
            field="method",
            fix=f"Give one of {', '.join(sorted(methods()))}.",
        )
    return methods()[name]


def kind_of(method: Method) -> str:
    """Kind of the method in gRPC's words, such as unary_stream."""
    words = (
        "stream" if streaming else "unary" for streaming in (method.requests_stream, method.responses_stream)
    )
    return "_".join(words)
