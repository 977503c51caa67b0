"""One question has one answer, or one refusal, whatever the verb, the layout, the way and the order of keys."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import polars as pl
import pytest

from tariffs.client import Client, Scenario, TariffsError, replay
from tariffs.client.cli import impact, seek, sweep, timeline
from tariffs.client.cli.__main__ import run
from tariffs.client.cli.commands import command as command_of
from tariffs.client.cli.option_names import in_options
from tariffs.engine.errors import InputError
from tariffs.engine.runs.column_names import PROHIBITED_SURPLUS
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.refusals import OPTIONS, Refusal, refusals
from tariffs.reference_pages.run_options import replaced
from tariffs.run_spec import spec
from tariffs.run_spec.option import IMPACT, SEEK, SWEEP, TIMELINE, VERBS
from tariffs.v1.simulation_service_pb2 import SimulateRequest, SweepRequest, TimelineRequest
from tariffs.v1.sweep_service_pb2 import SeekRequest
from tests.client import run_cases
from tests.client.run_cases import (
    DAY,
    FACTORS,
    OF_ONE,
    PERIOD,
    SCENARIOS,
    SINGLE,
    SOUGHT,
    VARIED,
    Case,
    Covering,
    asked_of,
    same_rows,
)
from tests.conftest import SCALE

CASES = [case for seed in range(SCALE) for case in Covering(FACTORS, run_cases.is_run, seed).cases()]
DAILY = 4
"""Each fourth case is asked in the daily run."""
PARAMETERS = [
    pytest.param(case, id="-".join(case["run"]), marks=[pytest.mark.slow] if place % DAILY else [])
    for place, case in enumerate(CASES)
]
OF_IMPACT_ALONE = ("_vs", PROHIBITED_SURPLUS)
"""Ends of the names of columns that other verbs do not have; docs/models/README.md lists them."""


@pytest.mark.parametrize("case", PARAMETERS)
def test_one_question_has_one_answer(
    case: Case, here: Client, tmp_path: Path, request: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_cases.compute_tasks_here(monkeypatch)
    print({name: level for name, level in case.items() if level != FACTORS[name][0]})
    verb, way = case["run"]
    rows, options = run_cases.table(case), run_cases.options_of(case, tmp_path)
    is_remote = way == "long" or case["layout"] == "stored"
    client = request.getfixturevalue("there") if is_remote else here
    plain = case | {"run": (verb, "direct")}
    wanted = run_cases.ask(here, plain, rows, options)
    lines = run_cases.laid_out(client, case, rows, tmp_path)
    found = run_cases.ask(client, case, lines, options)
    same_result(found, wanted, f"{case['layout']} table, {way}", exact=way != "files")
    if way != "files" and verb != SEEK:
        assert found.notes == wanted.notes, f"notes of {case['layout']} table, {way}"
    if len(case["by"]) > 1 and verb != SEEK:
        turned = run_cases.ask(here, plain, rows, options | {"by": case["by"][::-1]})
        same_result(turned, wanted, "keys in another order")
    if verb != SEEK:
        same_again(client, found, lines, tmp_path)
    relations = {IMPACT: same_scenarios, TIMELINE: same_days, SWEEP: same_points, SEEK: same_path}
    relations[verb](here, case, rows, options, wanted)


def same_result(found: Any, wanted: Any, what: str, *, exact: bool = False) -> None:
    """Compare all frames of two results."""
    others = dict(run_cases.frames(found))
    for name, frame in run_cases.frames(wanted):
        same_rows(others[name], frame, f"{what}: {name}", exact=exact)


def same_again(client: Client, result: Any, lines: Any, folder: Path) -> None:
    """A result that is written gives the same numbers when it is run again."""
    path = folder / "written.json"
    if isinstance(lines, pl.DataFrame):
        lines.write_parquet(folder / "again.parquet")
        lines = folder / "again.parquet"
    path.write_text(json.dumps(result.to_json_dict()))
    again = replay(client, path, lines)
    assert again.same, f"replay: {again}"


def same_scenarios(client: Client, case: Case, rows: pl.DataFrame, options: Any, result: Any) -> None:
    """A scenario that changes nothing is the base, and a mixture of one scenario that scenario."""
    pairs = {"nothing": "base"}
    if OF_ONE in run_cases.scenarios_of(case):
        pairs |= {"of-one": SINGLE}
    for name, frame in run_cases.frames(result):
        if name == "attribution":
            continue
        for twin, other in pairs.items():
            one, two = (frame.filter(scenario=each).drop("scenario") for each in (twin, other))
            same_rows(one, two, f"{twin} = {other}: {name}")


def same_days(client: Client, case: Case, rows: pl.DataFrame, options: Any, result: Any) -> None:
    """A day of a timeline is the impact on that day."""
    same_scenarios(client, case, rows, options, result)
    chosen = {name: value for name, value in options.items() if name != "date_format"}
    days = rows.drop("entry_date", strict=False)
    scenario = SCENARIOS[case["change"]]
    name = result.totals["scenario"].unique(maintain_order=True)[1]
    for span in result.totals.filter(scenario=name).iter_rows(named=True):
        on = client.impact(days, [scenario], on=span["start"], **chosen)
        for each, mine in (("groups", result.segments), ("total", result.totals)):
            part = mine.filter(scenario=name, start=span["start"]).drop("start", "end", "days")
            theirs = getattr(on, each).drop("on")
            shared = [column for column in theirs.columns if not column.endswith(OF_IMPACT_ALONE)]
            same_rows(part, theirs.select(shared), f"day of a timeline = impact: {each} on {span['start']}")


def same_points(client: Client, case: Case, rows: pl.DataFrame, options: Any, result: Any) -> None:
    """A point of a sweep is the impact at its parameters."""
    name, values = VARIED[case["change"]]
    for place, value in enumerate(values):
        on = client.impact(rows, [SCENARIOS[case["change"]]], on=DAY, parameters={name: value}, **options)
        at = result.points[name][place]
        for each, mine in (("groups", result.groups), ("total", result.totals)):
            theirs = getattr(on, each).drop("scenario", "on")
            shared = [column for column in theirs.columns if not column.endswith(OF_IMPACT_ALONE)]
            same_rows(
                mine.filter(pl.col(name) == at).drop(name),
                theirs.select(shared),
                f"point of a sweep = impact: {each}",
            )


def same_path(client: Client, case: Case, rows: pl.DataFrame, options: Any, result: Any) -> None:
    """A value of a seek is the impact there, of the groups that count, whatever their order."""
    sought, scenario, by = SOUGHT[case["change"]], SCENARIOS[case["change"]], list(case["by"])
    on = client.impact(rows, [scenario], on=DAY, parameters={sought[0]: sought[1]}, by=by, **options)
    assert result.path["achieved"][0] == pytest.approx(on.total["duty"].item(), rel=1e-9)
    where = {key: [str(on.groups[key][0])] for key in by}
    wanted = on.groups.filter(pl.col(key).cast(pl.String).is_in(each) for key, each in where.items())
    aim: Any = {"vary": sought, "target": ("duty", 1e6), "on": DAY, **options}
    counted = client.seek(rows, scenario, where=where, **aim)
    assert counted.path["achieved"][0] == pytest.approx(wanted["duty"].sum(), rel=1e-9), "seek = impact"
    turned = client.seek(rows, scenario, where=dict(reversed(where.items())), **aim)
    same_rows(turned.path, counted.path, "keys of a seek in another order")


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
    others = [one for one in refusals() if one is not refusal]

    def allowed(case: Case) -> bool:
        asked = asked_of(case)
        holds = all(name not in asked or one.holds(asked[name]) for name, one in refusal.when.items())
        return run_cases.is_askable(case) and holds and not any(one.holds(asked) for one in others)

    found = Covering(FACTORS, allowed).completed({})
    assert found is not None, refusal
    assert run_cases.refusal(found) is refusal
    return found


@pytest.mark.parametrize("refusal", refusals(), ids=lambda one: ",".join(one.when))
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
        found = (error["reason"], error["message"], error["field"], error["fix"])
        assert found == (*told(wanted)[:3], in_options(wanted.fix)), side


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
        SEEK: ["--on", DAY, "--vary", "{}={}:{}".format(*SOUGHT[case["change"]]), "--target", "duty=1e6"],
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
    untaken = OPTIONS.keys() - taken - {"scenarios", "scenario"}
    assert not {ON_THE_COMMAND_LINE.get(name, name) for name in untaken} & (words - {"target"})


UNTAKEN = {"ahead": "2026-01-01", "reaction": 1.0, "draws": 16, "seed": 7, "attribute": True}


@pytest.mark.parametrize(
    ("verb", "name"),
    [(verb, name) for verb in (TIMELINE, SWEEP, SEEK) for name in UNTAKEN if verb not in OPTIONS[name]],
)
def test_what_a_verb_does_not_take_is_refused_alike(there: Client, verb: str, name: str) -> None:
    given: dict[str, Any] = {name: UNTAKEN[name]}
    with pytest.raises(InputError, match=f"^A {verb} takes no {name}") as caught:
        Options(**given).refuse_untaken(verb)
    if verb == TIMELINE:
        with pytest.raises(TariffsError) as said:
            there.start(period=(DAY, DAY), **given)
        assert (said.value.reason, said.value.message, said.value.field, said.value.fix) == told(caught.value)


def test_the_page_has_the_tables(root: Path) -> None:
    page = root / "docs" / "options.md"
    text = page.read_text(encoding="utf-8")
    assert replaced(text) == text, f"run: python -m tariffs.reference_pages.run_options {page}"
