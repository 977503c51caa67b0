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
README = (ROOT / "README.md").read_text(encoding="utf-8")
DUTY_COMMANDS = re.findall(r"^\$ tariffs (duty .+)$", README, re.MULTILINE)


SHOWN = re.findall(r"^\$ tariffs (.+)\n((?:(?!\$ |```).*\n)+)", README, re.MULTILINE)


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
