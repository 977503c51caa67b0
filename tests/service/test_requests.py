"""Unknown fields, wrong parameters, page tokens and names in requests are refused, each by its reason."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
import pytest
from google.longrunning.operations_pb2 import GetOperationRequest

from tariffs.client.errors import Unsupported, from_rpc_error
from tariffs.engine.base.provenance import engine_version
from tariffs.engine.errors import InputError
from tariffs.service.rpc.law import get_server_info
from tariffs.service.storage.access import (
    PAGE_DEFAULT,
    PAGE_LIMIT,
    is_created_and_key,
    page_size,
    read_token,
    write_token,
)
from tariffs.service.storage.run_rows import id_of
from tariffs.service.storage.table_store import digest_of
from tariffs.service.wire.requests import check_known
from tariffs.v1 import contract, duty_service_pb2, law_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.callers import ask, refused
from tests.service.harness import TIMEOUT, Running, fails, fault_of, line, points

DUTY = "/tariffs.v1.DutyService/CalculateDuty"
NAME, DAY = "rates-by-country", "2026-11-24"


def field(number: int, value: int) -> bytes:
    """The bytes of a whole number in a field of number 16 to 2047."""
    key = number << 3
    return bytes([key & 0x7F | 0x80, key >> 7, value])


def nested(number: int, inside: bytes) -> bytes:
    """The bytes of a message in a field of number 1 to 15."""
    return bytes([number << 3 | 2, len(inside)]) + inside


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
    call = served.channel.unary_unary(DUTY, lambda data: data, lambda data: data)
    with pytest.raises(grpc.RpcError) as caught:
        call(raw, timeout=TIMEOUT)
    fault = fault_of(caught.value)
    assert (fault.code, fault.reason) == (grpc.StatusCode.UNIMPLEMENTED, "FIELD_UNKNOWN")
    assert fault.metadata["message"] == name
    assert (fault.metadata["number"], fault.metadata["server_version"]) == ("1999", engine_version())
    typed = from_rpc_error(caught.value, "here")
    assert isinstance(typed, Unsupported)
    assert f"does not know field 1999 of {name}; this client is tariffs" in typed.message
    number = duty_service_pb2.CalculateDutyRequest.DESCRIPTOR.fields_by_name["explain"].number
    assert contract.field_name("CalculateDutyRequest", number) == "explain"


def test_messages_of_other_packages_may_grow() -> None:
    raw = GetOperationRequest(name="operations/x").SerializeToString() + field(1999, 1)
    check_known(GetOperationRequest.FromString(raw), raw, GetOperationRequest.FromString)


def test_the_server_lists_its_contract(served: Running) -> None:
    there = ask(served, "GetServerInfo")
    assert there == get_server_info(law_service_pb2.GetServerInfoRequest())
    assert there.version == engine_version()
    assert "DutyService/CalculateDuty" in there.methods
    assert {"CalculateDutyRequest.line", "EntryLine.customs_value", "Point.on"} <= set(there.request_fields)
    assert not any(name.startswith("CalculateDutyResponse.") for name in there.request_fields)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"cm": "1%"}, "PARAMETER_UNKNOWN"),
        ({"cn": "x"}, "PARAMETER_INVALID"),
        ({"cn": "1" * 300}, "REQUEST_INVALID"),
    ],
)
def test_a_wrong_parameter_is_refused_by_every_method(
    served: Running, parameters: dict[str, str], reason: str
) -> None:
    named, run = {"name": NAME}, {"points": points((NAME, DAY)), "scenario_parameters": parameters}
    period = {"start": DAY, "end": DAY, "scenarios": [named], "scenario_parameters": parameters}
    for method, given in (
        ("CalculateDuty", {"line": line(entry=DAY).line, "scenario": named, "parameters": parameters}),
        ("Simulate", run),
        ("Timeline", period),
        ("StartRun", {"simulate": run, "request_id": "a"}),
        ("GetScenario", {"id": NAME, "parameters": parameters}),
    ):
        assert refused(served, method, **given).reason == reason, method
    lines = {"points": run["points"], "parameters": parameters}
    stream = iter([pb.SimulateLinesRequest(config=lines)])
    assert fails(lambda: list(served.simulation.SimulateLines(stream, timeout=TIMEOUT))).reason == reason


token_of = partial(read_token, is_place=is_created_and_key)


def token(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_a_token_is_read_back_and_pages_have_a_size_up_to_the_limit() -> None:
    assert tuple(token_of(write_token(12.5, "0af9"))) == (12.5, "0af9")
    assert [page_size(asked) for asked in (0, 1, 10**9)] == [PAGE_DEFAULT, 1, PAGE_LIMIT]


@pytest.mark.parametrize(
    ("read", "reason", "given"),
    [
        (page_size, "REQUEST_INVALID", [-1]),
        (token_of, "PAGE_TOKEN_INVALID", ["no token", "é"]),
        (token_of, "PAGE_TOKEN_INVALID", [token([1, "a"]), token([1.5]), token([1.5, 2])]),
        (token_of, "PAGE_TOKEN_INVALID", [token([1.5, "a\x00"]), token([1.5, "a'; drop table runs"])]),
        (token_of, "PAGE_TOKEN_INVALID", [token([float("nan"), "a"]), token({"created": 1.5})]),
        (id_of, "RUN_NOT_FOUND", ["", "base", "operations/", "operations/../x", "operations/\x00"]),
        (id_of, "RUN_NOT_FOUND", ["operations/" + "g" * 32]),
        (digest_of, "TABLE_NOT_FOUND", ["", "tables/", "tables/../../etc/passwd"]),
        (digest_of, "TABLE_NOT_FOUND", ["tables/" + "A" * 64, "tables/" + "0" * 63]),
    ],
)
def test_a_wrong_token_size_or_id_is_told(read: Callable[[Any], Any], reason: str, given: list[Any]) -> None:
    for one in given:
        with pytest.raises(InputError) as caught:
            read(one)
        assert caught.value.reason == reason
