"""Goal seeks: zeros of a function at few evaluations, known roots of runs, jumps told apart, none said to be none."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError, ScenarioError, ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.sums import Sums
from tariffs.engine.runs.sweeps import sweep_points as range_module
from tariffs.engine.runs.sweeps.bracketing import Search
from tariffs.engine.runs.sweeps.point_sums import PointEvaluator, PointResults, SweepPoint
from tariffs.engine.runs.sweeps.seek import Root, Seek, Target, Vary, seek
from tariffs.engine.runs.sweeps.sweep_points import CELLS, FINEST
from tariffs.engine.scenario import Scenario, parse_scenario
from tests.unit.scenario_tables import DAY, HEAD, TABLE

STEPS = CELLS * FINEST
GRID = [cell * FINEST for cell in range(CELLS + 1)]


def found(
    function: Callable[[float], float],
) -> tuple[list[tuple[float, float]], list[tuple[float, float]], int]:
    """Zeros and crossings of a function over 0 to 1, and how often it was evaluated."""
    calls = 0

    def at(steps: Sequence[int]) -> dict[int, float]:
        nonlocal calls
        calls += len(steps)
        return {step: function(step / STEPS) for step in steps}

    def tolerance(values: Sequence[float]) -> float:
        known = [value for value in values if not math.isnan(value)]
        return 1e-9 * (max(known) - min(known))

    search = Search(at, GRID, tolerance)
    plateaus, crossings = search.run()
    assert calls == len(search.values)
    return (
        [(one.first / STEPS, one.last / STEPS) for one in plateaus],
        [(one.low / STEPS, one.high / STEPS) for one in crossings],
        calls,
    )


ANGLES = [turn * 2 * math.pi + angle for turn in range(10) for angle in (math.pi / 6, 5 * math.pi / 6)]


@pytest.mark.parametrize(
    ("function", "zeros", "most"),
    [
        (lambda x: 3.0 * x - 0.703125, [0.234375], 2),  # a line after one step
        (lambda x: x**3 - 0.1, [0.1 ** (1 / 3)], 30),
        (lambda x: math.exp(9 * x) - 40, [math.log(40) / 9], 30),
        (lambda x: math.tanh(80 * (x - 0.71)), [0.71], 30),
        (lambda x: math.copysign(abs(x - 0.5013) ** 0.3, x - 0.5013), [0.5013], 30),
        (lambda x: 0.55 - x**0.1, [0.55**10], 30),
        (lambda x: math.sin(60 * x) - 0.5, [angle / 60 for angle in ANGLES if angle <= 60], 500),
        (lambda x: max(0.0, x - 0.4567) + min(0.0, x - 0.2), [(0.2, 0.4567)], 100),  # a span has its ends
        (lambda x: math.nan if x < 0.5 else x - 0.75, [0.75], 30),
        (lambda x: -1.0 if x < 0.4 else math.nan if x < 0.6 else 1.0, [], 100),
        (lambda x: 1.0 + x, [], 100),
        (lambda x: 1.0, [], 1),
    ],
)
def test_all_zeros_are_found_in_few_steps(
    function: Callable[[float], float], zeros: list[Any], most: int
) -> None:
    spans, crossings, calls = found(function)
    wanted = [zero if isinstance(zero, tuple) else (zero, zero) for zero in zeros]
    assert [end for span in spans for end in span] == pytest.approx(
        [end for span in wanted for end in span], abs=1e-8
    )
    assert crossings == []
    assert calls <= CELLS + most


@pytest.mark.parametrize("height", [0.0, 1e-9, 1e-8, 1e-7, 1e-6])
def test_the_two_zeros_of_a_peak_between_two_points_of_the_grid_are_found(height: float) -> None:
    zeros, _, _ = found(lambda x: height - (x - 0.50211) ** 2)
    expected = [0.50211 - math.sqrt(height), 0.50211 + math.sqrt(height)] if height else [0.50211]
    assert [zero for zero, _ in zeros] == pytest.approx(expected, abs=3e-5)


def test_a_jump_is_a_crossing_and_no_zero() -> None:
    zeros, ((low, high),), calls = found(lambda x: -1.0 if x < 0.3337 else 1.0)
    assert zeros == []
    assert low < 0.3337 <= high
    assert high - low == pytest.approx(1 / STEPS)
    assert calls <= CELLS + 40


def test_random_cubics_have_all_their_zeros(scale: int) -> None:
    draw = random.Random(7)
    for _ in range(100 * scale):
        roots = sorted(draw.uniform(0.01, 0.99) for _ in range(3))
        if min(roots[1] - roots[0], roots[2] - roots[1]) < 1e-3:
            continue
        a, b, c = roots
        zeros, crossings, _ = found(lambda x, a=a, b=b, c=c: (x - a) * (x - b) * (x - c))  # type: ignore[misc]
        assert [zero for zero, _ in zeros] == pytest.approx(roots, abs=1e-5)
        assert crossings == []


TEXT = HEAD.format(id="family") + (
    "parameters:\n"
    "  cn: {default: 12.5%}\n"
    "  act: {default: on}\n"
    "  end: {default: 2027-06-01}\n"
    "changes:\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-09-01, rate: $cn, when: $act}\n"
    "  - {op: suspend, measures: {id: fl301, origins: [IN]}, from: 2026-12-01, until: $end, on_end: snap_back}\n"
)
LISTED_GOODS = 18_000.0
"""Value of the goods of China in the table that bear the duty: toys and apparel."""
STATIC = Options(response="none")


def family() -> Scenario:
    return parse_scenario(TEXT)


def sought(
    vary: tuple[str, str, str],
    target: tuple[str, float],
    where: Mapping[str, Sequence[str]] | None = None,
    options: Options = STATIC,
    fixed: Mapping[str, str] | None = None,
) -> Seek:
    aim = Target(*target, where or {})
    return seek(TABLE, family(), Vary(*vary), aim, parameters=fixed, on=DAY, law=load_law(), options=options)


def duty_at(values: Mapping[str, str]) -> float:
    point = Point(family().with_parameters(values), DAY)
    return impact(TABLE, [point], law=load_law(), options=STATIC).scenarios[0].total["duty"] or 0.0


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first grid of eight cells, for seeks of the real law."""
    monkeypatch.setattr(range_module, "CELLS", 8)


