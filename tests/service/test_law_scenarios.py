"""Scenarios of a team when a pack that renames a measure of theirs is served: checked anew, and their owner is told."""

from __future__ import annotations

import asyncio
import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tariffs.client import Client, InvalidRequest, Scenario
from tariffs.engine.law import load_law
from tariffs.engine.law.pack.build import build_pack
from tariffs.service.rpc.laws import LATEST, LAWS
from tariffs.service.storage.scenario_events import SCENARIO_CHECKS
from tests.law.packs import NEWER, drop, key_pair, law_copy
from tests.service.harness import TIMEOUT, no_warm_up, running
from tests.service.stored import TOKENS, rows, simulation, tokens_file, until
from tests.service.test_law_versions import Held

CALLERS = """
callers:
  ann: {roles: [run], groups: [desk]}
  bob: {roles: [run], groups: [desk]}
"""
TEXT = """schema: tariffs.scenario/v1
id: NAME
title: Another rate on China
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: MEASURE, origins: [CN]}, from: 2027-01-01T00:01-05:00, rate: 20%}
"""


def renamed(folder: Path) -> Path:
    """A copy of the law in which the duty over forced labor has another id."""
    law_copy(folder, origin="VN")
    path = folder / "measures" / "s301_fl.yaml"
    path.write_text(re.sub(r"\bfl301\b", "forced_labor", path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def text(name: str, measure: str) -> Scenario:
    return Scenario.from_text(TEXT.replace("NAME", name).replace("MEASURE", measure))


@pytest.mark.slow
def test_the_owner_of_a_scenario_hears_that_a_new_law_renamed_its_measure(tmp_path: Path) -> None:
    callers, packs = tmp_path / "callers.yaml", tmp_path / "packs"
    callers.write_text(CALLERS)
    packs.mkdir()
    private, public = key_pair(tmp_path)
    pack = build_pack(renamed(tmp_path / "law"), key=private)
    given: dict[str, Any] = {"tokens_file": tokens_file(tmp_path), "callers_file": callers}
    with running(warm=no_warm_up, law_dir=packs, law_keys=public, law_default="latest", **given) as server:
        target = f"127.0.0.1:{server.port}"
        with Client(target, token=TOKENS["ann"]) as ann, Client(target, token=TOKENS["bob"]) as bob:
            assert ann.save_scenario(text("breaks", "fl301")).check_law_version == load_law().version
            ann.save_scenario(text("stays", "s301_l1"))
            shared = ann.share_scenario("team/breaks", "desk")
            *_, last = islice(ann.watch_scenarios(after=-1), 3)
            heard = {
                name: client.watch_scenarios(after=last.number, timeout=TIMEOUT)
                for name, client in (("ann", ann), ("bob", bob))
            }
            file = drop(pack, packs, "law.tar.zst")
            for events in heard.values():
                event = next(events)
                assert (event.kind, event.name, event.version) == ("checked", "team/ann/breaks", 1)
                assert event.check_law_version == NEWER
                assert event.check is not None
                assert (event.check.ok, [one.reason for one in event.check.problems]) == (
                    False, ["NOTHING_MATCHED"],
                )  # fmt: skip
            until(lambda: ann.stored_scenario("team/stays").check_law_version == NEWER)
            checks = {one.name: one.check for one in ann.stored_scenarios()}
            assert {name: check is not None and check.ok for name, check in checks.items()} == {
                "team/ann/breaks": False, "team/ann/stays": True,
            }  # fmt: skip
            with pytest.raises(InvalidRequest) as caught:
                quote(ann, "team/breaks")
            assert caught.value.reason == "NOTHING_MATCHED"
            # Under the law that the team was audited on nothing has changed.
            assert quote(ann, "team/breaks", load_law().version) == "2000.00"
            fixed = ann.save_scenario(text("breaks", "forced_labor"), etag=shared.etag)
            assert (fixed.version, fixed.check_law_version) == (2, NEWER)
            assert next(heard["bob"]).kind == "saved"
            assert quote(ann, "team/breaks") == "2000.00"
            file.unlink()
            event = next(heard["bob"])
            assert (event.kind, event.version, event.check_law_version) == ("checked", 2, load_law().version)


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


def quote(client: Client, scenario: str, law_version: str = "") -> str:
    line: dict[str, Any] = {
        "hts": "9503.00.0073",
        "origin": "CN",
        "entry_date": "2027-02-01",
        "value": 10_000,
    }
    return f"{client.duty(**line, scenario=scenario, law_version=law_version).assessed:.2f}"
