"""Roles, groups and quotas by name and by group, from a file that is reloaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import structlog

from tariffs.engine.errors import InputError
from tariffs.service.server.callers import Callers
from tariffs.service.wire.identity import Caller, Quotas

TEXT = """
callers:
  "*":
    roles: [read]
    quotas: {calls: 2, tables: 3}
  ann:
    roles: [run]
    groups: [desk]
    quotas: {tables: 9}
  root: {roles: [admin]}
groups:
  desk:
    quotas: {tables: 50, runs: 4, calls_per_second: 2.5}
  floor:
    roles: [run]
    quotas: {runs: 6, runs_kept: 7, table_bytes: 1000, sweep_points: 20}
"""
NONE: frozenset[str] = frozenset()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "callers.yaml"
    file.write_text(TEXT)
    return file


def granted(path: Path, name: str, *groups: str, roles: frozenset[str] = NONE) -> Caller:
    return Callers(path).content.caller(name, roles, frozenset(groups))


def test_a_stranger_has_what_everybody_has(path: Path) -> None:
    assert granted(path, "eve") == Caller("eve", "eve", frozenset({"read"}), NONE, Quotas(calls=2, tables=3))


def test_own_quotas_go_before_those_of_groups_and_these_before_everybodys(path: Path) -> None:
    found = granted(path, "ann")
    assert sorted(found.roles) == ["read", "run"]
    assert sorted(found.groups) == ["desk"]
    assert found.quotas == Quotas(calls=2, calls_per_second=2.5, runs=4, tables=9)


def test_of_several_groups_the_highest_quota_counts_and_roles_add_up(path: Path) -> None:
    found = granted(path, "eve", "desk", "floor", "unlisted", roles=frozenset({"admin"}))
    assert found.roles == {"read", "run", "admin"}
    assert found.groups == {"desk", "floor", "unlisted"}
    assert found.quotas == Quotas(2, 2.5, 6, 7, 50, 1000, 20)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "empty"),
        ("callers: {ann: {roles: [owner]}}", "callers.ann.roles.0"),
        ("callers: {ann: {role: [run]}}", "callers.ann.role"),
        ("callers: {ann: {quotas: {tables: -1}}}", "callers.ann.quotas.tables"),
        ("callers: {ann: {quotas: {calls_per_second: nan}}}", "calls_per_second"),
        ("callers: {ann: {quotas: {runs: many}}}", "callers.ann.quotas.runs"),
        ("callers: {anonymous: {roles: [run]}}", "anonymous"),
        ("callers: {ann: {}, ann: {}}", "line 1"),
        ("groups: {a: {groups: [b]}}", "groups.a.groups"),
        ("people: {}", "people"),
        ("callers: [", "line 2"),
        ("- a", "the file"),
        ("callers: &a {}", "line 1"),
    ],
)
def test_a_fault_is_named_with_its_place(path: Path, text: str, place: str) -> None:
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        Callers(path)
    assert caught.value.reason == "SETTING_INVALID"
    assert "TARIFFS_CALLERS_FILE" in caught.value.message
    assert place in caught.value.message


def test_a_file_with_a_fault_leaves_the_former_state(path: Path) -> None:
    callers = Callers(path)
    for number, text in enumerate(("callers: [", TEXT.replace("root:", "boss:")), 1):
        path.write_text(text)
        os.utime(path, ns=(number, number))
        with structlog.testing.capture_logs() as logged:
            callers.reload_if_changed()
        roles = callers.content.caller("root", NONE, NONE).roles
        assert ("admin" in roles) == (number == 1)
        assert [entry["event"] for entry in logged] == [f"callers {'not ' * (number == 1)}read"]


def test_what_a_caller_has_is_resolved_once(path: Path) -> None:
    content = Callers(path).content
    assert content.caller("ann", NONE, NONE) is content.caller("ann", NONE, NONE)
