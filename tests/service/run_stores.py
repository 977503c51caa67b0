"""Stores of long runs and of tables over a test's database, and a clock moved by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tariffs.service.settings.settings import State
from tariffs.service.storage.database import Database
from tariffs.service.storage.run_store import Lease, RunStore
from tariffs.service.storage.table_store import TableRegister
from tariffs.service.wire.identity import RUN, Caller

LEASE = 60.0
"""Longer than a test: only a clock moved by hand ends a lease before its test."""


class Clock:
    """The database's clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        monkeypatch.setattr(Database, "now", lambda database, connection: self.now)


def owner(name: str, *groups: str) -> Caller:
    return Caller(name, name, frozenset({RUN}), frozenset(groups))


def runs_of(database: Database, maker: str = "this", **given: Any) -> RunStore:
    settings = {"lease_seconds": LEASE, "caller_share": 1, "runs_per_owner": 1000} | given
    return RunStore(database, maker, State.model_construct(**settings))


def register_of(database: Database, per_owner: int) -> TableRegister:
    return TableRegister(database, State.model_construct(tables_per_owner=per_owner))


def leased(runs: RunStore) -> Lease:
    lease = runs.lease_next()
    assert lease is not None
    return lease