Result = Callable[[float], float]


def answering(monkeypatch: pytest.MonkeyPatch, duty: Result, value: Result = lambda x: 1.0) -> None:
    """Answer every point with a duty that depends on its rate, in place of the table."""

    def evaluate(_: object, points: Sequence[SweepPoint], step: Callable[[int], None]) -> PointResults:
        rates = []
        for done, point in enumerate(points):
            step(done)
            rates.append(float(point.values["cn"].rstrip("%")) / 100)
        ones = np.ones(len(rates))
        columns = dict.fromkeys(("quantity", "duty_after", "diversion", "customs_value"), ones)
        columns |= {"duty": np.array([*map(duty, rates)]), "value_after": np.array([*map(value, rates)])}
        columns["welfare"] = np.nan * ones
        groups = {name: np.repeat(values[:, None], 3, axis=1) for name, values in columns.items()}
        total = {name: 3.0 * values for name, values in columns.items()}
        return PointResults(Sums(pl.DataFrame({"origin": ["CN", "IN", "VN"]}), groups, total), ())

    monkeypatch.setattr(PointEvaluator, "__call__", evaluate)


@pytest.mark.usefixtures("coarse")
def test_the_rate_at_which_a_static_duty_is_met_is_the_one_worked_by_hand() -> None:
    """A duty is linear in its rate: base duty plus rate times the goods that bear it."""
    target = ("duty", duty_at({"cn": "0%"}) + 0.1234 * LISTED_GOODS)
    found = sought(("cn", "0%", "60%"), target)
    ((root),) = found.roots
    assert root.value == pytest.approx(0.1234, abs=1e-9)
    assert root.achieved == pytest.approx(target[1], rel=1e-9)
    assert (found.monotone, found.jumps) == (True, ())
    assert found.path.height <= 11
    assert found.path["value"].is_sorted()
    assert found.provenance["seek"] == {"vary": ["cn", "0%", "60%"], "target": [*target], "where": {}}


@pytest.mark.usefixtures("coarse")
def test_a_day_is_a_jump_between_two_days() -> None:
    """The suspension reaches the day of the run, or ends before it."""
    suspended, charged = duty_at({"end": "2027-01-20"}), duty_at({"end": "2027-01-05"})
    assert suspended < charged
    found = sought(("end", "2027-01-08", "2027-01-14"), ("duty", (suspended + charged) / 2))
    assert found.roots == ()
    (jump,) = found.jumps
    assert (jump.value, jump.achieved, jump.next_achieved) == ("2027-01-11", charged, suspended)
    assert jump.next_value == "2027-01-12"
    assert found.path.schema["value"] == pl.String
    met = sought(("end", "2027-01-08", "2027-01-14"), ("duty", charged))
    assert met.roots == (Root("2027-01-08", charged, "2027-01-11"),)


@pytest.mark.parametrize("ends", [("off", "on"), ("on", "off"), ("0", "1"), ("no", "true")])
def test_on_or_off_is_found(ends: tuple[str, str]) -> None:
    on = duty_at({"cn": "40%"})
    found = sought(("act", *ends), ("duty", on), fixed={"cn": "40%"})
    assert found.roots == (Root(1.0, on),)
    assert found.path["value"].to_list() == [0.0, 1.0]


IN_CHINA = {"origin": ["CN"]}


