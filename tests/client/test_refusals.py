"""Refusals of a combination of options: the same reason and text from Python, wire and command line, as in the docs."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from tariffs.client import Client, Scenario, TariffsError
from tariffs.client.cli import impact, seek, sweep, timeline
from tariffs.client.cli.__main__ import run
from tariffs.client.cli.commands import command as command_of
from tariffs.engine.errors import InputError
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.refusals import OPTIONS, REFUSALS, Refusal
from tariffs.reference_pages.run_options import replaced
from tariffs.run_spec import spec
from tariffs.run_spec.option import IMPACT, SEEK, SWEEP, TIMELINE, VERBS
from tariffs.v1.simulation_service_pb2 import SimulateRequest, SweepRequest, TimelineRequest
from tariffs.v1.sweep_service_pb2 import SeekRequest
from tests.client import run_cases
from tests.client.covering import Case, Covering
from tests.client.run_cases import DAY, FACTORS, PERIOD, SCENARIOS, asked_of

MESSAGES: Mapping[str, Any] = {
    IMPACT: SimulateRequest,
    TIMELINE: TimelineRequest,
    SWEEP: SweepRequest,
    SEEK: SeekRequest,
}
COMMANDS: Mapping[str, Any] = {
    IMPACT: command_of(impact.impact),
    TIMELINE: command_of(timeline.timeline),
    SWEEP: command_of(sweep.sweep),
    SEEK: command_of(seek.seek),
}
ON_THE_WIRE = {"parameters": "scenario_parameters", "vary": "parameter", "target": "column"}
ON_THE_COMMAND_LINE = {"scenarios": "scenario", "include_lines": "lines", "lines_to": "lines"}


def case_of(refusal: Refusal) -> Case:
    """The simplest case that a refusal is of."""
    others = [one for one in REFUSALS if one is not refusal]

    def allowed(case: Case) -> bool:
        asked = asked_of(case)
        holds = all(name not in asked or one.holds(asked[name]) for name, one in refusal.when.items())
        return run_cases.is_askable(case) and holds and not any(one.holds(asked) for one in others)

    found = Covering(FACTORS, allowed).completed({})
    assert found is not None, refusal
    assert run_cases.refusal(found) is refusal
    return found


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: ",".join(one.when))
def test_a_refusal_is_the_same_from_every_side(
    refusal: Refusal,
    here: Client,
    there: Client,
    server: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = case_of(refusal)
    wanted = refusal.error(asked_of(case))
    rows, options = run_cases.table(case), run_cases.options_of(case, tmp_path)
    lines = run_cases.laid_out(here, case, rows, tmp_path)
    ways = [(here, "direct"), *([] if case["layout"] == "files" else [(there, "direct"), (there, "long")])]
    for client, way in ways:
        if way == "long" and case["run"][0] == SEEK:
            continue
        with pytest.raises(TariffsError) as caught:
            run_cases.ask(client, case | {"run": (case["run"][0], way)}, lines, options)
        said = caught.value
        assert (said.reason, said.message, said.field, said.fix) == told(wanted), way
    if case["include_lines"] and case["layout"] == "files":
        return  # The command line writes the lines of several files to a directory.
    if case["layout"] == "frame":
        lines = run_cases.laid_out(here, case | {"layout": "file"}, rows, tmp_path)
    for side in (["--local"], *([] if case["layout"] == "files" else [["--target", server]])):
        assert run([*command(case, lines, options, tmp_path), *side, "--json"]) == wanted.exit_code
        error = json.loads(capsys.readouterr().out)["error"]
        assert (error["reason"], error["message"], error["field"], error["fix"]) == told(wanted), side


def told(error: InputError) -> tuple[str, str, str | None, str]:
    """What an error says."""
    return error.reason, error.message, error.field, error.fix


def command(case: Case, lines: Path, options: Mapping[str, Any], folder: Path) -> list[str]:
    """Words of the command line that ask a case."""
    verb = case["run"][0]
    words = [verb, str(lines)]
    several = verb in {IMPACT, TIMELINE}
    for number, one in enumerate(run_cases.scenarios_of(case) if several else [SCENARIOS[case["change"]]]):
        path = folder / f"{number}.yaml"
        if isinstance(one, Scenario):
            path.write_text(one.text)
        words += ["-s", str(path) if isinstance(one, Scenario) else one]
    name, values = run_cases.VARIED[case["change"]]
    words += {
        IMPACT: ["--on", DAY],
        TIMELINE: ["--start", PERIOD["start"], "--end", PERIOD["end"]],
        SWEEP: ["--on", DAY, "--vary", f"{name}={','.join(values)}"],
        SEEK: [
            "--on",
            DAY,
            "--vary",
            "{}={}:{}".format(*run_cases.SOUGHT[case["change"]]),
            "--target",
            "duty=1e6",
        ],
    }[verb]
    for option, value in options.items():
        flag = spec.OPTIONS[option].flag
        if option == "include_lines":
            words += ["--lines", str(folder / "lines.csv")]
        elif isinstance(value, dict):
            words += [flag, "=".join(*value.items())]
        elif option == "by":
            words += [flag, ",".join(value)]
        elif value is True:
            words += [flag]
        elif value:
            words += [flag, str(value)]
    return words


@pytest.mark.parametrize("verb", VERBS)
def test_python_wire_and_command_line_take_the_options_of_the_table(verb: str) -> None:
    taken = {name for name, verbs in OPTIONS.items() if verb in verbs}
    method = getattr(Client, verb)
    (options,) = get_args(get_type_hints(method)["options"])
    python = {*inspect.signature(method).parameters, *get_type_hints(options)}
    assert python - {"self", "lines", "progress", "timeout", "options"} == taken
    fields = set(MESSAGES[verb].DESCRIPTOR.fields_by_name)
    kept_here = {"lines_to", "cluster"}
    inside = {"on", "scenarios"} if verb == IMPACT else {"vary"} if verb == SWEEP else set[str]()
    assert {ON_THE_WIRE.get(name, name) for name in taken - kept_here - inside} - {"points"} <= fields
    untaken = OPTIONS.keys() - taken - {"points", "target"}
    assert not {ON_THE_WIRE.get(name, name) for name in untaken} & fields
    words = set(inspect.signature(COMMANDS[verb]).parameters)
    assert {ON_THE_COMMAND_LINE.get(name, name) for name in taken} <= words
    assert not {
        ON_THE_COMMAND_LINE.get(name, name) for name in OPTIONS.keys() - taken - {"scenarios", "scenario"}
    } & (words - {"target"})


def test_what_a_verb_does_not_take_is_refused_alike(there: Client) -> None:
    given: dict[str, Any] = {
        "ahead": "2026-01-01",
        "reaction": 1.0,
        "draws": 16,
        "seed": 7,
        "attribute": True,
    }
    for verb in (TIMELINE, SWEEP, SEEK):
        for name, value in given.items():
            if verb in OPTIONS[name]:
                continue
            with pytest.raises(InputError) as caught:
                Options(**{name: value}).refuse_untaken(verb)
            assert caught.value.message == f"A {verb} takes no {name}."
            if verb == TIMELINE:
                with pytest.raises(TariffsError) as said:
                    there.start(period=(DAY, DAY), **{name: value})
                assert (said.value.reason, said.value.message, said.value.field, said.value.fix) == told(
                    caught.value
                )


def test_the_page_has_the_tables(root: Path) -> None:
    page = root / "docs" / "options.md"
    text = page.read_text(encoding="utf-8")
    assert replaced(text) == text, f"run: python -m tariffs.reference_pages.run_options {page}"
