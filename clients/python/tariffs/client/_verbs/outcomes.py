"""Client methods on what came of duties: collected from the law to the treasury, and forecasts beside imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import polars as pl
from google.protobuf.json_format import MessageToDict

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._wire import requests
from tariffs.client._wire.frames import from_arrow
from tariffs.client._wire.reading import read
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client.results.collections import Collections
from tariffs.client.results.hindcast import Hindcast
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import simulation_service_pb2 as pb


class OutcomeCalls(RemoteCalls):
    """Duty collected by month, and forecasts beside what came; mixed into `Client`."""

    def collections(
        self,
        start: str,
        end: str,
        *,
        by: Sequence[str] = ("month", "authority", "origin"),
        without: Sequence[str] = (),
        scenario: ScenarioLike | None = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> Collections:
        """Compute duty assessed and collected on US imports by month, the steps between, and refunds of void duty.

        Args:
            start: first month, such as 2025-01.
            end: last month.
            by: keys of the rows: month, authority, origin.
            without: steps to leave out: claims, exemptions, afloat, rest.
            scenario: library name, `*.yaml` path, or `Scenario`.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`; without `known_on` acts
                published by each day count.

        Raises:
            InvalidRequest: a month, key, step or option cannot be used.
            NotFound: no such scenario.
        """
        request = requests.law_request(
            "collections",
            pb.CalculateCollectionsRequest,
            options,
            scenario=requests.scenario_ref(scenario),
            start=arguments.text(start, "start"),
            end=arguments.text(end, "end"),
            by=arguments.names(by, "by"),
            without=arguments.names(without, "without"),
        )
        answer = self._call(request, timeout, "timeline")
        rows = pl.concat([from_arrow(part) for part in answer.rows])
        return read(Collections, answer, rows=rows, frozen=dict(answer.frozen))

    def hindcast(
        self, known_on: str = "", *, law_version: str = "", timeout: float | None = None
    ) -> Hindcast:
        """Compare forecasts of the imports of 2025 with what was imported, which takes a minute or less.

        Args:
            known_on: the law frozen on this day alone, such as 2025-04-10; "entry": as acts were published. By default
                all boards of docs/hindcast.md.
            law_version: as in `Client`.
            timeout: seconds; by default the config's deadline of a timeline.

        Raises:
            InvalidRequest: PARAMETER_INVALID for a day without a board.
        """
        message = pb.CompareTradeRequest
        request = requests.lookup_request(message, known_on=known_on, law_version=law_version)
        answer = self._call(request, timeout, "timeline")
        return Hindcast(from_arrow(answer.scores), from_arrow(answer.partners), **MessageToDict(answer.facts))
