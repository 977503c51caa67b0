"""Role that a caller needs for each method, as data; a test compares it with the descriptors of all services.

read: quotes, law, scenarios, and what one's runs and tables are. run: everything that computes over a table or stores
something. admin: everything, tables and runs of other owners included. Each role includes those before it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tariffs.engine.errors import ServiceError
from tariffs.questions.index import INDEX
from tariffs.service.wire.identity import ADMIN, READ, RUN, Caller, caller

ANY = ""
"""For methods that need no role: any identified caller may call them."""

REFLECTION_METHODS = tuple(
    f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha")
)
_METHODS: Mapping[str, Mapping[str, str]] = {
    # Clients ask for the server's version before anything else.
    ANY: {"tariffs.v1.LawService": "GetServerInfo GetCaller"},
    READ: {
        "tariffs.v1.DutyService": "CalculateDuty BatchCalculateDuties CompareCodes",
        # The effect of changes on a table is a run: the handler asks for that role.
        "tariffs.v1.LawService": "GetLaw ListMeasures GetMeasure ListCodes ListChanges CalculatePortFee ListVersions "
        "WatchVersions",
        "tariffs.v1.ScenarioService": "ListScenarios GetScenario CheckScenario DiffScenarios GetStoredScenario "
        "ListStoredScenarios ListScenarioVersions WatchScenarios",
        "tariffs.v1.SimulationService": "ReadRun",
        "tariffs.v1.TableService": "GetTable ListTables",
        "google.longrunning.Operations": "GetOperation ListOperations WaitOperation",
    },
    RUN: {
        "tariffs.v1.DutyService": "CalculateBom ListWatchEvents",
        "tariffs.v1.RefundService": "CalculateRefunds",
        "tariffs.v1.ScenarioService": "SaveScenario ShareScenario DeleteScenario",
        "tariffs.v1.SimulationService": "Simulate Timeline CalculateCollections CompareTrade "
        "SimulateLines StartRun ShareRun SolveWorld",
        "tariffs.v1.SweepService": "Sweep Seek",
        "tariffs.v1.TableService": "UploadTable DeleteTable ShareTable CheckTable",
        "google.longrunning.Operations": "CancelOperation DeleteOperation",
    },
    ADMIN: {
        # Addresses of other callers are among its answers.
        "grpc.channelz.v1.Channelz": "GetTopChannels GetServers GetServer GetServerSockets GetChannel GetSubchannel "
        "GetSocket",
    },
}
ROLES_NEEDED: Mapping[str, str] = {
    **dict.fromkeys(REFLECTION_METHODS, ANY),
    **{
        f"/{service}/{method}": role
        for role, services in _METHODS.items()
        for service, methods in services.items()
        for method in methods.split()
    },
    **{f"/tariffs.v1.{one.service}/{one.method}": one.role for one in INDEX.values()},
}
"""Role by the full name of the method. A method without an entry needs admin."""


def check_role(who: Caller, role: str, what: str) -> None:
    """Refuse a caller without a role.

    Args:
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
