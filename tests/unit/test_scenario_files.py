"""Scenario files: what is read of them, digests of what they do, parents applied first and once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario import Scenario, library, lineage, parse_scenario
from tariffs.engine.scenario.named import find, library_of

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\n"


def test_a_scenario_is_read_as_text() -> None:
    scenario = parse_scenario(
        HEAD
        + "tags: [a]\nchanges:\n"
        + "  - {op: set_rate, measures: {id: fent_cn, origins: [NO]}, from: 2025-11-10T00:01-05:00, rate: 20%}\n"
    )
    (change,) = scenario.changes
    assert (change.op, str(change.rate), change.path, change.source) == (
        "set_rate",
        "0.2",
        "changes[0]",
        "mine",
    )
    assert change.selector.scope.origins == (frozenset({"NO"}),)
    assert scenario.tags == ("a",)


LEFT = HEAD + (
    "changes:\n"
    "  - op: suspend\n"
    "    measures: {id: [b, a], products: [9503.00]}\n"
    "    from: 2025-11-10T00:01-05:00\n"
    "    until: 2026-11-10\n"
    "    kept: 10%\n"
    "    on_end: snap_back\n"
)
RIGHT = (
    "# the same, laid out another way\n"
    "changes: [{on_end: snap_back, kept: '0.10', until: 2026-11-10T12:00, from: 2025-11-10T05:01+00:00,\n"
    "  measures: {products: '950300', id: [a, b]}, op: suspend, note: said}]\n"
    "basis: 'hypothesis'\ntitle: Another title\nid: mine\nschema: tariffs.scenario/v1\ndescription: words\n"
)


def test_the_digest_does_not_depend_on_layout_or_prose() -> None:
    assert parse_scenario(LEFT).digest == parse_scenario(RIGHT).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kept: 10%", "kept: 11%"),
        ("T00:01", "T00:02"),
        ("id: mine", "id: yours"),
        ("until: 2026-11-10", "until: 2026-11-11"),
        ("9503.00", "9503.01"),
        ("on_end: snap_back", "on_end: terminate"),
        ("changes:", "parents: [base]\nchanges:"),
    ],
)
def test_the_digest_depends_on_what_is_done(old: str, new: str) -> None:
    assert parse_scenario(LEFT).digest != parse_scenario(LEFT.replace(old, new)).digest


def test_the_order_of_changes_counts() -> None:
    one = "  - {op: revalidate, measures: {authority: ieepa}}\n"
    two = "  - {op: terminate, measures: {id: fl301}, at: 2026-07-24}\n"
    assert (
        parse_scenario(HEAD + "changes:\n" + one + two).digest
        != parse_scenario(HEAD + "changes:\n" + two + one).digest
    )


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ScenarioError) as caught:
        find("truce-lapse", library())
    assert caught.value.reason == "SCENARIO_NOT_FOUND"
    assert "truce-lapses" in caught.value.fix


def scenario(name: str, *parents: str) -> Scenario:
    return Scenario(name, name, "", "hypothesis", parents, (), digest="")


def order(name: str, *scenarios: Scenario) -> list[str]:
    known = {s.id: s for s in scenarios}
    return [s.id for s in lineage(known[name], known)]


def test_parents_are_applied_first_in_order_and_once() -> None:
    family = (scenario("a"), scenario("b", "a"), scenario("c", "a"), scenario("d", "b", "c"))
    assert order("d", *family) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "family",
    [
        (scenario("a", "a"),),
        (scenario("a", "b"), scenario("b", "a")),
        (scenario("a", "b"), scenario("b", "c"), scenario("c", "b")),
    ],
)
def test_a_circle_is_an_error(family: tuple[Scenario, ...]) -> None:
    with pytest.raises(ScenarioError) as caught:
        order("a", *family)
    assert caught.value.reason == "SCENARIO_CYCLE"
    assert caught.value.path == "parents[0]"


def write(directory: Path, name: str, body: str) -> None:
    head = f"schema: tariffs.scenario/v1\nid: {name}\ntitle: {name}\nbasis: hypothesis\n"
    (directory / f"{name}.yaml").write_text(head + body, encoding="utf-8")


def test_a_digest_includes_those_of_parents(tmp_path: Path) -> None:
    write(tmp_path, "child", "parents: [root]\n")
    write(tmp_path, "root", "")
    before = library_of(tmp_path)
    write(tmp_path, "root", "changes:\n  - {op: revalidate, measures: {authority: ieepa}}\n")
    after = library_of(tmp_path)
    assert list(before) == ["child", "root"]
    assert before["child"].digest != after["child"].digest


def test_a_file_is_named_as_its_scenario(tmp_path: Path) -> None:
    write(tmp_path, "one", "")
    (tmp_path / "one.yaml").rename(tmp_path / "two.yaml")
    with pytest.raises(ScenarioError, match=r"two\.yaml"):
        library_of(tmp_path)
