"""Read the messages of stored scenarios."""

from __future__ import annotations

from tariffs.client._wire import answers
from tariffs.client.results.law import CheckResult
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
    return answers.check(pb.CheckScenarioResponse(ok=check.ok, problems=check.problems))
