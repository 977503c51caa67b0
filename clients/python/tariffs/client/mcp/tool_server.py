"""Server of the tools by the Model Context Protocol: on standard input and output, or on HTTP requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import ToolAnnotations

from tariffs.client.client import Client
from tariffs.client.desk.access import Access
from tariffs.client.errors import client_version
from tariffs.client.mcp.question_tools import tools
from tariffs.client.mcp.questions import Questions, answering
from tariffs.client.mcp.tool_documents import NOTICE

PATH = "/mcp"
_TOOLS = (
    "quote", "quotes", "impact", "scenario_check", "scenario_run", "explain", "changes", "refund",
    "find",
)  # fmt: skip
_READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_INSTRUCTIONS = (
    "US import duty as dated, cited law. Every answer names its law version and legal sources; state both, and give "
    f"the range where facts are missing. {NOTICE}"
)
_BEARER = "bearer "


def tool_server(client: Client, schedule: str | Path | None = None) -> MCPServer[Any]:
    """Make the server of all tools, which are those of `Questions`."""
    server: MCPServer[Any] = MCPServer(
        "tariffs", instructions=_INSTRUCTIONS, version=client_version(), log_level="WARNING"
    )
    questions = Questions(client, schedule)
    for name in _TOOLS:
        server.add_tool(answering(getattr(questions, name)), annotations=_READS)
    for tool in tools(client):
        server.add_tool(answering(tool), annotations=_READS)
    return server


class HttpTools:
    """ASGI application of the tools: each request is whole in itself, and makes calls with its own bearer token."""

    def __init__(self, access: Access, schedule: str | Path | None = None) -> None:
        self._access = access
        self._server = tool_server(access.client, schedule)
        hosts = sorted(f"[{one}]" if ":" in one else one for one in access.hosts)
        self._security = TransportSecuritySettings(
            enable_dns_rebinding_protection=bool(hosts),
            allowed_hosts=[*hosts, *(f"{one}:*" for one in hosts)],
            allowed_origins=[f"http://{one}:*" for one in hosts],
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request by the streamable HTTP transport."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("authorization", "")
        token = given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else ""
        self._server.streamable_http_app(
            streamable_http_path=PATH,
            stateless_http=True,
            json_response=True,
            transport_security=self._security,
        )
        manager = self._server.session_manager
        with self._access.reading(scope, token):
            async with manager.run():
                await manager.handle_request(scope, receive, send)
