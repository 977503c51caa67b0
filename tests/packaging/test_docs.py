"""What the front pages say is true: their links, targets, commands and examples work."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tariffs.client import Client, ImpactResult
from tariffs.client.cli.__main__ import run

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
DUTY_COMMANDS = re.findall(r"^\$ tariffs (duty .+)$", README, re.MULTILINE)


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_the_readme_begins_with_the_two_commands() -> None:
    assert [line.split()[:2] for line in README.splitlines()[:2]] == [["make", "demo"], ["make", "test"]]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_named_make_targets_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"^    make ([a-z-]+)", text, re.MULTILINE) + re.findall(r"`make ([a-z-]+)", text)
    assert set(named) <= targets


def test_the_extras_of_the_readme_are_those_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = project.split("[project.optional-dependencies]")[1].split("\n[")[0]
    declared = set(re.findall(r"^(\w+) = \[", extras, re.MULTILINE))
    assert set(re.findall(r"tariffs\[(\w+)\]", README)) == declared


@pytest.mark.parametrize("command", DUTY_COMMANDS)
def test_the_duty_commands_of_the_readme_answer(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [argument for argument in shlex.split(command) if argument != "--json"]
    assert run([*arguments, "--local", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["layers"]


@pytest.mark.slow
def test_the_python_of_the_readme_runs() -> None:
    (example,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)
    result = names["result"]
    assert isinstance(result, ImpactResult)
    assert result.groups.height > 2 * 200
    first, second = result.total["duty"]
    assert abs(second - first) > 1e9, "the scenario of the example changes nothing"


def test_the_readme_says_how_to_install_from_a_clone() -> None:
    install = README.split("## Install")[1].split("\n## ")[0]
    assert "git clone" in install
    assert re.search(r"pip install '\.\[all\]'", install)
    assert "`make demo`" in install


def test_the_scenario_of_the_readme_is_sound_and_does_something() -> None:
    (example,) = re.findall(r"```yaml\n(.+?)```", README, re.DOTALL)
    with Client.local() as client:
        answer = client.check(example)
    assert answer.ok
    assert list(answer.problems) == []
