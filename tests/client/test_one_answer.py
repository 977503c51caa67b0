"""One question has one answer, whatever the verb, the layout of the table, the way and the order of keys.

Cases cover every allowed pair of verb with way, layout and options; each is asked in several ways.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, replay
from tariffs.engine.runs.column_names import PROHIBITED_SURPLUS
from tariffs.run_spec.option import IMPACT, SEEK, SWEEP, TIMELINE
from tests.client import run_cases
from tests.client.covering import Case, Covering
from tests.client.run_cases import DAY, FACTORS, OF_ONE, SCENARIOS, SINGLE, SOUGHT, VARIED, same_rows
from tests.conftest import SCALE

CASES = [case for seed in range(SCALE) for case in Covering(FACTORS, run_cases.is_run, seed).cases()]
DAILY = 3
"""Each third case is asked in the daily run."""
PARAMETERS = [
    pytest.param(case, id="-".join(case["run"]), marks=[pytest.mark.slow] if place % DAILY else [])
    for place, case in enumerate(CASES)
]
OF_IMPACT_ALONE = ("_vs", PROHIBITED_SURPLUS)
"""Ends of the names of columns that other verbs do not have; docs/models/README.md lists them."""


@pytest.fixture(autouse=True)
def _tasks_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with run_cases.tasks_here(monkeypatch):
        yield


@pytest.mark.parametrize("case", PARAMETERS)
def test_one_question_has_one_answer(case: Case, here: Client, tmp_path: Path, request: Any) -> None:
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
