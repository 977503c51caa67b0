"""The token of calls to services that are not this project's: reflection and channelz. Health is open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from tariffs.engine.errors import ServiceError
from tariffs.service.calls import OPERATIONS, OWN
from tariffs.service.records import Context, request_id_of
from tariffs.service.status import grpc_code, status_of, trailers_of
from tariffs.service.tokens import Tokens, caller_of

_PASSED = (OWN, OPERATIONS, "/grpc.health.v1.")


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs alone
    """Refuses calls of other services that carry no token; calls of this project's are checked as `calls` has it.

    Args:
        tokens: those the server knows.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """The handler of a call, or one that refuses it."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(_PASSED):
            return handler  # type: ignore[no-any-return]
        try:
            caller_of(handler_call_details.invocation_metadata or (), "", self._tokens)
        except ServiceError as error:
            return _refusing(handler, error)
        return handler  # type: ignore[no-any-return]


def _refusing(handler: Any, error: ServiceError) -> grpc.RpcMethodHandler[Any, Any]:
    """Ends a call of the kind of a handler without reading it."""

    async def refuse(_requests: Any, context: Context) -> None:
        request_id = request_id_of(context.invocation_metadata())
        status = status_of(error, request_id)
        await context.abort(grpc_code(status), status.message, trailers_of(status, request_id))

    if handler.request_streaming and handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(refuse)
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(refuse)
    if handler.request_streaming:
        return grpc.stream_unary_rpc_method_handler(refuse)
    return grpc.unary_unary_rpc_method_handler(refuse)
