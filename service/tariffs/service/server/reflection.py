"""Server reflection v1 and v1alpha; gRPC's Python package has only v1alpha, whose messages are the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

_OLD, _NEW = "grpc.reflection.v1alpha", "grpc.reflection.v1"
_FILE = "grpc/reflection/v1/reflection.proto"
_SERVICE = f"{_NEW}.ServerReflection"


def add_reflection(services: Iterable[str], server: Any) -> None:
    """Add reflection of the services, and of itself, under both names.

    Args:
        server: takes generic handlers, as a server does.
    """
    _add_descriptor()
    # gRPC's own function would treat a registry that is not a grpc.aio server as a threaded server.
    servicer: Any = getattr(reflection, "aio").ReflectionServicer(  # noqa: B009 - the stubs lack it
        (*services, reflection.SERVICE_NAME, _SERVICE)
    )
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)
    call = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler(_SERVICE, {"ServerReflectionInfo": call})
    server.add_generic_rpc_handlers((handler,))


def _add_descriptor() -> None:
    """Add the descriptor of v1 to the pool: that of v1alpha under another package name."""
    file = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(file)
    file.name, file.package = _FILE, _NEW
    for message in file.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = _renamed(field.type_name)
    for method in file.service[0].method:
        method.input_type, method.output_type = _renamed(method.input_type), _renamed(method.output_type)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())


def _renamed(name: str) -> str:
    return name.replace(f".{_OLD}.", f".{_NEW}.")