@pytest.mark.parametrize(
    ("duty", "target", "roots", "monotone"),
    [
        (lambda rate: rate * (1.0 - rate), 0.1875, [(0.25, None), (0.75, None)], False),
        (lambda rate: min(rate, 0.2345) * 1e9, 0.2345e9, [(0.2345, 1.0)], True),
        (lambda rate: 1e9 + 1e-7 * ((round(1000 * rate) + 3) % 7), 1.0, [], True),  # rounding is no turn
    ],
)
def test_roots_of_an_answer_are_found_with_the_ends_of_their_spans(
    monkeypatch: pytest.MonkeyPatch, duty: Result, target: float, roots: list[Any], monotone: bool
) -> None:
    answering(monkeypatch, duty)
    found = sought(("cn", "0%", "100%"), ("duty", target), IN_CHINA)
    assert [root.value for root in found.roots] == pytest.approx([value for value, _ in roots])
    assert [root.to for root in found.roots] == pytest.approx([to for _, to in roots])
    assert found.monotone is monotone
    assert roots or found.nearest.value == 0.0
    assert found.path["value"].head(3).to_list() == pytest.approx([0.0, 0.005, 0.01])


def test_a_jump_of_the_result_is_no_root_and_no_root_has_the_nearest_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, lambda rate: rate + (1.0 if rate > 0.3141 else 0.0))
    found = sought(("cn", "0%", "60%"), ("duty", 0.8), IN_CHINA)
    assert found.roots == ()
    (jump,) = found.jumps
    assert jump.value == pytest.approx(0.3141)
    assert (jump.achieved, jump.next_achieved) == pytest.approx((0.3141, 1.3141))
    assert found.monotone
    answering(monkeypatch, lambda rate: 100.0 * rate)
    none = sought(("cn", "0%", "60%"), ("duty", 200.0))
    assert (none.roots, none.jumps, none.nearest.value) == ((), (), 0.6)
    assert none.nearest.achieved == pytest.approx(180.0)


def test_groups_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, lambda rate: rate, lambda rate: 2.0)
    both = {"origin": ["CN", "IN"]}
    assert sought(("cn", "0%", "60%"), ("duty", 0.5), both).roots[0].value == pytest.approx(0.25)
    assert sought(("cn", "0%", "60%"), ("duty_share", 2 / 3), both).roots[0].to == pytest.approx(0.6)
    by_value = sought(("cn", "0%", "60%"), ("duty", 0.75), {})
    assert by_value.roots[0].value == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("vary", "target", "where", "reason"),
    [
        (("cm", "0%", "60%"), ("duty", 1.0), {}, "PARAMETER_UNKNOWN"),
        (("cn", "60%", "0%"), ("duty", 1.0), {}, "PARAMETER_INVALID"),
        (("cn", "0%", "0.6"), ("duty", 1.0), {}, "PARAMETER_INVALID"),
        (("cn", "0%", "2026-11-10"), ("duty", 1.0), {}, "PARAMETER_INVALID"),
        (("cn", "off", "on"), ("duty", 1.0), {}, "PARAMETER_INVALID"),
        (("end", "2027-01-10", "2027-01-10"), ("duty", 1.0), {}, "PARAMETER_INVALID"),
        (("cn", "0%", "60%"), ("revenue", 1.0), {}, "PARAMETER_INVALID"),
        (("cn", "0%", "60%"), ("duty", float("nan")), {}, "PARAMETER_INVALID"),
        (("cn", "0%", "60%"), ("duty", 1.0), {"origin": ["XK"]}, "PARAMETER_INVALID"),
        (("cn", "0%", "60%"), ("duty", 1.0), {"planet": ["Mars"]}, "GROUP_UNKNOWN"),
        (("act", "off", "on"), ("value_after", 1.0), {}, "PARAMETER_INVALID"),
        (("act", "off", "on"), ("effective_rate", 1.0), {"authority": ["s301"]}, "PARAMETER_INVALID"),
    ],
)
def test_what_cannot_be_sought_is_an_error(
    vary: tuple[str, str, str], target: tuple[str, float], where: Mapping[str, Sequence[str]], reason: str
) -> None:
    with pytest.raises((InputError, ScenarioError)) as caught:
        sought(vary, target, where)
    assert caught.value.reason == reason
    assert caught.value.fix


def test_a_seek_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, lambda rate: rate)
    fractions: list[float] = []
    vary, target = Vary("cn", "0%", "60%"), Target("duty", 0.5, {})
    with pytest.raises(ServiceError) as caught:
        seek(
            TABLE, family(), vary, target, on=DAY, law=load_law(), options=STATIC,
            progress=lambda _, fraction: fractions.append(fraction), cancelled=lambda: len(fractions) > 50,
        )  # fmt: skip
    assert caught.value.reason == "CANCELLED"
    assert fractions == sorted(fractions)
    assert fractions[-1] < 1.0
