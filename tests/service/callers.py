"""Calls of a server by the names of its methods, as a caller with a token, and a scenario that callers keep."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.message_factory import GetMessageClass

from tariffs.v1 import contract
from tests.service.harness import TIMEOUT, Fault, Running, as_caller, fails

METHODS: dict[str, Any] = {
    method.name: method
    for service in (*contract.services(), operations_pb2.DESCRIPTOR.services_by_name["Operations"])
    for method in service.methods
}


def ask(server: Running, method: str, caller: str = "", /, **given: Any) -> Any:
    """The answer to a method's request with these fields; of a stream all messages."""
    found = METHODS[method]
    request = GetMessageClass(found.input_type)(**given)
    answer = stub_of(server, found)(request, timeout=TIMEOUT, **as_caller(caller) if caller else {})
    return list(answer) if found.server_streaming else answer


def refused(server: Running, method: str, caller: str = "", /, **given: Any) -> Fault:
    """The error of a call that must fail."""
    return fails(partial(ask, server, method, caller, **given))


def pages(server: Running, method: str, caller: str = "", /, *, size: int, **given: Any) -> Iterator[Any]:
    """The answers of a method that lists, each of so many things at the most."""
    token = ""
    while True:
        page = ask(server, method, caller, page_size=size, page_token=token, **given)
        yield page
        token = page.next_page_token
        if not token:
            return


def stub_of(server: Running, method: Any) -> Any:
    """Call a method by its descriptor."""
    kinds = (
        "stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming)
    )
    path = f"/{method.containing_service.full_name}/{method.name}"
    answer = GetMessageClass(method.output_type).FromString
    return getattr(server.channel, "_".join(kinds))(path, lambda message: message.SerializeToString(), answer)


def scenario_text(rate: str = "10%", name: str = "mine") -> str:
    """Write a scenario that callers keep on a server."""
    return SCENARIO.replace("RATE", rate).replace("NAME", name)


SCENARIO = """schema: tariffs.scenario/v1
id: NAME
title: Another rate of forced labor on China
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01T00:01-05:00, rate: RATE}
"""
