"""Parents of scenarios are applied first, each once; a cycle is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario import Scenario, lineage
from tariffs.engine.scenario.named import library_of


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


def test_an_unknown_parent_is_named_with_its_neighbours() -> None:
    with pytest.raises(ScenarioError) as caught:
        order("a", scenario("a", "bsae"), scenario("base"))
    assert (caught.value.reason, caught.value.path) == ("SCENARIO_NOT_FOUND", "parents[0]")
    assert "base" in caught.value.fix


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
