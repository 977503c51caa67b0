"""Scenarios that the demo and the documentation compare differ in one thing."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from tariffs.client.demo.founding_question import SCENARIOS
from tariffs.engine.law import load_law
from tariffs.engine.scenario import apply_scenario, library
from tariffs.engine.scenario.diff import difference

ROOT = Path(__file__).parents[2]
BASE = "base"


def pairs_of(names: list[str]) -> set[tuple[str, str]]:
    """Pairs of scenarios of one question, `base` apart: it differs from each in all its changes."""
    found = [name for name in dict.fromkeys(names) if name in library() and name != BASE]
    return set(itertools.combinations(found, 2))


def compared() -> list[tuple[str, str]]:
    """Pairs of the demo, and those of commands and Python calls in the documentation."""
    pairs = pairs_of([*SCENARIOS])
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for command in re.findall(r"^\$? ?tariffs (?:impact|timeline|scenario diff) .*$", text, re.MULTILINE):
            pairs |= pairs_of(re.findall(r"[\w-]+", command))
        for call in re.findall(r"scenarios=\[([^\]]*)\]", text):
            pairs |= pairs_of(re.findall(r"[\w-]+", call))
    return sorted(pairs)


@pytest.mark.parametrize(("first", "second"), compared())
def test_scenarios_that_are_compared_differ_in_one_measure(first: str, second: str) -> None:
    law = load_law()
    found = difference(*(apply_scenario(law, library()[name]) for name in (first, second)))
    assert len({(item.kind, item.id) for item in found}) == 1, [item.words for item in found]


def test_the_demo_compares_scenarios() -> None:
    assert ("ieepa-upheld-truce-kept", "ieepa-upheld-truce-lapsed") in compared()
