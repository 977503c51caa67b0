"""A stock client: every unary call through reflection alone, without generated code, its errors readable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tariffs.v1 import table_service_pb2
from tests.service.callers import stub_of
from tests.service.harness import TIMEOUT, Running
from tests.service.small_requests import CALLS
from tests.service.stored import until


def test_a_stock_client_makes_every_unary_call_and_reads_the_answer(served: Running) -> None:
    """As a tool such as grpcurl does, with the descriptors from reflection alone."""
    database = ProtoReflectionDescriptorDatabase(served.channel)
    pool = DescriptorPool(database)
    found = {}
    for service in database.get_services():
        for method in () if service.startswith("grpc.") else pool.FindServiceByName(service).methods:
            name = f"{method.containing_service.name}/{method.name}"
            if name in CALLS and not (method.client_streaming or method.server_streaming):
                request = ParseDict(CALLS[name], GetMessageClass(method.input_type)())
                found[name] = stub_of(served, method)(request, timeout=TIMEOUT)
    assert len(found) >= 10
    assert all(MessageToDict(answer)["provenance"]["runDigest"] for answer in found.values())
    assert float(found["DutyService/CalculateDuty"].assessed) > 0


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_answers_under_both_names_and_describes_itself(served: Running, version: str) -> None:
    package = f"grpc.reflection.{version}"
    call = served.channel.stream_stream(
        f"/{package}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    symbols = ("tariffs.v1.DutyService", f"{package}.ServerReflection", f"{package}.ServerReflectionRequest")
    asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
    asked += [reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol) for symbol in symbols]
    listed, *described = call(iter(asked), timeout=20)
    names = {service.name for service in listed.list_services_response.service}
    assert {"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"} <= names
    assert "tariffs.v1.DutyService" in names
    files = [
        FileDescriptorProto.FromString(one.file_descriptor_response.file_descriptor_proto[0])
        for one in described
    ]
    assert [file.package for file in files] == ["tariffs.v1", package, package]
    pool = DescriptorPool()
    pool.Add(files[1])
    method = pool.FindServiceByName(symbols[1]).methods[0]
    assert method.input_type.full_name == symbols[2]
    assert method.output_type.full_name == f"{package}.ServerReflectionResponse"


def test_idle_reflection_streams_hold_no_thread(served: Running) -> None:
    hold = threading.Event()

    def silent() -> Iterator[Any]:
        hold.wait(30)
        yield from ()

    with grpc.insecure_channel(f"127.0.0.1:{served.port}") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        before = served.server._admission.limit.held
        streams = [stub.ServerReflectionInfo(silent()) for _ in range(40)]
        until(lambda: served.server._admission.limit.held == before + 40)
        # Looked up in a thread of the pool that everything on disk shares.
        assert served.tables.ListTables(table_service_pb2.ListTablesRequest(), timeout=10) is not None
        assert served.server._admission.limit.held >= before + 40
        for one in streams:
            one.cancel()
        hold.set()
