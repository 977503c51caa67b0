"""LawService.GetServerInfo and GetCaller: version and contract of this server, and the caller to it."""

from __future__ import annotations

from collections.abc import Sequence

from tariffs.engine.base.provenance import engine_version
from tariffs.service.rpc.laws import LAWS
from tariffs.service.wire.identity import ROLES, Caller
from tariffs.v1 import contract, law_service_pb2


def get_server_info(request: law_service_pb2.GetServerInfoRequest) -> law_service_pb2.ServerInfo:
    """Return the version of the program and of the law, the methods, and the fields of requests."""
    return law_service_pb2.ServerInfo(
        version=engine_version(),
        law_version=LAWS.default.version,
        methods=sorted(contract.methods()),
        request_fields=sorted(contract.request_fields()),
    )


def caller_message(
    who: Caller, quotas: Sequence[law_service_pb2.CallerQuota] = ()
) -> law_service_pb2.CallerInfo:
    """Convert a caller to a message, with every role that it has or that one of its roles includes."""
    return law_service_pb2.CallerInfo(
        name=who.owner,
        roles=[role for role in ROLES if who.has_role(role)],
        groups=sorted(who.groups),
        quotas=quotas,
    )


def get_local_caller(request: law_service_pb2.GetCallerRequest) -> law_service_pb2.CallerInfo:
    """Return the caller without a server: it may do everything."""
    return caller_message(Caller())
