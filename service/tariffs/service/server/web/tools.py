"""Tools for language models on the HTTP port: loaded by name at the first request, with calls of its own caller."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from tariffs.engine.errors import ServiceError
from tariffs.service.server.web.desk import ServerAccess

PATH = "/mcp"
_METHOD = "/tariffs.v1.LawService/GetServerInfo"


class ToolPages:
    """ASGI application of the tools; the service does not depend on its clients, only these tools and the desk do.

    Args:
        access: the client that makes the calls, and whose calls they are.

    Attributes:
        method: method whose callers may use the tools; each call of a tool is identified and admitted as any other.
    """

    method = _METHOD

    def __init__(self, access: ServerAccess) -> None:
        self._access = access
        self._loading = asyncio.Lock()
        self._app: Any = None

    def answers(self, path: str) -> bool:
        """Test whether a request is one for the tools."""
        return path == PATH

    async def load(self) -> None:
        """Load the tools, in a thread, as their libraries take a second; raises ServiceError EXTRA_MISSING."""
        async with self._loading:
            if self._app is None:
                self._app = await asyncio.to_thread(self._loaded)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        await self._app(scope, receive, send)

    def _loaded(self) -> Any:
        try:
            return import_module("tariffs.client.mcp.tool_server").HttpTools(self._access)
        except ModuleNotFoundError as error:
            raise ServiceError(
                "EXTRA_MISSING",
                f"The tools for language models need {error.name}.",
                fix="Install tariffs[mcp] on the server.",
            ) from error
