"""Client methods for scenarios that a server keeps for a caller and its group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from tariffs.client._verbs.tables import TableCalls
from tariffs.client._wire.reading import read
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.stored_scenario import ScenarioEvent, StoredScenario
from tariffs.client.scenario import Scenario
from tariffs.v1 import scenario_service_pb2 as pb

Kept = TypeVar("Kept", StoredScenario, ScenarioEvent)


class StoredScenarioCalls(TableCalls):
    """Scenarios that a server keeps; mixed into `Client`."""

    def save_scenario(
        self, scenario: str | Path | Scenario, *, etag: str = "", timeout: float | None = None
    ) -> StoredScenario:
        """Save a scenario on the server under its id, or its next version; earlier versions stay.

        Args:
            scenario: path of a file, or `Scenario.from_text`.
            etag: that of the stored scenario which this one follows; empty for a new one.
            timeout: seconds; by default the config's deadline.

        Raises:
            InvalidRequest: the scenario cannot be run; SCENARIO_EXISTS without an etag; SCENARIO_CHANGED if it was
                changed meanwhile.
            ResourceExhausted: ROW_QUOTA.
        """
        text = Scenario.of(scenario).text
        if not text:
            raise InvalidRequest(
                "REQUEST_INVALID", "There is no text to save.", field="scenario", fix="Give a file or a text."
            )
        return _stored(self._ask(pb.SaveScenarioRequest, timeout, yaml=text, etag=etag))

    def stored_scenario(self, name: str, *, timeout: float | None = None) -> StoredScenario:
        """Get a stored scenario with its text, by `team/NAME` or `team/OWNER/NAME`, also with `@VERSION` or `#DIGEST`.

        Raises:
            NotFound: SCENARIO_NOT_FOUND.
        """
        return _stored(self._ask(pb.GetStoredScenarioRequest, timeout, name=name))

    def stored_scenarios(self, *, timeout: float | None = None) -> tuple[StoredScenario, ...]:
        """List your stored scenarios and those shared with you, each in its newest version."""
        pages = self._pages(pb.ListStoredScenariosRequest, timeout)
        return tuple(_stored(one) for page in pages for one in page.scenarios)

    def scenario_versions(self, name: str, *, timeout: float | None = None) -> tuple[StoredScenario, ...]:
        """List the versions of a stored scenario, newest first.

        Raises:
            NotFound: SCENARIO_NOT_FOUND.
        """
        answer = self._ask(pb.ListScenarioVersionsRequest, timeout, name=name)
        return tuple(_stored(one) for one in answer.versions)

    def share_scenario(
        self, name: str, group: str, *, etag: str = "", timeout: float | None = None
    ) -> StoredScenario:
        """Share a stored scenario with one of your groups, whose members may see and use it; "" ends it.

        Raises:
            NotFound: SCENARIO_NOT_FOUND.
            PermissionDenied: it is another caller's, or you are not in the group.
        """
        return _stored(self._ask(pb.ShareScenarioRequest, timeout, name=name, group=group, etag=etag))

    def delete_scenario(self, name: str, *, etag: str = "", timeout: float | None = None) -> None:
        """Delete a stored scenario with its versions; runs that have begun keep its text.

        Raises:
            NotFound: SCENARIO_NOT_FOUND.
            PermissionDenied: it is another caller's.
        """
        self._ask(pb.DeleteScenarioRequest, timeout, name=name, etag=etag)

    def watch_scenarios(self, *, after: int = 0, timeout: float | None = None) -> Iterator[ScenarioEvent]:
        """Iterate over what happens to scenarios that you may see, as it comes: also checks under a new law.

        Args:
            after: number of the last event that you know; 0 is from now on, -1 all that are kept.
            timeout: seconds; by default a month.

        Raises:
            Unavailable: the server ends; watch again from the last event.
        """
        events = self._watch(pb.WatchScenariosRequest, timeout, after=after)
        return (_checked(ScenarioEvent, one) for one in events)


def _stored(message: pb.StoredScenario) -> StoredScenario:
    return _checked(StoredScenario, message)


def _checked(kind: type[Kept], message: Any) -> Kept:
    return read(kind, message, check_law_version=message.check.law_version)
