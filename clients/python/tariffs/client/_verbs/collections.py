"""Client method that follows duty from the law to the treasury."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import polars as pl

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._wire import requests
from tariffs.client._wire.frames import from_arrow
from tariffs.client._wire.reading import read
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client.results.collections import Collections
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import simulation_service_pb2 as pb


class CollectionsCalls(RemoteCalls):
    """Duty collected by month; mixed into `Client`."""

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
            scenario,
            options,
            start=arguments.text(start, "start"),
            end=arguments.text(end, "end"),
            by=arguments.names(by, "by"),
            without=arguments.names(without, "without"),
        )
        seconds = arguments.seconds(timeout, self._config.deadlines.timeline)
        answer: pb.CalculateCollectionsResponse = self._backend.unary(
            "CalculateCollections", request, seconds
        )
        rows = pl.concat([from_arrow(part) for part in answer.rows])
        return read(Collections, answer, rows=rows, frozen=dict(answer.frozen))
