"""Requests with a field that the server does not know are refused by name, at any depth, never answered without it."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest
from google.protobuf.message import Message

from tariffs.client.errors import Unsupported, from_rpc_error
from tariffs.engine.base.provenance import engine_version
from tariffs.service.rpc.law import get_server_info
from tariffs.service.wire.requests import check_known
from tariffs.v1 import contract, duty_service_pb2, law_service_pb2
from tests.service.harness import TIMEOUT, Running, fails, line

DUTY = "/tariffs.v1.DutyService/CalculateDuty"


def field(number: int, value: int) -> bytes:
    """The bytes of a whole number in a field of number 16 to 2047."""
    key = number << 3
    return bytes([key & 0x7F | 0x80, key >> 7, value])


def nested(number: int, inside: bytes) -> bytes:
    """The bytes of a message in a field of number 1 to 15."""
    return bytes([number << 3 | 2, len(inside)]) + inside


def ask(server: Running, raw: bytes) -> Callable[[], bytes]:
    call = server.channel.unary_unary(DUTY, lambda data: data, lambda data: data)
    return lambda: call(raw, timeout=TIMEOUT)


LINE = duty_service_pb2.CalculateDutyRequest.DESCRIPTOR.fields_by_name["line"].number
CLAIMS = duty_service_pb2.EntryLine.DESCRIPTOR.fields_by_name["claims"].number


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        (field(1999, 1), "CalculateDutyRequest"),
        (nested(LINE, field(1999, 1)), "EntryLine"),
        (nested(LINE, nested(CLAIMS, field(1999, 1))), "Claims"),
    ],
)
def test_an_unknown_field_is_named_with_its_message(served: Running, extra: bytes, name: str) -> None:
    raw = line().SerializeToString() + extra
    fault = fails(ask(served, raw))
    assert (fault.code, fault.reason) == (grpc.StatusCode.UNIMPLEMENTED, "FIELD_UNKNOWN")
    assert fault.metadata["message"] == name
    assert (fault.metadata["number"], fault.metadata["server_version"]) == ("1999", engine_version())
    with pytest.raises(grpc.RpcError) as caught:
        ask(served, raw)()
    typed = from_rpc_error(caught.value, "here")
    assert isinstance(typed, Unsupported)
    assert f"does not know field 1999 of {name}; this client is tariffs" in typed.message


def test_the_client_names_a_field_that_it_knows() -> None:
    number = duty_service_pb2.CalculateDutyRequest.DESCRIPTOR.fields_by_name["explain"].number
    assert contract.field_name("CalculateDutyRequest", number) == "explain"


def test_a_known_request_is_answered(served: Running) -> None:
    assert ask(served, line().SerializeToString())()


def test_messages_of_other_packages_may_grow() -> None:
    from google.longrunning.operations_pb2 import GetOperationRequest

    raw = GetOperationRequest(name="operations/x").SerializeToString() + field(1999, 1)
    message: Message = GetOperationRequest.FromString(raw)
    check_known(message, raw, GetOperationRequest.FromString)


def test_the_server_lists_its_contract(served: Running) -> None:
    request = law_service_pb2.GetServerInfoRequest()
    there = served.law.GetServerInfo(request, timeout=TIMEOUT)
    assert there == get_server_info(request)
    assert there.version == engine_version()
    assert "DutyService/CalculateDuty" in there.methods
    assert {"CalculateDutyRequest.line", "EntryLine.customs_value", "Point.on"} <= set(there.request_fields)
    assert not any(name.startswith("CalculateDutyResponse.") for name in there.request_fields)
