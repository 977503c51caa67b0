"""Convert stored scenarios, their checks and their events to messages."""

from __future__ import annotations

from typing import Any

from tariffs.engine.errors import InputError
from tariffs.engine.scenario import library, parse_scenario
from tariffs.service.rpc.messages import message_of, time_text
from tariffs.service.storage.scenario_names import StoredText, StoredVersion, name_of
from tariffs.service.wire.status import request_invalid, too_large
from tariffs.v1 import scenario_service_pb2 as pb

TEXT_LIMIT = 256 << 10


def text_of(request: pb.SaveScenarioRequest) -> str:
    """Return the text of a request to store one; raises InputError BATCH_TOO_LARGE, REQUEST_INVALID."""
    size = len(request.yaml.encode())
    if size > TEXT_LIMIT:
        raise too_large(
            f"The scenario has {size:,} bytes; the limit of stored ones is {TEXT_LIMIT:,}.",
            "yaml",
            "Split it, or send it with the call.",
            size,
            TEXT_LIMIT,
        )
    if "\0" in request.yaml:
        raise request_invalid("The scenario has a null character.", "yaml", "Remove it.")
    return request.yaml


def to_store(text: str, law_digest: str, check: pb.ScenarioCheck) -> StoredText:
    """Return a checked text as it is stored.

    Raises:
        ScenarioError: an invalid text.
        InputError: REQUEST_INVALID for the id of a scenario of the library.
    """
    scenario = parse_scenario(text, "yaml")
    if scenario.id in library():
        raise InputError(
            "REQUEST_INVALID",
            f"{scenario.id!r} is the id of a scenario of the library.",
            field="yaml",
            fix="Give the scenario an id of its own.",
        )
    result = check.SerializeToString(deterministic=True)
    return StoredText(scenario.id, scenario.title, scenario.digest, text, law_digest, result)


def check_of(response: pb.CheckScenarioResponse) -> pb.ScenarioCheck:
    """Return the result of a check as it is stored."""
    law = response.provenance
    return pb.ScenarioCheck(
        ok=response.ok, problems=response.problems, law_version=law.law_version, law_digest=law.law_digest
    )


def is_news(before: bytes | None, now: pb.ScenarioCheck) -> bool:
    """Return True if a check has another result than the one before."""
    if before is None:
        return not now.ok
    earlier = pb.ScenarioCheck.FromString(before)
    return (earlier.ok, list(earlier.problems)) != (now.ok, list(now.problems))


def stored_message(found: StoredVersion, *, with_text: bool = False) -> pb.StoredScenario:
    """Return a stored scenario as a message."""
    message = message_of(
        pb.StoredScenario,
        found,
        name=found.full_name,
        id=found.name,
        create_time=time_text(found.created),
        update_time=time_text(found.stored),
        yaml=found.text if with_text else "",
    )
    if found.result is not None:
        message.check.ParseFromString(found.result)
    return message


def event_message(row: Any) -> pb.ScenarioEvent:
    """Return an event as a message."""
    event = message_of(pb.ScenarioEvent, row, name=name_of(row.owner, row.name), time=time_text(row.happened))
    if row.result is not None:
        event.check.ParseFromString(row.result)
    return event
