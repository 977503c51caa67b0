"""The measuring loop of `tariffs bench`: rounds are interleaved, medians are judged, and pages are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tariffs.bench.measure import (
    AT_LEAST,
    AT_MOST,
    WITHIN,
    Deadline,
    Result,
    Row,
    RowSkippedError,
    Sample,
    Target,
    against,
    measure_rows,
)
from tariffs.bench.page import write_page
from tariffs.bench.report import Report, machine_facts, run_bench
from tariffs.engine.errors import InputError, ServiceError

Log = list[str]


def row(name: str, *ratios: float, target: Target | None = None, stopped: bool = False) -> Row[Log]:
    left = list(ratios)

    def measure(log: Log, deadline: Deadline) -> Sample:
        log.append(name)
        return Sample(left.pop(0), 1.0, 2.0, stopped)

    return Row(name, f"the row {name}", "a rival", target or Target(AT_MOST, 1.0), measure)


def measured(*rows: Row[Log], rounds: int = 3, seconds: float = 60.0) -> tuple[list[Result], Log]:
    log: Log = []
    results, _ = measure_rows(rows, log, rounds=rounds, seconds=seconds, progress=lambda name, fraction: None)
    return results, log


def test_rounds_are_interleaved_and_the_median_counts() -> None:
    (a, b), log = measured(row("a", 3.0, 0.5, 0.9), row("b", 2.0, 4.0, 0.1))
    assert log == ["a", "b", "a", "b", "a", "b"]
    assert (a.measured, a.met, a.accepted) == (0.9, True, True)
    assert a.spread == pytest.approx(2.5 / 0.9)
    assert (b.measured, b.met, b.accepted) == (2.0, False, True)
    assert (a.milliseconds(), len(a.samples)) == ((1.0, 2.0), 3)


@pytest.mark.parametrize(
    ("ratio", "target", "floor", "met", "accepted"),
    [
        (4.0, Target(AT_MOST, 4.0), None, True, True),
        (8.0, Target(AT_MOST, 4.0), None, False, True),
        (8.1, Target(AT_MOST, 4.0), None, False, False),
        (1.7, Target(AT_LEAST, 1.7), None, True, True),
        (0.85, Target(AT_LEAST, 1.7), None, False, True),
        (0.84, Target(AT_LEAST, 1.7), None, False, False),
        (0.905, Target(WITHIN, 1.0, 0.1), None, True, True),
        (1.19, Target(WITHIN, 1.0, 0.1), None, False, True),
        (1.21, Target(WITHIN, 1.0, 0.1), None, False, False),
        (5.0, Target(AT_MOST, 1.0), 5.0, False, True),
        (5.1, Target(AT_MOST, 1.0), 5.0, False, False),
        (0.6, Target(AT_LEAST, 1.7), 0.5, False, True),
    ],
)
def test_a_check_accepts_half_of_a_target_or_the_floor_of_a_row(
    ratio: float, target: Target, floor: float | None, met: bool, accepted: bool
) -> None:
    """A row that was cancelled is judged by the lower bound of its ratio."""
    for stopped in (False, True):
        one = replace(row("a", ratio, target=target, stopped=stopped), floor=floor)
        ((result,), _) = measured(one, rounds=1)
        assert (result.met, result.accepted) == (met and not stopped, accepted)


def test_a_cancelled_row_is_not_met_and_not_measured_again() -> None:
    (result, _), log = measured(row("a", 0.1, stopped=True), row("b", 1.0, 1.0, 1.0))
    assert log == ["a", "b", "b", "b"]
    assert (result.met, result.stopped) == (False, True)


def test_work_beyond_its_deadline_is_cancelled_and_other_errors_are_raised() -> None:
    def failing(reason: str) -> Callable[[], object]:
        def work() -> object:
            raise ServiceError(reason, "")

        return work

    assert against(lambda: sum(range(1_000)), failing("CANCELLED")).stopped
    assert not against(lambda: sum(range(1_000)), lambda: None).stopped
    with pytest.raises(ServiceError):
        against(lambda: None, failing("ENGINE_INVARIANT"))


def test_a_skipped_row_is_named_and_asked_once() -> None:
    calls = []

    def measure(log: Log, deadline: Deadline) -> Sample:
        calls.append(1)
        raise RowSkippedError("no such thing here", "pip install thing")

    rows = [Row("a", "", "", Target(AT_MOST, 1.0), measure), row("b", 1.0, 1.0)]
    log: Log = []
    results, skipped = measure_rows(rows, log, rounds=2, seconds=60, progress=lambda name, fraction: None)
    assert [result.name for result in results] == ["b"]
    assert [(one.name, one.reason, one.fix) for one in skipped] == [
        ("a", "no such thing here", "pip install thing")
    ]
    assert len(calls) == 1


def report() -> dict[str, Any]:
    rows = [
        row("a", 0.5),
        row("b", 30.0, target=Target(AT_MOST, 2.0)),
        row("c", 1.9, target=Target(AT_LEAST, 1.7)),
        row("d", 1.0, target=Target(WITHIN, 1.0, 0.1)),
        row("e", 9.0, stopped=True),
    ]
    results, _ = measured(*rows, rounds=1)
    return Report(machine_facts(), tuple(results), ()).to_dict()


def test_a_page_has_the_table_between_its_marks_and_a_plot(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    for _ in range(2):
        write_page(page, report())
    lines = page.read_text(encoding="utf-8").splitlines()
    assert (lines[:2], lines[-2:]) == (["before", "<!-- bench -->"], ["<!-- /bench -->", "after"])
    assert "old" not in lines
    assert "| the row b | a rival | 30 | <= 2 | no | 0% | 1 | 1 | 2 |" in lines
    assert "| the row e | a rival | > 9 | <= 1 | no | 0% | 1 | 1 | 2 |" in lines
    plot = ElementTree.parse(tmp_path / "speed.svg").getroot()
    texts = [element.text for element in plot.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text and text.startswith("the row")] == [
        f"the row {name} ({name})" for name in "abce"
    ]
    assert "15" in texts


def test_an_unknown_row_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no row 'slope_lines' in a quick run") as raised:
        run_bench("quick", ["slope_lines"])
    assert "sweep_rates" in raised.value.fix
