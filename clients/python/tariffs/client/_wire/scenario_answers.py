"""Convert messages about scenarios: those of the library, checks, differences and stored ones."""

from __future__ import annotations

from collections.abc import Iterable

from tariffs.client._wire.answers import enum_name
from tariffs.client.results.law import Parameter, ScenarioInfo
from tariffs.client.results.scenario_check import CheckResult, Difference, Problem
from tariffs.client.results.stored_scenario import ScenarioEvent, StoredScenario
from tariffs.v1 import scenario_service_pb2 as pb

_KIND = "SCENARIO_EVENT_KIND_"


def stored_of(message: pb.StoredScenario) -> StoredScenario:
    """Convert a stored scenario."""
    return StoredScenario(
        name=message.name,
        version=message.version,
        digest=message.digest,
        title=message.title,
        etag=message.etag,
        shared_with=message.shared_with,
        create_time=message.create_time,
        update_time=message.update_time,
        text=message.yaml,
        check=_check(message),
        check_law_version=message.check.law_version,
    )


def event_of(message: pb.ScenarioEvent) -> ScenarioEvent:
    """Convert an event; one of a newer server has its kind as the wire names it."""
    kinds = pb.ScenarioEventKind.DESCRIPTOR.values_by_number
    kind = kinds[message.kind].name if message.kind in kinds else str(message.kind)
    return ScenarioEvent(
        number=message.number,
        kind=kind.removeprefix(_KIND).lower(),
        name=message.name,
        version=message.version,
        time=message.time,
        check=_check(message),
        check_law_version=message.check.law_version,
    )


def _check(message: pb.StoredScenario | pb.ScenarioEvent) -> CheckResult | None:
    if not message.HasField("check"):
        return None
    check = message.check
    return check_of(pb.CheckScenarioResponse(ok=check.ok, problems=check.problems))


def differences(message: pb.DiffScenariosResponse) -> tuple[Difference, ...]:
    """Convert the differences of two scenarios."""
    return tuple(
        Difference(
            one.kind,
            one.id,
            one.authority,
            one.direction,
            one.start_time,
            one.end_time,
            one.first,
            one.second,
            one.text,
            one.goods,
        )
        for one in message.differences
    )


def scenario(message: pb.Scenario) -> ScenarioInfo:
    """Convert a scenario of the library."""
    return ScenarioInfo(
        id=message.id,
        title=message.title,
        description=message.description,
        basis=enum_name(pb.ScenarioBasis.Name(message.basis), "SCENARIO_BASIS_"),
        parents=tuple(message.parents),
        digest=message.digest,
        tags=tuple(message.tags),
        text=message.yaml,
        parameters=_parameters(message.parameters),
    )


def _parameters(messages: Iterable[pb.Parameter]) -> tuple[Parameter, ...]:
    return tuple(Parameter(one.name, one.kind, one.default_value, one.value, one.title) for one in messages)


def check_of(message: pb.CheckScenarioResponse) -> CheckResult:
    """Convert the problems of a scenario."""
    return CheckResult(
        ok=message.ok,
        problems=tuple(
            Problem(
                one.path,
                one.line or None,
                one.column or None,
                one.reason,
                one.message,
                one.fix,
                enum_name(pb.Severity.Name(one.severity), "SEVERITY_"),
            )
            for one in message.problems
        ),
        parameters=_parameters(message.parameters),
    )
