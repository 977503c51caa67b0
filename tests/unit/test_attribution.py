"""Attribution: what each change does sums to the difference, whatever the order and the method."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.runs import attribution
from tariffs.engine.runs.attribution import ORDERED, SHAPLEY, Attribution, attribute
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.sums import ChargedDuties
from tariffs.engine.scenario import Scenario, library
from tests.unit.scenario_tables import DAY, TABLE, total, valuer, written

ON_CHINA = "{op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01, rate: 25%}"
OFF_METALS = "{op: set_stacking, rule: fl301_off_232, from: 2027-01-01, value: 'off'}"
NO_METALS = "{op: terminate, measures: {authority: s232.metals}, at: 2027-01-01}"
NO_FORCED_LABOR = "{op: terminate, measures: {id: fl301}, at: 2027-01-02}"


def split(scenario: Scenario, reference: Scenario | None = None) -> Attribution:
    reference = reference or library()["base"]
    result = attribute(valuer(), reference, scenario, DAY)
    ours, theirs = total(scenario), total(reference)
    for name in ("duty", "duty_owed"):
        assert result.rows[name].sum() == pytest.approx(ours[name] - theirs[name], rel=1e-9, abs=1e-6), name
    return result


def by_unit(result: Attribution) -> dict[str, float]:
    rows = result.rows.group_by("unit", maintain_order=True).agg(pl.col("duty").sum())
    return dict(rows.iter_rows())


def test_changes_that_meet_share_what_they_do_together() -> None:
    result = split(written(OFF_METALS, NO_METALS, ON_CHINA))
    assert result.method == SHAPLEY
    base, alone, lone, both = (
        total(written(*changes))["duty"]
        for changes in ((), (OFF_METALS,), (NO_METALS,), (OFF_METALS, NO_METALS))
    )
    shares = by_unit(result)
    assert shares["changes[0]"] == pytest.approx((alone - base + both - lone) / 2)
    assert shares["changes[1]"] == pytest.approx((lone - base + both - alone) / 2)


def test_a_duty_that_a_change_does_not_reach_is_not_its_own() -> None:
    rows = split(written(ON_CHINA, NO_METALS)).rows
    metals = rows.filter(pl.col("authority").str.starts_with("s232.metals"))
    assert metals.filter(unit="changes[0]")["duty"].abs().sum() == pytest.approx(0, abs=1e-6)
    assert metals.filter(unit="changes[1]")["duty"].sum() < 0


def test_a_group_is_one_unit_and_a_parent_is_one() -> None:
    grouped = written(*(change.replace("{op", "{group: both, op") for change in (ON_CHINA, NO_METALS)))
    assert list(by_unit(split(grouped))) == ["both"]
    child = written(OFF_METALS, head="parents: [forced-labor-20-on-china]\n")
    assert list(by_unit(split(child))) == ["forced-labor-20-on-china", "changes[0]"]


def test_a_change_whose_object_comes_with_another_is_void_without_it() -> None:
    window = "{op: suspend, measures: {id: fl301}, from: 2026-12-01, until: 2027-01-05, on_end: snap_back}"
    longer = "{op: extend, measures: {id: fl301}, until: 2027-02-01}"
    shares = by_unit(split(written(window, longer)))
    assert shares["changes[0]"] == pytest.approx(shares["changes[1]"])
    assert shares["changes[0]"] < 0


def test_a_change_of_the_first_scenario_alone_is_said_not_to_be_made() -> None:
    first, second = written(ON_CHINA, NO_METALS, id="one"), written(NO_METALS, OFF_METALS, id="two")
    for ours, theirs, sign in ((first, second, 1), (second, first, -1)):
        rows = split(ours, theirs).rows.group_by("text").agg(pl.col("duty").sum())
        made = {text: duty for text, duty in rows.iter_rows() if "25%" in text or "25 %" in text}
        ((text, duty),) = made.items()
        assert text.startswith("not made: ") == (sign < 0)
        assert duty * sign > 0


def test_a_mixture_cannot_be_attributed() -> None:
    with pytest.raises(ScenarioError, match="mixture"):
        attribute(valuer(), library()["base"], library()["truce-even-odds"], DAY)


def test_a_scenario_that_changes_nothing_has_rows_like_the_others() -> None:
    points = [Point(one, DAY) for one in (library()["base"], written(), written(NO_FORCED_LABOR))]
    options = Options(response="none", by=("hts2", "shop"), attribute=True)
    found = impact(TABLE.with_columns(shop=7), points, law=load_law(), options=options)
    _, nothing, something = (one.attribution for one in found.scenarios)
    assert nothing is not None
    assert something is not None
    assert nothing.height == 0
    assert nothing.schema == something.schema


class _CountedGame:
    """A game in which every unit adds one dollar, so that a split costs no valuation."""

    def __init__(self, *_: object) -> None:
        self.keys = pl.DataFrame()

    def lane(self, coalition: frozenset[int]) -> int:
        return len(coalition)

    def duties(self) -> ChargedDuties:
        place, dollars = np.zeros(1, dtype=np.int64), np.arange(10.0)[:, None]
        return ChargedDuties(
            ("x",), place, place, dict.fromkeys(("duty", "duty_owed", "duty_after"), dollars)
        )


@pytest.mark.parametrize(("count", "method"), [(8, SHAPLEY), (9, ORDERED)])
def test_eight_units_are_split_by_shapley_and_nine_in_order(
    monkeypatch: pytest.MonkeyPatch, count: int, method: str
) -> None:
    monkeypatch.setattr(attribution, "_Coalitions", _CountedGame)
    changes = [ON_CHINA.replace("25%", f"{n}%") for n in range(count)]
    result = attribute(valuer(), library()["base"], written(*changes), DAY)
    assert (result.method, result.frame["method"].unique().to_list()) == (method, [method])
    assert list(by_unit(result).values()) == pytest.approx([1.0] * count)
