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
INSTALL = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
DUTY_COMMANDS = re.findall(r"^\$ tariffs (duty .+)$", README, re.MULTILINE)


SHOWN = re.findall(r"^\$ tariffs (.+)\n((?:(?!\$ |```).*\n)+)", README, re.MULTILINE)


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


def test_the_extras_of_the_page_are_those_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = project.split("[project.optional-dependencies]")[1].split("\n[")[0]
    declared = set(re.findall(r"^(\w+) = \[", extras, re.MULTILINE))
    assert {
        name for names in re.findall(r"tariffs\[([\w,]+)\]", INSTALL) for name in names.split(",")
    } == declared


@pytest.mark.parametrize("command", DUTY_COMMANDS)
def test_the_duty_commands_of_the_readme_answer(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [argument for argument in shlex.split(command) if argument != "--json"]
    assert run([*arguments, "--local", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["layers"]


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)
    result = names["result"]
    assert isinstance(result, ImpactResult)
    assert result.groups.height > 2 * 200
    first, second = result.total["duty"]
    assert abs(second - first) > 1e9, "the scenario of the example changes nothing"


def test_a_page_of_the_readme_says_how_to_install_from_a_clone() -> None:
    assert "(docs/install.md)" in README
    assert "git clone" in INSTALL
    assert re.search(r"pip install '\.\[all\]'", INSTALL)
    assert "`make demo`" in INSTALL


def test_the_readme_is_short_and_says_what_it_covers_first() -> None:
    lines = README.splitlines()
    assert len(lines) <= 150
    assert any("2025" in line for line in lines[:15])


def test_the_scenario_of_the_readme_is_sound_and_does_something() -> None:
    (example,) = re.findall(r"```yaml\n(.+?)```", README, re.DOTALL)
    with Client.local() as client:
        answer = client.check(example)
    assert answer.ok
    assert list(answer.problems) == []


@pytest.mark.slow
@pytest.mark.parametrize(("command", "shown"), SHOWN)
def test_the_output_that_the_readme_shows_is_that_of_its_command(
    command: str, shown: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run([*shlex.split(command), "--local"]) == 0
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    wanted = [line.split() for line in shown.splitlines() if line.strip(". ")]
    assert len(wanted) > 5
    assert [line for line in wanted if line not in printed] == []


def test_the_picture_of_the_readme_is_there() -> None:
    (picture,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")
