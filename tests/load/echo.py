"""A server that computes nothing: what gRPC alone costs, measured beside the real one.

`python -m tests.load.echo FILE` answers every unary call with the bytes of the file, and streams lines in three ways.
It prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from tests.load import lines

RECEIVE_LIMIT = 8 << 20


class Echo(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs alone
    """Gives a canned answer to unary calls, and lines to those of `lines.SERVICE`."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """The handler of a call."""
        service, method = handler_call_details.method.removeprefix("/").split("/")
        if service == lines.SERVICE:
            return grpc.unary_stream_rpc_method_handler(lines.STREAMS[method])
        return grpc.unary_unary_rpc_method_handler(self._unary)

    async def _unary(self, request: bytes, context: Any) -> bytes:
        return self._answer


async def serve(answer: bytes) -> None:
    """Serve until the standard input ends."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", RECEIVE_LIMIT)])
    server.add_generic_rpc_handlers((Echo(answer),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).read_bytes()))
