"""A server that computes nothing, to measure the cost of gRPC and messages alone.

`python -m tests.tools.load.echo FILE` answers every quote with the message in the file, as generated code has it,
and streams lines in two ways, on the event loop of the service. It prints its port and serves until its standard
input ends.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import uvloop

from tariffs.v1 import duty_service_pb2 as pb
from tariffs.v1 import duty_service_pb2_grpc
from tests.tools.load import lines

RECEIVE_LIMIT = 8 << 20


class Canned(duty_service_pb2_grpc.DutyServiceServicer):
    """Gives one answer to every quote."""

    def __init__(self, answer: pb.CalculateDutyResponse) -> None:
        self._answer = answer

    async def CalculateDuty(  # noqa: N802 - the name on the wire
        self, request: pb.CalculateDutyRequest, context: Any
    ) -> pb.CalculateDutyResponse:
        """The answer."""
        return self._answer


async def serve(answer: bytes) -> None:
    """Serve until the standard input ends."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", RECEIVE_LIMIT)])
    canned = Canned(pb.CalculateDutyResponse.FromString(answer))
    duty_service_pb2_grpc.add_DutyServiceServicer_to_server(canned, server)
    streams = {name: grpc.unary_stream_rpc_method_handler(stream) for name, stream in lines.STREAMS.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(lines.SERVICE, streams),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]).read_bytes()))
