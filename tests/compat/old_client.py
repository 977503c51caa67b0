"""A client made from the contract of an earlier release; it knows nothing of today's.

Runs in a process of its own, where only that release's generated code can be imported. Reads the requests of
`calls.json`, makes each call and writes the answers it understood as one JSON object.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2  # noqa: F401 - details of failures inside answers

TIMEOUT = 120.0


def services(folder: Path) -> dict[str, tuple[Any, Any]]:
    """Descriptor and stub class of every service that the contract in `folder` has, by its short name."""
    found = {}
    for path in sorted(folder.glob("tariffs/v1/*_service.proto")):
        code = importlib.import_module(f"tariffs.v1.{path.stem}_pb2")
        stubs = importlib.import_module(f"tariffs.v1.{path.stem}_pb2_grpc")
        for name, service in code.DESCRIPTOR.services_by_name.items():
            found[name] = service, getattr(stubs, f"{name}Stub")
    return found


def answers(folder: Path, target: str) -> dict[str, list[dict[str, Any]]]:
    """What every RPC of the contract answers, as lists of messages."""
    calls = json.loads((folder / "calls.json").read_text(encoding="utf-8"))
    found = {}
    with grpc.insecure_channel(target, options=[("grpc.max_receive_message_length", 16 << 20)]) as channel:
        for service, (descriptor, stub) in services(folder).items():
            for method in descriptor.methods:
                name = f"{service}/{method.name}"
                request = ParseDict(calls[name], GetMessageClass(method.input_type)())
                answer = getattr(stub(channel), method.name)(request, timeout=TIMEOUT)
                messages = answer if method.server_streaming else [answer]
                found[name] = [MessageToDict(message) for message in messages]
    return found


if __name__ == "__main__":
    json.dump(answers(Path(sys.argv[1]), sys.argv[2]), sys.stdout)
