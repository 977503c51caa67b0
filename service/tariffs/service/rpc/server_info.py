"""LawService.GetServerInfo: version and contract of this server."""

from __future__ import annotations

from tariffs.engine.base.provenance import engine_version
from tariffs.service.rpc.laws import LAWS
from tariffs.v1 import contract, law_service_pb2


def get_server_info(request: law_service_pb2.GetServerInfoRequest) -> law_service_pb2.ServerInfo:
    """Return the version of the program and of the law, the methods, and the fields of requests."""
    return law_service_pb2.ServerInfo(
        version=engine_version(),
        law_version=LAWS.default.version,
        methods=sorted(contract.methods()),
        request_fields=sorted(contract.request_fields()),
    )
