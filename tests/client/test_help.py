"""Help pages are short, in groups, and teach by examples that change something."""

from __future__ import annotations

import json
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tariffs.client.cli.__main__ import run
from tariffs.client.cli.app import SUMMARIES

LINES = dict.fromkeys(SUMMARIES, 60) | {"impact": 90}
PANELS = ["Question", "Trade response", "Table", "Output", "Server"]
FILES = (".csv", ".yaml", ".parquet")
EXAMPLES = [
    words
    for verb in ("duty", "impact", "timeline", "sweep", "seek")
    for words in map(shlex.split, import_module(f"tariffs.client.cli.{verb}").EXAMPLES.splitlines())
    if not any(word.endswith(FILES) for word in words)
]
PRINTED_ONLY = ("--report", "--draws")


def page(capsys: pytest.CaptureFixture[str], verb: str) -> list[str]:
    assert run([verb, "--help"]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.fixture(autouse=True)
def a_hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize("verb", LINES)
def test_a_page_is_short(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = page(capsys, verb)
    assert len(lines) <= LINES[verb]
    commands = [line for line in lines if line.startswith("  tariffs ")]
    assert max(len(line) for line in lines if line not in commands) <= 100


@pytest.mark.parametrize("verb", ["impact", "timeline", "sweep", "seek"])
def test_options_stand_in_five_groups_and_the_first_in_full(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = page(capsys, verb)
    assert [line for line in lines if line in PANELS] == PANELS
    text = " ".join(" ".join(lines).split())
    assert "path: every change at its own age. Default: path." in text
    assert "Part of the mean rise of prices by duties" in text
    assert "At 0 the exchange rate stays" not in text


def told(capsys: pytest.CaptureFixture[str], words: list[str]) -> Any:
    kept = [word for at, word in enumerate(words) if not {word, words[at - 1]} & {*PRINTED_ONLY}]
    # The duty does not depend on the response, and the path of a year takes ten seconds.
    kept += ["--response", "none"] if "timeline" in words else []
    assert run([*kept[1:], "--local", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_an_example_changes_something(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = told(capsys, words)
    verb = words[1]
    if verb == "duty":
        without = words[: words.index("-s")] if "-s" in words else []
        before = told(capsys, without)["assessed"] if without else "0"
        assert document["assessed"] != before
    elif verb == "seek":
        assert document["roots"]
    else:
        assert max(len(set(duties)) for duties in duties_of(document)) > 1


def duties_of(document: Any) -> list[list[float]]:
    """Total duty of each scenario or point, of each side of a run over both."""
    if "imports" in document:
        return [duties for side in ("imports", "exports") for duties in duties_of(document[side])]
    if "points" in document:
        return [[total["duty"] for total in document["totals"]]]
    totals = [one.get("total") or one["average_total"][0] for one in document["scenarios"]]
    return [[total["duty"] for total in totals]]
