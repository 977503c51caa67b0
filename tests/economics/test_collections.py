"""Duty from the law to the treasury: steps that add, relief afloat, frozen inputs, and collected rates beside ours."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client.cli.__main__ import run
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.response.industries import sector_of
from tariffs.engine.runs.collections import collect, ladder
from tariffs.engine.runs.collections.basis import collected_share
from tariffs.engine.runs.collections.frozen import DATA, claiming_origins, frozen, refunded_by, sailing_days
from tariffs.engine.runs.collections.ladder import RUNGS, days_of, rungs
from tariffs.engine.runs.stepwise_run import RunArguments
from tariffs.engine.scenario import library
from tariffs.engine.validation import collected
from tariffs.engine.validation.collected import CollectedComparison, CollectedRate, compare_collected
from tariffs.engine.validation.collections import NOTES, _amount_rows, compare_collections, monthly_rows
from tariffs.importers.collected import census_rows, treasury_rows
from tariffs.importers.collections_data import build
from tests.economics.runs import run_of, table_of, total_of

SOURCE = Path(__file__).parents[2].parent / "shared" / "data"
MONTHS = ("2025-04", "2025-05", "2025-06")
Frames = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


@pytest.fixture(scope="module")
def frames() -> Frames:
    first, second, third = (
        collect._timeline(table, library()["base"], MONTHS, RunArguments(law=load_law()))
        .scenarios[0]
        .segments.with_columns(pl.col("sector").fill_null(""))
        for table in (None, collect._loaded_before(), collect._all_claimed())
    )
    return first, second, third


@pytest.fixture(scope="module")
def cells(frames: Frames) -> pl.DataFrame:
    return rungs(*frames, MONTHS)


def test_months_outside_the_fitted_ones_are_near_those_collected(cells: pl.DataFrame) -> None:
    rows = [row for row in monthly_rows(cells, load_yaml(NOTES)) if row.figure.startswith("month")]
    assert [row.figure for row in rows] == [f"month {month}, %" for month in MONTHS]
    assert all(row.within for row in rows)
    # Relief of goods afloat is most of what April does not pay.
    april = cells.filter(pl.col("month") == "2025-04").select(pl.col("assessed", "afloat", "collected").sum())
    assessed, afloat, collected = april.row(0)
    assert -afloat > 0.7 * (assessed - collected)


def test_a_wrong_sign_fails(frames: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    right = ladder.afloat_share
    monkeypatch.setattr(ladder, "afloat_share", lambda *given: right(*given).with_columns(-pl.col("spared")))
    rows = list(monthly_rows(rungs(*frames, MONTHS), load_yaml(NOTES)))
    assert not next(row for row in rows if row.figure == "month 2025-04, %").within


def test_steps_add_up_and_each_may_be_left_out(frames: Frames, cells: pl.DataFrame) -> None:
    steps = pl.sum_horizontal("assessed", *RUNGS) - pl.col("collected")
    assert cells.select(steps.abs().max()).item() < 1e-3
    bare = rungs(*frames, MONTHS, RUNGS)
    assert bare["collected"].sum() == pytest.approx(cells["assessed"].sum(), rel=1e-12)
    no_rest = rungs(*frames, MONTHS, ["rest"])
    assert no_rest["rest"].sum() == 0.0
    assert no_rest["afloat"].sum() == pytest.approx(cells["afloat"].sum(), rel=1e-12)


def test_relief_afloat_is_of_goods_by_sea_and_claims_are_of_months_with_a_record(cells: pl.DataFrame) -> None:
    members = claiming_origins()
    assert not set(members) & set(sailing_days())
    assert cells.filter(pl.col("origin").is_in(members))["afloat"].abs().max() == 0.0
    assert cells.filter(pl.col("month") == "2025-06")["afloat"].abs().max() == 0.0
    assert cells["claims"].abs().max() == 0.0  # the record is whole from 2025-07 on


def test_frozen_inputs_are_those_of_the_estimate_and_end_before_scoring() -> None:
    facts = load_yaml(DATA / "frozen.yaml")
    for name, digest in facts["inputs"].items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest
        if name.endswith(".parquet"):
            assert pl.read_parquet(DATA / name)["month"].max() <= facts["last_month"] == "2026-02"
    assert 0.5 <= frozen().ocean_share <= 1.0


def test_duty_to_a_day_is_the_part_of_its_month() -> None:
    months = ["2025-04", "2025-06", "2025-07"]
    cell = {"month": months, "authority": "ieepa.other", "collected": [1e9, 3e9, 5e9]}
    amount = {"name": "total", "authority": "ieepa", "until": "2025-06-10", "usd_bn": 1}
    (row,) = _amount_rows(pl.DataFrame(cell), load_yaml(NOTES) | {"amounts": [amount]})
    assert row.ours == pytest.approx(1.0 + 3.0 * 10 / 30)


def test_refunds_run_to_what_customs_declared() -> None:
    cell = {"month": "2025-05", "origin": "CN", "authority": "ieepa.fentanyl"}
    paid = pl.DataFrame([{**cell, "collected": frozen().void_collected, "void": 1.0}])
    months = collect.months_between("2025-01", "2027-12")
    refunds = collect._refunds(paid, months)
    assert -refunds["refunds"].sum() == pytest.approx(frozen().void_paid, rel=1e-9)
    assert refunds["month"].min() == "2026-04"
    assert refunded_by(days_of("2026-04")[0]) == 0.0


def test_an_impossible_month_key_or_rung_is_refused() -> None:
    for start, end in (("2024-12", "2025-03"), ("2025-03", "2025-02"), ("2025-1", "2025-03")):
        with pytest.raises(InputError, match="month"):
            collect.months_between(start, end)
    with pytest.raises(InputError, match="among"):
        collect.collections(library()["base"], "2025-01", "2025-01", by=("hts2",), law=load_law())


@pytest.mark.parametrize("by", [("origin",), ("authority", "origin"), ("hts2",)])
def test_an_impact_on_the_basis_of_collections_has_the_shares(by: tuple[str, ...]) -> None:
    lines = table_of(
        {"6109100012": {"CN": 100.0, "MX": 200.0}, "2709002090": {"CA": 400.0}, "8703230190": {"JP": 800.0}}
    )
    given: dict[str, Any] = {"on": "2025-10-15", "response": "none", "baseline": ""}
    each = run_of(lines, by=("origin",), **given).scenarios[0].groups
    found = run_of(lines, by=by, basis="collected", **given)
    share = {origin: frozen().share_of(origin) for origin in ("CN", "MX", "CA", "JP")}
    share["CA"] *= frozen().industries["211"]
    share["JP"] *= frozen().industries[""]  # a used car has no industry
    expected = sum(duty * share[origin] for origin, duty in each.select("origin", "duty").iter_rows())
    total, groups = total_of(found), found.scenarios[0].groups
    assert groups["duty"].sum() == pytest.approx(expected, rel=1e-12)
    assert (total["duty"], total["landed"]) == pytest.approx((expected, 1_500.0 + expected), rel=1e-12)
    assert total["customs_value"] == 1_500.0
    if by == ("origin",):
        rows = groups.join(each, on="origin").select("origin", pl.col("duty") / pl.col("duty_right"))
        assert dict(rows.iter_rows()) == pytest.approx(share)


def test_goods_without_an_industry_hardly_pay() -> None:
    """Electricity of Canada is entered by nobody: it is assessed, and next to nothing is collected of it."""
    electricity, food = collected_share(pl.DataFrame({"origin": ["CA", "CA"], "sector": [None, "311FT"]}))
    assert sector_of(["2716000000"]) == [None]
    assert food == frozen().share_of("CA")
    assert electricity < 0.2 * food


def test_welfare_is_unknown_on_the_basis_of_collections() -> None:
    lines = table_of({"6109100012": {"CN": 100.0, "VN": 200.0}})
    given: dict[str, Any] = {"on": "2025-10-15", "horizon": "short"}
    found, plain = (total_of(run_of(lines, basis=basis, **given)) for basis in ("collected", "assessed"))
    assert (found["welfare"], found["buyer_surplus"]) == (None, None)
    assert 0.0 < found["duty_after"] < plain["duty_after"]
    assert (found["value_after"], found["borne_abroad"]) == (plain["value_after"], plain["borne_abroad"])


@pytest.mark.slow
def test_every_difference_is_small_or_has_a_reason() -> None:
    rows = compare_collections()
    assert all(row.within or row.reason for row in rows)
    assert all(row.within for row in rows if not row.figure.startswith(("origin", "amount")))


@pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")
def test_the_importer_gives_the_embedded_files(tmp_path: Path) -> None:
    build(SOURCE, tmp_path)
    for path in tmp_path.iterdir():
        assert pl.read_parquet(path).equals(pl.read_parquet(DATA / path.name))


def test_the_table_has_every_month_and_published_rates() -> None:
    with collected.TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    census = [row for row in rows if row["source"] == "census"]
    assert len({row["origin"] for row in census}) == 31
    assert {row["month"] for row in census} == {f"2025-{month:02d}" for month in range(1, 12)}
    assert {row["month"] for row in rows} >= {"2025-12", "2026-03"}
    treasury = {row["month"]: float(row["rate"]) for row in rows if row["source"] == "treasury"}
    # Monthly Treasury Statement, March 2026: receipts of 22.2 billion dollars, 7.34 percent of imports.
    assert treasury["2026-03"] == pytest.approx(0.0734, abs=5e-5)


@pytest.mark.slow
def test_collected_rates_are_near_those_of_the_law_or_have_a_reason() -> None:
    compared = compare_collected()
    assert all(row.within or row.reason for row in compared.rows)
    assert all(price.within or price.reason for price in compared.prices)
    # In a quiet month the law gives what was collected.
    quiet = [row for row in compared.rows if (row.month, row.source) == ("2025-01", "census")]
    assert all(abs(row.difference) < 0.01 for row in quiet if row.origin not in {"ID", "RU"})
    found = run_of(None, on="2025-01-15", baseline="", response="none", known_on="entry")
    expected = found.scenarios[0].groups.filter(origin="CN")["effective_rate"].item()
    china = next(row for row in quiet if row.origin == "CN")
    assert china.ours == pytest.approx(expected, rel=1e-9)
    # Prices of the present method are near.
    near = [price for price in compared.prices if price.on >= "2025-10-17"]
    assert len(near) >= 5
    assert all(price.within for price in near)


def test_the_command_fails_where_a_difference_has_no_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    near = CollectedRate("2025-01", "", "census", 0.02, 0.025, 0.02, "")
    for reason, code in (("goods on the water", 0), ("", 1)):
        far = CollectedRate("2025-05", "CN", "census", 0.5, 0.7, 0.02, reason)
        fake = CollectedComparison((near, far), (), {})
        monkeypatch.setattr(collected, "compare_collected", lambda progress, fake=fake: fake)
        assert run(["validate", "collected", "--json"]) == code
        assert [row["within"] for row in json.loads(capsys.readouterr().out)["rows"]] == [True, False]
    assert run(["validate", "collected"]) == 1
    assert "not explained" in capsys.readouterr().out


def test_the_importer_reads_months_with_a_rate() -> None:
    names = ("CTY_NAME", "month", "realised_rate_2024_weights")
    rows = [
        ("ALL COUNTRIES", "2025-01", "0.025"), ("KOREA, SOUTH", "2025-02", "0.1234567"),
        ("JAPAN", "2024-12", "0.1"), ("JAPAN", "2025-12", ""),
    ]  # fmt: skip
    given = [dict(zip(names, row, strict=True)) for row in rows]
    assert list(census_rows(given, {"JAPAN": "JP"})) == [
        ("2025-01", "", "census", "0.02500"),
        ("2025-02", "KR", "census", "0.12346"),
    ]
    receipts = [{"date": "2025-03-01", "rate_pct": "2.5"}, {"date": "2024-03-01", "rate_pct": "2.0"}]
    assert list(treasury_rows(receipts)) == [("2025-03", "", "treasury", "0.02500")]
