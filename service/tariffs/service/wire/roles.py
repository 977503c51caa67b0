"""Role that a caller needs for each method, as data; a test compares it with the descriptors of all services.

read: quotes, law, scenarios, and what one's runs and tables are. run: everything that computes over a table or stores
something. admin: everything, tables and runs of other owners included. Each role includes those before it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tariffs.engine.errors import ServiceError
from tariffs.service.wire.identity import ADMIN, READ, RUN, Caller, caller

ANY = ""
"""For methods that need no role: any identified caller may call them."""

REFLECTION_METHODS = tuple(
    f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha")
)
ROLES_NEEDED: Mapping[str, str] = {
    "/tariffs.v1.DutyService/CalculateDuty": READ,
    "/tariffs.v1.DutyService/BatchCalculateDuties": READ,
    "/tariffs.v1.LawService/GetLaw": READ,
    "/tariffs.v1.LawService/ListMeasures": READ,
    "/tariffs.v1.LawService/GetMeasure": READ,
    # Its effect on a table is a run: the handler asks for that role.
    "/tariffs.v1.LawService/ListChanges": READ,
    "/tariffs.v1.LawService/CalculatePortFee": READ,
    "/tariffs.v1.LawService/ListVersions": READ,
    "/tariffs.v1.LawService/WatchVersions": READ,
    # Clients ask for the server's version before anything else.
    "/tariffs.v1.LawService/GetServerInfo": ANY,
    "/tariffs.v1.LawService/GetCaller": ANY,
    "/tariffs.v1.RefundService/CalculateRefunds": RUN,
    "/tariffs.v1.ScenarioService/ListScenarios": READ,
    "/tariffs.v1.ScenarioService/GetScenario": READ,
    "/tariffs.v1.ScenarioService/CheckScenario": READ,
    "/tariffs.v1.ScenarioService/DiffScenarios": READ,
    "/tariffs.v1.ScenarioService/SaveScenario": RUN,
    "/tariffs.v1.ScenarioService/GetStoredScenario": READ,
    "/tariffs.v1.ScenarioService/ListStoredScenarios": READ,
    "/tariffs.v1.ScenarioService/ListScenarioVersions": READ,
    "/tariffs.v1.ScenarioService/ShareScenario": RUN,
    "/tariffs.v1.ScenarioService/DeleteScenario": RUN,
    "/tariffs.v1.ScenarioService/WatchScenarios": READ,
    "/tariffs.v1.SimulationService/Simulate": RUN,
    "/tariffs.v1.SimulationService/SimulateGroups": RUN,
    "/tariffs.v1.SimulationService/Timeline": RUN,
    "/tariffs.v1.SimulationService/SimulateLines": RUN,
    "/tariffs.v1.SimulationService/StartRun": RUN,
    "/tariffs.v1.SimulationService/ReadRun": READ,
    "/tariffs.v1.SimulationService/ShareRun": RUN,
    "/tariffs.v1.SweepService/Sweep": RUN,
    "/tariffs.v1.SweepService/Seek": RUN,
    "/tariffs.v1.TableService/UploadTable": RUN,
    "/tariffs.v1.TableService/GetTable": READ,
    "/tariffs.v1.TableService/ListTables": READ,
    "/tariffs.v1.TableService/DeleteTable": RUN,
    "/tariffs.v1.TableService/ShareTable": RUN,
    "/tariffs.v1.TableService/CheckTable": RUN,
    "/google.longrunning.Operations/GetOperation": READ,
    "/google.longrunning.Operations/ListOperations": READ,
    "/google.longrunning.Operations/WaitOperation": READ,
    "/google.longrunning.Operations/CancelOperation": RUN,
    "/google.longrunning.Operations/DeleteOperation": RUN,
    **dict.fromkeys(REFLECTION_METHODS, ANY),
    # Addresses of other callers are among its answers.
    "/grpc.channelz.v1.Channelz/GetTopChannels": ADMIN,
    "/grpc.channelz.v1.Channelz/GetServers": ADMIN,
    "/grpc.channelz.v1.Channelz/GetServer": ADMIN,
    "/grpc.channelz.v1.Channelz/GetServerSockets": ADMIN,
    "/grpc.channelz.v1.Channelz/GetChannel": ADMIN,
    "/grpc.channelz.v1.Channelz/GetSubchannel": ADMIN,
    "/grpc.channelz.v1.Channelz/GetSocket": ADMIN,
}
"""Role by the full name of the method. A method without an entry needs admin."""


def check_role(who: Caller, role: str, what: str) -> None:
    """Refuse a caller without a role.

    Args:
        who: the caller.
        role: the role needed.
        what: what it is needed for, such as `SimulationService/Simulate`.

    Raises:
        ServiceError: NOT_ALLOWED, naming the role.
    """
    if role == ANY or who.has_role(role):
        return
    held = ", ".join(sorted(who.roles)) or "none"
    raise ServiceError(
        "NOT_ALLOWED",
        f"{what} needs the role {role}; {who.owner!r} has the roles: {held}.",
        fix="Ask the operators of the server for the role; `tariffs whoami` shows yours.",
        metadata={"role": role},
    )


def require_role(role: str, what: str) -> None:
    """Refuse the current call without a role; raises as `check_role`."""
    check_role(caller(), role, what)
