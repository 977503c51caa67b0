"""Checks of the scenarios that callers keep, under a law that is new to the server, beside its runs."""

from __future__ import annotations

import asyncio

from tariffs.client import Client, Scenario
from tariffs.service.rpc.laws import LATEST, LAWS
from tariffs.service.storage.scenario_events import SCENARIO_CHECKS
from tests.service.harness import TIMEOUT, no_warm_up, running
from tests.service.stored import Held, rows, simulation

TEXT = """schema: tariffs.scenario/v1
id: NAME
title: Another rate on China
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: MEASURE, origins: [CN]}, from: 2027-01-01T00:01-05:00, rate: 20%}
"""


def text(name: str, measure: str) -> Scenario:
    return Scenario.from_text(TEXT.replace("NAME", name).replace("MEASURE", measure))


def test_a_check_of_a_kept_scenario_waits_for_no_run() -> None:
    held = Held("simulate")
    with running(held, no_warm_up, workers=1, admitted_runs=1) as server:
        with Client(f"127.0.0.1:{server.port}") as client:
            client.save_scenario(text("kept", "fl301"))
        call = server.simulation.Simulate(simulation(rows(20)), timeout=10 * TIMEOUT)
        assert held.begun.wait(TIMEOUT)
        storage = server.server._storage
        with storage._database.begin() as connection:
            connection.execute(SCENARIO_CHECKS.update().values(law_digest="0" * 64))
        law, checks = LAWS.settle(LATEST), server.server._scenario_checks
        assert len(storage.scenarios.unchecked(law.digest)) == 1
        done = asyncio.run_coroutine_threadsafe(checks.check_all(law), server.loop)
        try:
            done.result(TIMEOUT)
        finally:
            done.cancel()
            call.cancel()
        assert storage.scenarios.unchecked(law.digest) == []
